"""A schedule from a number: everything that may differ is drawn from one seed.

The seed decides what the world is like (``Setup``), and draws a schedule of choices about what
happens in it. With another schedule in place of the drawn one the same world is played again:
that is how a failure is cut down to what it takes, and how it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from everstep.app.engine import Limits
from everstep.core.durations import SECOND
from everstep.core.invariants import ViolationError
from everstep.testing.simulation.choices import Choices, Drawn, Kept, Schedule
from everstep.testing.simulation.faults import Chance
from everstep.testing.simulation.leftovers import check_leftovers, check_rescues
from everstep.testing.simulation.minimise import minimise
from everstep.testing.simulation.policies import AnyOrder
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from everstep.authoring.workflows import Workflow
    from everstep.core.model import History
    from everstep.testing.simulation.choices import Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a world is like before anything happens in it.

    Attributes:
        runs: What is started: workflow, input, how many clients call with the same key.
        executors: How many messages are processed at the same time.
        receives: How often a message is received before it is a dead letter.
        skew: How far two clocks may be apart, in milliseconds.
        oddities: How many odd actions may happen.
        failures: How many port calls may fail.
        odds: How likely a port call fails where that is drawn.
        keeps: Whether processes keep suspended passes from one message to the next.
        fresh: For how long they do not read again what they have read, in milliseconds.
        cancels: Whether an odd action may be that somebody cancels a run.
        steps: How many steps a message may carry out.
    """

    runs: tuple[tuple[str, int, int], ...]
    executors: int = 2
    receives: int = 5
    skew: int = 0
    oddities: int = 0
    failures: int = 0
    odds: float = 0
    keeps: bool = False
    fresh: int = 0
    cancels: bool = False
    steps: int = 1

    @property
    def settings(self) -> Settings:
        """Return how the world is made; its operator resumes what stalls, five times."""
        return Settings(
            executors=self.executors,
            limits=Limits(inline=200, steps_per_message=self.steps),
            receives=self.receives,
            resumes=5,
            skew=self.skew,
            oddities=self.oddities,
            keeps=self.keeps,
            fresh=self.fresh,
            cancels=self.cancels,
        )


