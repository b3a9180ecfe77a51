"""Every schedule of a kind: all single faults, all pairs, all interleavings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from everstep.testing.simulation.faults import Call, FaultKind, Planned
from everstep.testing.simulation.leftovers import check_leftovers
from everstep.testing.simulation.policies import Path
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from everstep.authoring.workflows import Workflow
    from everstep.testing.simulation.choices import Choices
    from everstep.testing.simulation.faults import Faults
    from everstep.testing.simulation.policies import Policy

Plan = dict[int, FaultKind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """How a world is made, and what happens in it beside what happens by itself.

    Attributes:
        begin: Puts the first tasks into the world.
        then: Happens once the world is at rest; the world then runs to its rest again.
        workflows: What is deployed.
        settings: How the world is made.
        interruptible: Whether it may stay unknown what became of a step.
        rescued: Whether it takes the watchdog to get everything to its end.
        choices: Makes what chooses clock skews, torn queries and processes in a play.
    """

    begin: Callable[[World], object]
    workflows: Sequence[Workflow[Any, Any]]
    then: Callable[[World], object] | None = None
    settings: Callable[[], Settings] = Settings
    interruptible: bool = False
    rescued: bool = False
    choices: Callable[[], Choices] | None = None

    def play(self, faults: Faults | None = None, policy: Policy | None = None) -> World:
        """Play the scenario to its end, check the invariants, return what is left.

        Raises:
            ViolationError: An invariant does not hold.
        """
        choices = None if self.choices is None else self.choices()
        world = World(
            self.workflows,
            faults=faults,
            policy=policy,
            settings=self.settings(),
            choices=choices,
        )
        with world:
            self.begin(world)
            world.run()
            if self.then is not None:
                self.then(world)
                world.run()
            world.check()
            check_leftovers(world)
        return world


def single_faults(scenario: Scenario) -> Iterator[tuple[Plan, World]]:
    """Play the scenario with every fault at every call; yield what was planned and what came."""
    for plan in single_plans(scenario.play()):
        yield plan, played(scenario, plan)


def pairs_of_faults(scenario: Scenario) -> Iterator[tuple[Plan, World]]:
    """Play the scenario with every two faults, the second wherever the first leads to."""
    for plan, after_one in single_faults(scenario):
        for both in pairs_with(plan, after_one):
            yield both, played(scenario, both)


def single_plans(usual: World) -> Iterator[Plan]:
    """Return every fault at every call of a play."""
    for call in usual.calls:
        for kind in call.kinds:
            yield {call.number: kind}


def pairs_with(plan: Plan, after_one: World) -> Iterator[Plan]:
    """Return every two faults of which the first is planned; its play says what may follow."""
    (first,) = plan
    for call in after_one.calls[first:]:
        for kind in _different(call):
            yield {**plan, call.number: kind}


def _different(call: Call) -> tuple[FaultKind, ...]:
    """Return the kinds that a second fault adds: dying before a call is dying after the last."""
    return tuple(kind for kind in call.kinds if kind is not FaultKind.CRASH_BEFORE)


def played(scenario: Scenario, plan: Mapping[int, FaultKind]) -> World:
    """Play the scenario with the planned faults; a violation names the plan."""
    try:
        return scenario.play(Planned(plan))
    except AssertionError as error:
        error.add_note(f"plan: {dict(plan)}")
        raise


def interleavings(
    scenario: Scenario, faults: Callable[[], Faults] = Planned
) -> Iterator[tuple[list[int], World]]:
    """Play the scenario in every order of the port calls of tasks that are under way."""
    path: Path | None = Path()
    while path is not None:
        try:
            world = scenario.play(faults(), path)
        except AssertionError as error:
            error.add_note(f"path: {path.choices}")
            raise
        yield path.choices, world
        path = path.next()
