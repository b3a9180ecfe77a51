"""One workflow under one schedule: what a crash matrix plays again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from everstep.testing.engine import TestEngine
from everstep.testing.outcomes import Outcome, outcome_of
from everstep.testing.simulation.leftovers import check_leftovers
from everstep.testing.simulation.world import World

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from everstep.authoring.workflows import Workflow
    from everstep.testing.handles import TestRun
    from everstep.testing.simulation.choices import Choices
    from everstep.testing.simulation.faults import Call, Faults
    from everstep.testing.simulation.incidents import Incident
    from everstep.testing.simulation.policies import Policy
    from everstep.testing.simulation.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One schedule, and what came of it.

    Attributes:
        calls: Every port call, in order.
        incidents: What went wrong.
        executions: How often each step was executed.
        compared: What has to be the same in every schedule.
        outcome: How the run ended.
        error: What the script, the check or an invariant had to say against it.
        scripted: Whether there is a script.
    """

    calls: Sequence[Call]
    incidents: Sequence[Incident]
    executions: Counter[str]
    compared: object
    outcome: Outcome
    error: BaseException | None = None
    scripted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A workflow with its input, and everything that belongs to a run of it."""

    workflows: Sequence[Workflow[Any, Any]]
    input: object
    script: Callable[[TestEngine, TestRun[Any]], object] | None = None
    prepare: Callable[[TestEngine], object] | None = None
    setup: Callable[[], object] | None = None
    check: Callable[[TestRun[Any]], object] | None = None
    outcome: Callable[[TestRun[Any]], object] = outcome_of

    def play(
        self,
        settings: Settings,
        faults: Faults | None = None,
        policy: Policy | None = None,
        choices: Choices | None = None,
    ) -> Played:
        """Run the workflow once, from nothing to its rest.

        Raises:
            RequestError: The workflow cannot be started like this.
        """
        if self.setup is not None:
            self.setup()
        with World(
            self.workflows, faults=faults, policy=policy, settings=settings, choices=choices
        ) as world:
            engine = TestEngine(world=world)
            if self.prepare is not None:
                self.prepare(engine)
            run = engine.start(self.workflows[0], self.input)
            compared: list[object] = []
            error = self._trouble(world, engine, run, compared)
            return Played(
                calls=world.calls,
                incidents=world.incidents,
                executions=world.facts.executions(run.id),
                compared=compared[0] if compared else None,
                outcome=outcome_of(run),
                error=error,
                scripted=self.script is not None,
            )

    def _trouble(
        self, world: World, engine: TestEngine, run: TestRun[Any], compared: list[object]
    ) -> BaseException | None:
        """Let everything happen; return what somebody has to say against it."""
        try:
            if self.script is not None:
                self.script(engine, run)
            engine.run_to_rest()
            world.check()
            check_leftovers(world)
            if self.check is not None:
                self.check(run)
            compared.append(self.outcome(run))
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - also a test runner's own signs of failure
            return error
        return None
