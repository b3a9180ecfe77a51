"""The simulation notices when a rule is broken: each mutant is caught by a schedule with a name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import pytest

from everstep.testing.simulation.faults import FaultKind
from tests.simulation import mutants, mutants_burst, mutants_kept, mutants_once
from tests.simulation import mutants_recovering as recovering
from tests.simulation import mutants_together as together
from tests.simulation import test_at_most_once as at_most_once
from tests.simulation import test_broken_code as code
from tests.simulation import test_burst as burst
from tests.simulation import test_failure_windows as windows
from tests.simulation import test_interleavings as meetings
from tests.simulation import test_joins as joins
from tests.simulation import test_kept as kept
from tests.simulation import test_kept_groups as groups
from tests.simulation import test_recoveries as recoveries
from tests.simulation import test_regressions as regressions
from tests.simulation import test_restored_table as restored
from tests.simulation import test_schedules as schedules
from tests.simulation import test_time_and_load as times
from tests.simulation.outcomes import is_accident
from tests.simulation.regressions import REGRESSIONS

Weakening = Callable[[pytest.MonkeyPatch], None]
Schedule = Callable[[], object]

(NEWS_OF_A_CHILD,) = (each for each in REGRESSIONS if each.name.startswith("news_of_a_child"))


def as_usual(name: str) -> Schedule:
    return partial(schedules.test_without_faults_a_scenario_costs_what_the_budget_says, name)


def with_one_fault(name: str) -> Schedule:
    return partial(schedules.test_one_fault_at_any_call_changes_no_outcome, name)


_NAMED: Final[tuple[tuple[Weakening, Schedule], ...]] = (
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
        with_one_fault("three_steps"),
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
        recovering.a_recovery_takes_nothing_over,
        code.test_a_missing_version_stalls_the_run_and_says_so_until_it_is_deployed_and_resumed,
    ),
    (
        mutants.a_long_sleep_is_never_armed,
        partial(schedules.test_without_faults_a_scenario_costs_what_the_budget_says, "long_sleep"),
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
        partial(schedules.test_without_faults_a_scenario_costs_what_the_budget_says, "short_sleep"),
    ),
    (mutants.no_idempotency_key_is_claimed, as_usual("two_triggers")),
    (mutants.a_trigger_that_comes_second_is_told_a_run_of_its_own, as_usual("two_triggers")),
    (mutants.the_trigger_sends_before_it_records, as_usual("two_triggers")),
    (mutants.a_run_is_recorded_unwatched, as_usual("three_steps")),
    (
        mutants.an_early_message_gets_another_token,
        times.test_a_message_put_off_by_a_slow_clock_still_owes_what_its_duplicate_committed,
    ),
    (mutants.an_early_message_is_dropped, with_one_fault("retries")),
    (mutants.a_failed_send_is_forgotten, with_one_fault("three_steps")),
    (mutants.a_payload_is_kept_after_the_commit, with_one_fault("large_payload")),
    (mutants.a_step_is_tried_once_more_than_allowed, as_usual("gives_up")),
    (mutants.the_sweeper_comes_back_to_a_timer_at_once, as_usual("long_sleep")),
    (mutants.a_timer_is_moved_whatever_is_recorded, with_one_fault("long_sleep")),
    (mutants.a_run_is_watched_after_its_end, with_one_fault("long_sleep")),
    (mutants.a_first_message_is_never_sent_again, as_usual("sleeps_first")),
    (mutants.a_run_that_sleeps_counts_as_stuck, as_usual("long_sleep")),
    (mutants.a_resumption_takes_nothing_over, as_usual("lost_code")),
    (mutants.a_resumption_does_not_count, as_usual("lost_code")),
    (
        recovering.what_a_recovery_sends_inherits_nothing,
        recoveries.test_a_recovery_takes_over_from_an_executor_that_commits_after_it_and_dies,
    ),
    (mutants_once.what_was_begun_begins_again, with_one_fault("once")),
    (mutants_once.what_was_interrupted_is_just_run_again, with_one_fault("once")),
    (
        mutants_once.what_has_just_begun_counts_as_over,
        at_most_once.test_a_duplicate_at_once_of_what_may_run_once_only_waits_and_finds_the_result,
    ),
    (mutants_once.what_was_begun_counts_as_made, with_one_fault("once")),
    (
        mutants_once.a_recovery_leaves_alone_what_was_begun,
        partial(
            at_most_once.test_what_was_begun_and_has_lost_its_message_is_noticed_by_the_watchdog,
            "once",
            "publish#1",
        ),
    ),
    (mutants_once.every_beginning_is_recorded, as_usual("three_steps")),
    (
        mutants_once.no_death_counts,
        code.test_a_step_that_kills_the_process_every_time_fails_when_its_attempts_are_used_up,
    ),
    (mutants_once.a_delivery_counts_as_a_death, with_one_fault("three_steps")),
    (recovering.what_takes_over_passes_that_on_for_ever, as_usual("stumbles")),
    (together.a_join_is_closed_unconditionally, with_one_fault("side_by_side")),
    (together.a_counter_says_who_closes_a_join, with_one_fault("side_by_side")),
    (
        together.who_ends_a_branch_goes_on_from_what_it_saw_before,
        joins.test_branches_that_end_at_once_are_followed_by_one_step_without_any_fault,
    ),
    (together.two_waits_may_take_one_event, as_usual("shares")),
    (together.a_wait_does_not_look_for_events_after_it_is_recorded, as_usual("waits")),
    (together.an_event_is_told_before_it_is_kept, with_one_fault("waits")),
    (
        mutants_kept.a_kept_pass_goes_on_without_a_look_at_the_head,
        kept.test_a_pause_is_seen_by_whoever_keeps_a_pass,
    ),
    (
        mutants_kept.a_kept_pass_counts_as_up_to_date,
        kept.test_two_processes_that_take_turns_repeat_nothing,
    ),
    (mutants_kept.a_kept_pass_is_shared, kept.test_two_messages_at_once_do_not_share_a_pass),
    (
        mutants_kept.what_other_code_has_recorded_answers_a_kept_pass,
        kept.test_what_other_code_has_recorded_answers_no_kept_pass,
    ),
    (
        mutants_kept.what_was_read_once_stays_fresh,
        groups.test_a_pause_is_seen_a_second_after_the_last_look_however_much_is_done_by_then,
    ),
    (
        mutants_kept.nobody_looks_whether_the_group_is_closed,
        groups.test_a_branch_that_does_not_count_any_more_is_not_begun_by_a_kept_pass,
    ),
    (
        mutants_kept.who_repeats_the_end_of_a_branch_knows_enough,
        groups.test_whoever_repeats_the_end_of_a_branch_looks_at_the_whole_group,
    ),
    (
        mutants_kept.a_branch_that_has_ended_goes_on,
        groups.test_whoever_ends_the_last_branch_finds_that_the_others_have_ended,
    ),
    (
        mutants_kept.what_was_not_read_any_more_has_no_record,
        groups.test_whoever_ends_the_last_branch_finds_that_another_process_has_ended_all_others,
    ),
    (
        mutants_kept.one_branch_that_goes_on_is_always_enough,
        partial(groups.test_enough_is_noticed_though_another_branch_goes_on_for_long, "needs_two"),
    ),
    (
        mutants_kept.a_failure_matters_to_nobody_else,
        partial(groups.test_enough_is_noticed_though_another_branch_goes_on_for_long, "bears_one"),
    ),
    (
        mutants_kept.a_branch_is_seen_to_go_on_before_the_record_is_written,
        groups.test_two_branches_that_end_at_once_are_not_each_left_to_the_other,
    ),
    (
        mutants_burst.nobody_looks_later,
        burst.test_a_duplicate_that_is_acknowledged_while_the_message_is_at_work_loses_nothing,
    ),
    (
        mutants_burst.a_duplicate_sends_for_the_step_that_is_under_way,
        burst.test_a_duplicate_that_comes_while_the_message_is_at_work_repeats_no_step,
    ),
    (
        mutants_burst.every_further_step_has_a_token_of_its_own,
        with_one_fault("in_one_go"),
    ),
    (
        mutants_burst.it_goes_on_with_what_may_begin_once_only,
        partial(burst.test_one_fault_at_any_call_changes_no_outcome, "once"),
    ),
    (
        mutants_burst.it_goes_on_whatever_has_become_of_the_run,
        burst.test_a_pause_is_seen_at_the_latest_a_second_and_a_step_later,
    ),
    (
        mutants_burst.it_goes_on_though_somebody_may_have_died_of_it,
        burst.test_a_step_that_kills_the_process_every_time_is_settled_by_messages_of_its_own,
    ),
    (
        recovering.news_is_done_with_once_it_is_recorded_what_it_is_about,
        partial(regressions.test_a_schedule_that_failed_once_holds, NEWS_OF_A_CHILD),
    ),
)
CAUGHT_BY: Final = {weaken.__name__: schedule for weaken, schedule in _NAMED}
"""Mutants by name, and what notices each."""


def weakened(name: str) -> Weakening:
    return next(each for each in mutants.MUTANTS if each.__name__ == name)


def test_every_mutant_has_a_schedule_that_notices_it() -> None:
    assert set(CAUGHT_BY) == {each.__name__ for each in mutants.MUTANTS}


@pytest.mark.parametrize("name", CAUGHT_BY)
def test_a_broken_rule_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weakened(name)(monkeypatch)
    with pytest.raises(AssertionError) as noticed:
        CAUGHT_BY[name]()
    assert not is_accident(noticed.value)
