"""The simulation notices when a rule is broken: each mutant is caught by a schedule with a name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from everstep.testing.simulation.faults import FaultKind
from tests.simulation import mutants
from tests.simulation import test_broken_code as code
from tests.simulation import test_failure_windows as windows
from tests.simulation import test_interleavings as meetings
from tests.simulation import test_restored_table as restored
from tests.simulation import test_schedules as schedules
from tests.simulation import test_time_and_load as times
from tests.simulation.scenarios import long_sleep, short_sleep

if TYPE_CHECKING:
    from collections.abc import Callable

CAUGHT_BY: Final[tuple[tuple[Callable[[pytest.MonkeyPatch], None], Callable[[], None]], ...]] = (
    (
        mutants.any_result_replaces_another,
        windows.test_an_executor_that_wakes_up_after_its_visibility_time_out_commits_nothing,
    ),
    (
        mutants.a_failed_attempt_replaces_a_later_record,
        windows.test_a_zombie_of_a_failed_attempt_does_not_undo_a_later_result,
    ),
    (
        mutants.a_sleep_ends_more_than_once,
        partial(windows.test_a_zombie_does_not_end_a_sleep_that_has_ended, "long_sleep"),
    ),
    (
        mutants.a_sleep_is_armed_over_its_result,
        windows.test_a_zombie_does_not_arm_a_sleep_that_has_ended,
    ),
    (
        mutants.the_run_ends_unconditionally,
        windows.test_a_zombie_does_not_end_a_run_that_has_ended,
    ),
    (
        mutants.the_run_stalls_unconditionally,
        partial(
            meetings.test_stalling_while_a_step_is_under_way_keeps_its_result_and_its_consequences,
            "add#3",
        ),
    ),
    (
        mutants.whatever_has_ended_can_be_resumed,
        partial(times.test_a_run_that_has_ended_cannot_be_resumed, "three_steps"),
    ),
    (
        mutants.a_repeat_owes_nothing,
        windows.test_a_crash_between_commit_and_send_repeats_nothing_and_loses_nothing,
    ),
    (
        mutants.no_message_is_recognised_as_a_repeat,
        partial(
            windows.test_an_old_message_redriven_from_the_dead_letters_in_mid_run_is_dropped, 1
        ),
    ),
    (
        mutants.a_repeat_never_ends_the_run,
        windows.test_a_crash_between_the_last_commit_and_the_end_of_the_run_is_made_up_for,
    ),
    (
        mutants.every_repeat_sends_on,
        partial(
            windows.test_an_old_message_redriven_from_the_dead_letters_in_mid_run_is_dropped, 0
        ),
    ),
    (
        mutants.a_lost_condition_owes_nothing,
        meetings.test_a_duplicate_at_once_does_not_hide_a_crash_after_the_commit,
    ),
    (
        mutants.what_follows_is_sent_before_the_commit,
        windows.test_nothing_is_sent_before_the_commit,
    ),
    (
        mutants.the_sweeper_moves_a_timer_before_it_sends,
        partial(
            times.test_a_sweeper_that_fails_at_a_timer_comes_again,
            "long_sleep",
            FaultKind.UNAVAILABLE,
            "queue.send",
        ),
    ),
    (
        mutants.the_first_contradiction_stalls,
        windows.test_a_query_that_shows_a_later_record_without_an_earlier_one_stalls_nothing,
    ),
    (
        mutants.an_early_message_counts_as_due,
        partial(
            times.test_a_delayed_message_that_comes_early_does_not_end_the_wait_early,
            "short_sleep",
        ),
    ),
    (
        mutants.a_message_says_which_attempt_it_is,
        partial(
            restored.test_a_table_restored_while_messages_are_in_flight_contradicts_nothing_and_ends_its_run,
            "retries",
        ),
    ),
    (
        mutants.a_recovery_takes_nothing_over,
        code.test_a_missing_version_stalls_the_run_and_says_so_until_it_is_deployed_and_resumed,
    ),
    (
        mutants.a_long_sleep_is_never_armed,
        partial(schedules.test_without_faults_a_run_costs_what_the_budget_says, long_sleep),
    ),
    (
        mutants.a_dead_letter_is_dropped,
        times.test_throttling_without_end_stalls_the_run_instead_of_losing_it,
    ),
    (
        mutants.every_dead_letter_stalls,
        code.test_a_dead_letter_whose_work_was_done_by_another_stalls_nothing,
    ),
    (
        mutants.everything_is_sent_twice,
        partial(schedules.test_without_faults_a_run_costs_what_the_budget_says, short_sleep),
    ),
)


@pytest.mark.parametrize(
    ("weaken", "schedule"), CAUGHT_BY, ids=[weaken.__name__ for weaken, _ in CAUGHT_BY]
)
def test_a_broken_rule_is_noticed(
    weaken: Callable[[pytest.MonkeyPatch], None],
    schedule: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weaken(monkeypatch)
    with pytest.raises(AssertionError):
        schedule()
