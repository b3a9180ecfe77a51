"""Schedules that have once been too much for the engine, each cut down to what it takes.

A seed that fails prints its entry. An entry names what puts the old mistake back, too: once the
engine has changed so much that the schedule does not meet that mistake any more, it is no longer
worth anything, and ``test_regressions`` says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from everstep.testing.simulation.seeds import Setup
from tests.simulation import mutants, mutants_recovering

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
    Regression(
        name="news_of_a_child_that_is_a_dead_letter_still_owes_the_end_of_the_run",
        found=(
            "The message with news of a child had brought its run to where it ends, and became a "
            "dead letter before it ended it. The dead-letter function failed, too, and its second "
            "try took the record that the news was about for the message's own work, done by "
            "another. So nobody was left who owed the run its end."
        ),
        invariant="nobody_was_rescued",
        setup=Setup(runs=(("talks", 0, 1), ("waits", 1, 2)), receives=1, failures=3, odds=0.05),
        schedule={
            ("torn", 3): 1,
            ("torn", 5): 1,
            ("torn", 7): 1,
            ("torn", 9): 1,
            ("torn", 11): 1,
            ("torn", 13): 1,
            ("order", 59): 1,
            ("torn", 14): 1,
            ("torn", 15): 1,
            ("torn", 20): 1,
            ("torn", 22): 1,
            ("fault", 78): 4,
            ("fault", 79): 2,
        },
        mistake=mutants_recovering.news_is_done_with_once_it_is_recorded_what_it_is_about,
    ),
)