class Steady(World):
    """A world in which code never changes and no message is ever lost."""

    @override
    def _hold(self, before: History | None, after: History | None) -> None:
        super()._hold(before, after)
        stall = after.head.stall if after is not None else None
        if stall is not None and stall.reason.type != "DeadLetter":
            raise ViolationError("steady_code_contradicts_nothing", f"{stall.reason}")

    @override
    def check(self) -> None:
        """Check what must hold at rest.

        Raises:
            ViolationError: An invariant does not hold; the story so far is in its notes.
        """
        super().check()
        check_leftovers(self)
        check_rescues(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A seed that violates an invariant, and the least that has to go wrong for it.

    Attributes:
        seed: The seed.
        violation: What does not hold; the story of the cut-down play is in its notes.
        drawn: How many choices the seed made that were not the usual ones.
        setup: The world, without the runs that can be left out.
        schedule: The choices that it takes.
    """

    seed: int
    violation: ViolationError
    drawn: int
    setup: Setup
    schedule: Schedule

    def __str__(self) -> str:
        story = "\n".join(getattr(self.violation, "__notes__", ()))
        return (
            f"seed {self.seed}: {self.violation}\n"
            f"It takes {len(self.schedule)} of {self.drawn} choices:\n{story}\n"
            f"Play the seed again with SIMULATION_SEED={self.seed}; keep its failure as\n"
            f"    setup={self.setup},\n"
            f"    schedule={self.schedule},"
        )


def setup_of(seed: int, workflows: Sequence[Workflow[Any, Any]]) -> Setup:
    """Return the world of a seed: one to three runs, two to four executors."""
    rng = Random(seed)  # noqa: S311 - a world, not a secret
    runs = [
        (rng.choice(workflows).name, number, rng.choice((1, 1, 2)))
        for number in range(rng.randint(1, 3))
    ]
    return Setup(
        runs=tuple(runs),
        executors=rng.randint(2, 4),
        receives=rng.choice((1, 2, 5)),
        skew=rng.choice((0, 0, 5000)),
        oddities=rng.choice((0, 0, 2, 5, 10)),
        failures=rng.choice((0, 1, 3, 6, 12)),
        odds=rng.choice((0, 0.02, 0.05)),
        keeps=rng.choice((False, True)),
        cancels=rng.choice((False, False, True)),
        steps=rng.choice((1, 1, 3)),
        fresh=rng.choice((0, SECOND)),
    )


def draw(seed: int) -> Drawn:
    """Return the choices of a seed, which notes them as they are made."""
    return Drawn(Random(f"what happens in {seed}"))  # noqa: S311 - a schedule, not a secret


def play(setup: Setup, workflows: Sequence[Workflow[Any, Any]], choices: Choices) -> Steady:
    """Play a world to its end, check the invariants, return what is left.

    Raises:
        ViolationError: An invariant does not hold.
    """
    faults = Chance(choices, setup.odds, setup.failures)
    policy = AnyOrder(choices)
    with Steady(
        workflows, faults=faults, policy=policy, settings=setup.settings, choices=choices
    ) as world:
        for workflow, number, clients in setup.runs:
            for _ in range(clients):
                world.trigger(workflow, number, f"key-{number}")
        world.run()
        world.check()
    return world


def play_seed(
    seed: int,
    workflows: Sequence[Workflow[Any, Any]],
    schedule: Mapping[Choice, int] | None = None,
) -> Steady:
    """Play the world of a seed.

    Args:
        seed: Decides what the world is like.
        workflows: What is deployed; each takes a number.
        schedule: What happens in the world; drawn from the seed if not given.

    Raises:
        ViolationError: An invariant does not hold.
    """
    choices = draw(seed) if schedule is None else Kept(schedule)
    return play(setup_of(seed, workflows), workflows, choices)


def find_failure(seed: int, workflows: Sequence[Workflow[Any, Any]]) -> Failure | None:
    """Play a seed; if an invariant does not hold, return the least that it takes."""
    setup, choices = setup_of(seed, workflows), draw(seed)
    try:
        play(setup, workflows, choices)
    except ViolationError as violation:
        return cut_down(
            Failure(
                seed=seed,
                violation=violation,
                drawn=len(choices.schedule),
                setup=setup,
                schedule=choices.schedule,
            ),
            workflows,
        )
    return None


def cut_down(failure: Failure, workflows: Sequence[Workflow[Any, Any]]) -> Failure:
    """Return the same failure with fewer runs and fewer choices, none of which can go."""
    before = None
    # What was too much to go without may be too much no more.
    while failure.schedule != before:
        before, failure = failure.schedule, _cut_down(failure, workflows)
    return failure


def _cut_down(failure: Failure, workflows: Sequence[Workflow[Any, Any]]) -> Failure:
    failure = _with_fewer_choices(failure, workflows)
    for run in failure.setup.runs if len(failure.setup.runs) > 1 else ():
        fewer = tuple(each for each in failure.setup.runs if each != run)
        setup = replace(failure.setup, runs=fewer)
        violation = _violation(failure, setup, failure.schedule, workflows) if fewer else None
        if violation is not None:
            smaller = replace(failure, setup=setup, violation=violation)
            failure = _with_fewer_choices(smaller, workflows)
    return failure


def _with_fewer_choices(failure: Failure, workflows: Sequence[Workflow[Any, Any]]) -> Failure:
    last = failure

    def fails(schedule: Schedule) -> bool:
        nonlocal last
        violation = _violation(failure, failure.setup, schedule, workflows)
        if violation is not None:
            last = replace(failure, violation=violation, schedule=schedule)
        return violation is not None

    minimise(failure.schedule, fails)
    return last


def _violation(
    failure: Failure,
    setup: Setup,
    schedule: Schedule,
    workflows: Sequence[Workflow[Any, Any]],
) -> ViolationError | None:
    """Return what does not hold in a play, if it is the same as before."""
    try:
        play(setup, workflows, Kept(schedule))
    except ViolationError as violation:
        return violation if violation.invariant == failure.violation.invariant else None
    return None
