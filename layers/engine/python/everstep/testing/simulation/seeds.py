"""A schedule from a number: everything that may differ is drawn from one seed.

The seed itself decides what is deployed, how many runs there are and how the world is made. What
happens in it is a schedule of choices, drawn from the seed too, unless a schedule is given: that
is how a failure is played again, and how it is cut down.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from everstep.app.engine import Limits
from everstep.core.invariants import ViolationError
from everstep.testing.simulation.choices import Choices, Drawn, Kept, Schedule
from everstep.testing.simulation.faults import Chance
from everstep.testing.simulation.minimise import minimise
from everstep.testing.simulation.policies import AnyOrder
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from everstep.authoring.workflows import Workflow
    from everstep.testing.simulation.choices import Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A seed that violates an invariant, and the least that has to go wrong for it.

    Attributes:
        seed: The seed.
        violation: What does not hold; the story of the cut-down play is in its notes.
        drawn: How many choices the seed made that were not the usual ones.
        schedule: Those of them that it takes.
    """

    seed: int
    violation: ViolationError
    drawn: int
    schedule: Schedule

    def __str__(self) -> str:
        notes = "\n".join(getattr(self.violation, "__notes__", ()))
        return (
            f"seed {self.seed}: {self.violation}\n"
            f"takes {len(self.schedule)} of {self.drawn} choices: {self.schedule}\n{notes}"
        )


def play_seed(
    seed: int,
    workflows: Sequence[Workflow[Any, Any]],
    schedule: Mapping[Choice, int] | None = None,
) -> World:
    """Play one to three runs with two to four executors; what goes wrong is drawn, too.

    Args:
        seed: Decides how the world is made.
        workflows: What is deployed; each takes a number.
        schedule: What happens in the world; drawn from the seed if not given.

    Raises:
        ViolationError: An invariant does not hold.
    """
    choices = Kept(schedule) if schedule is not None else _drawn(seed)
    return _play(seed, workflows, choices)


def find_failure(seed: int, workflows: Sequence[Workflow[Any, Any]]) -> Failure | None:
    """Play a seed; if an invariant does not hold, return the least that it takes."""
    choices = _drawn(seed)
    try:
        _play(seed, workflows, choices)
    except ViolationError as violation:
        return _cut_down(seed, workflows, choices.schedule, violation)
    return None


def _cut_down(
    seed: int, workflows: Sequence[Workflow[Any, Any]], drawn: Schedule, first: ViolationError
) -> Failure:
    last = [first]

    def fails(schedule: Schedule) -> bool:
        try:
            play_seed(seed, workflows, schedule)
        except ViolationError as violation:
            if violation.invariant == first.invariant:
                last.append(violation)
                return True
        return False

    schedule = minimise(drawn, fails)
    return Failure(seed=seed, violation=last[-1], drawn=len(drawn), schedule=schedule)


def _drawn(seed: int) -> Drawn:
    return Drawn(Random(f"what happens in {seed}"))  # noqa: S311 - a schedule, not a secret


def _play(seed: int, workflows: Sequence[Workflow[Any, Any]], choices: Choices) -> World:
    rng = Random(seed)  # noqa: S311 - a world, not a secret
    settings = Settings(
        executors=rng.randint(2, 4),
        limits=Limits(inline=200),
        receives=rng.choice((1, 2, 5)),
        resumes=5,
        skew=rng.choice((0, 0, 5000)),
        oddities=rng.choice((0, 0, 2, 5, 10)),
    )
    faults = Chance(choices, rng.choice((0, 0.02, 0.05)), rng.choice((0, 1, 3, 6, 12)))
    policy = AnyOrder(choices)
    with World(
        workflows, faults=faults, policy=policy, settings=settings, choices=choices
    ) as world:
        for number in range(rng.randint(1, 3)):
            workflow = rng.choice(workflows)
            for _ in range(rng.choice((1, 1, 2))):
                world.trigger(workflow.name, number, f"key-{number}")
        world.run()
        world.check()
    return world
