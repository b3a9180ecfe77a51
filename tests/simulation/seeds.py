"""A schedule from a number: everything that may differ is drawn from one seed."""

from __future__ import annotations

from random import Random

from everstep.app.engine import Limits
from tests.simulation.faults import Chance
from tests.simulation.policies import AtRandom
from tests.simulation.scenarios import MIXED
from tests.simulation.settings import Settings
from tests.simulation.world import World


def play_seed(seed: int) -> World:
    """Play one to three runs with two to four executors; what goes wrong is drawn, too.

    Raises:
        ViolationError: An invariant does not hold; a note says how to play the seed again.
    """
    rng = Random(seed)  # noqa: S311 - a schedule, not a secret
    settings = Settings(
        executors=rng.randint(2, 4),
        limits=Limits(inline=200),
        receives=rng.choice((1, 2, 5)),
        resumes=5,
        skew=rng.choice((0, 0, 5000)),
        oddities=rng.choice((0, 0, 2, 5, 10)),
    )
    faults = Chance(rng, rng.choice((0, 0.02, 0.05)), rng.choice((0, 1, 3, 6, 12)))
    try:
        with World(MIXED, faults=faults, policy=AtRandom(rng), settings=settings, rng=rng) as world:
            for number in range(rng.randint(1, 3)):
                workflow = rng.choice(MIXED)
                for _ in range(rng.choice((1, 1, 2))):
                    world.trigger(workflow.name, number, f"key-{number}")
            world.run()
            world.check()
    except AssertionError as error:
        again = f"SIMULATION_SEED={seed} pytest tests/simulation/test_random_schedules.py"
        error.add_note(f"seed {seed}; play it again with: {again}")
        raise
    return world
