"""Schedules that have once been too much for the engine, each cut down to what it takes.

A seed that fails prints its entry. An entry names what puts the old mistake back, too: once the
engine has changed so much that the schedule does not meet that mistake any more, it is no longer
worth anything, and ``test_regressions`` says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from everstep.testing.simulation.seeds import Setup
from tests.simulation import mutants

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from everstep.testing.simulation.choices import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """One schedule.

    Attributes:
        name: What must hold, as the name of a test.
        found: What did not hold, and why.
        invariant: The name of the invariant that was violated.
        setup: The world.
        schedule: What happens in it.
        mistake: Puts the mistake back.
    """

    name: str
    found: str
    invariant: str
    setup: Setup
    schedule: Schedule
    mistake: Callable[[pytest.MonkeyPatch], None]


REGRESSIONS: Final[tuple[Regression, ...]] = (
    Regression(
        name="an_early_message_that_is_put_off_keeps_its_token",
        found=(
            "An executor whose clock was slow put a timer off with a new message, and deleted the "
            "old one. Meanwhile another had ended the sleep for that old message and died, so "
            "nobody was left who owed the run its next step."
        ),
        invariant="nobody_was_rescued",
        setup=Setup(runs=(("sleeps_until", 0, 1),), executors=2, skew=5000, oddities=2, failures=1),
        schedule={
            ("torn", 1): 1,
            ("skew", 3): 4,
            ("odd", 15): 4,
            ("order", 15): 1,
            ("order", 16): 1,
            ("fault", 11): 2,
        },
        mistake=mutants.an_early_message_gets_another_token,
    ),
)
