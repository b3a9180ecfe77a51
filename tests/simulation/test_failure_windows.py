"""Messages that come twice, processes that die, answers that get lost."""

from __future__ import annotations

import pytest

from everstep.core.durations import MINUTE, SECOND
from everstep.core.model import OpStatus, RunStatus
from everstep.testing.simulation.deployment import START
from everstep.testing.simulation.faults import FaultKind, Once
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.plays import (
    GRACE,
    ONCE_EACH,
    effects,
    end,
    play,
    status_of,
)
from tests.simulation.scenarios import MIXED

# --- Duplicates


@pytest.mark.parametrize("nth", [0, 1, 2, 3])
def test_a_message_delivered_again_later_repeats_nothing_and_starts_no_second_chain(
    nth: int,
) -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.run()
        sent = len(world.queue.sent)
        world.duplicate(world.queue.sent[nth])
        end(world)

    assert effects(world) == ONCE_EACH
    assert len(world.queue.sent) == sent + 1


@pytest.mark.parametrize("nth", [0, 1])
def test_an_old_message_redriven_from_the_dead_letters_in_mid_run_is_dropped(nth: int) -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#3")
        old = world.queue.sent[nth]
        redriven = world.queue.take_in(old.body)
        sent = len(world.queue.sent)
        world.finish(world.execute(redriven))

        assert len(world.queue.sent) == sent
        assert end(world).status is RunStatus.COMPLETED
    assert effects(world) == ONCE_EACH


@pytest.mark.parametrize("name", ["three_steps", "retries", "short_sleep", "long_sleep"])
def test_old_messages_of_a_finished_run_change_nothing(name: str) -> None:
    with World(MIXED) as world:
        world.trigger(name, 1, "key")
        before = end(world)
        counted = effects(world)
        for letter in list(world.queue.sent):
            world.duplicate(letter)
        assert end(world) == before
    assert effects(world) == counted


# --- Crashes


def test_a_crash_before_the_step_executes_it_once_later() -> None:
    world = play("three_steps", Once("attempt", FaultKind.CRASH_BEFORE, nth=2))

    assert effects(world) == ONCE_EACH
    assert world.time >= START + world.settings.visibility


def test_a_crash_between_execution_and_commit_executes_the_step_again() -> None:
    world = play("three_steps", Once("effect", FaultKind.CRASH_AFTER, nth=2))

    assert effects(world) == {**ONCE_EACH, "add#2": 2}


def test_a_crash_between_commit_and_send_repeats_nothing_and_loses_nothing() -> None:
    world = play("three_steps", Once("runs.put", FaultKind.CRASH_AFTER, nth=2))

    assert effects(world) == ONCE_EACH
    assert len(world.queue.sent) == 4


def test_a_crash_between_send_and_acknowledgement_sends_twice_and_executes_once() -> None:
    world = play("three_steps", Once("ack", FaultKind.CRASH_BEFORE, nth=2))

    assert effects(world) == ONCE_EACH
    assert len(world.queue.sent) <= 5


def test_a_crash_between_the_last_commit_and_the_end_of_the_run_is_made_up_for() -> None:
    world = play("three_steps", Once("runs.put", FaultKind.CRASH_AFTER, nth=3))

    assert effects(world) == ONCE_EACH
    assert world.history().head.status is RunStatus.COMPLETED


# --- Lost answers


def test_a_send_that_was_accepted_but_not_answered_repeats_at_most_one_step() -> None:
    world = play("three_steps", Once("queue.send", FaultKind.ANSWER_LOST, nth=2))

    assert effects(world)["add#3"] == 1
    assert sum(effects(world).values()) <= 4


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_commit_that_was_applied_but_not_answered_is_recognised_by_its_token(nth: int) -> None:
    world = play("three_steps", Once("runs.put", FaultKind.ANSWER_LOST, nth=nth))

    assert effects(world) == ONCE_EACH


def test_an_end_that_was_recorded_but_not_answered_stays_as_it_is() -> None:
    world = play("three_steps", Once("runs.change", FaultKind.ANSWER_LOST))

    assert world.history().head.status is RunStatus.COMPLETED
    assert effects(world) == ONCE_EACH


def test_a_run_that_was_recorded_but_not_answered_is_found_by_its_idempotency_key() -> None:
    world = play("three_steps", Once("runs.create", FaultKind.ANSWER_LOST))

    assert world.facts.accepted == [(world.store.run_ids[0], "key")]
    assert len(world.store.run_ids) == 1


@pytest.mark.parametrize("kind", [FaultKind.CRASH_BEFORE, FaultKind.UNAVAILABLE])
def test_a_trigger_that_dies_between_record_and_send_delays_the_run_by_the_grace_at_most(
    kind: FaultKind,
) -> None:
    world = play("three_steps", Once("queue.send", kind))

    assert world.history().head.status is RunStatus.COMPLETED
    assert world.time <= START + GRACE + MINUTE
    assert world.facts.recovered == 0


# --- Zombies and time-outs


def test_an_executor_that_wakes_up_after_its_visibility_time_out_commits_nothing() -> None:
    with World(MIXED, settings=Settings(executors=2)) as world:
        world.trigger("three_steps", 1, "key")
        zombie = world.execute(world.next_message("add#2"))
        world.go_on_until(zombie, "runs.put")
        world.hold_up(world.settings.visibility)
        world.finish(world.execute(world.next_message("add#2")))
        record = world.history().records["add#2"]

        world.finish(zombie)
        assert world.history().records["add#2"] == record
        assert end(world).status is RunStatus.COMPLETED
    assert effects(world)["add#3"] <= 2


def test_a_zombie_of_a_failed_attempt_does_not_undo_a_later_result() -> None:
    with World(MIXED, settings=Settings(executors=2)) as world:
        world.trigger("retries", 1, "key")
        zombie = world.execute(world.next_message("flaky#1"))
        world.go_on_until(zombie, "runs.put")
        world.hold_up(world.settings.visibility)
        world.next_message("add#1")
        record = world.history().records["flaky#1"]

        world.finish(zombie)
        assert world.history().records["flaky#1"] == record
        assert end(world).status is RunStatus.COMPLETED


def test_a_zombie_does_not_arm_a_sleep_that_has_ended() -> None:
    with World(MIXED, settings=Settings(executors=2)) as world:
        world.trigger("long_sleep", 1, "key")
        zombie = world.execute(world.next_message("add#1"))
        world.go_on_until(zombie, "runs.put")
        world.go_on_until(zombie, "runs.put")
        world.hold_up(world.settings.visibility)
        world.happen_until(lambda: world.history().head.status is RunStatus.COMPLETED)
        before = world.history()

        world.finish(zombie)
        end(world)
        assert world.history() == before


@pytest.mark.parametrize("name", ["short_sleep", "long_sleep"])
def test_a_zombie_does_not_end_a_sleep_that_has_ended(name: str) -> None:
    with World(MIXED, settings=Settings(executors=2)) as world:
        world.trigger(name, 1, "key")
        timer = world.next_message("sleep#1")
        world.pass_time(max(timer.visible_at - world.time, 0))
        zombie = world.execute(timer)
        world.go_on_until(zombie, "runs.put")
        world.hold_up(world.settings.visibility)
        world.happen_until(lambda: status_of(world, "sleep#1") is OpStatus.DONE)
        before = world.history().records["sleep#1"]

        world.pass_time(MINUTE)
        world.finish(zombie)
        assert world.history().records["sleep#1"] == before
        assert end(world).status is RunStatus.COMPLETED


def test_a_zombie_does_not_end_a_run_that_has_ended() -> None:
    with World(MIXED, settings=Settings(executors=2)) as world:
        world.trigger("three_steps", 1, "key")
        zombie = world.execute(world.next_message("add#3"))
        world.go_on_until(zombie, "runs.change")
        world.hold_up(world.settings.visibility)
        world.happen_until(lambda: world.history().head.status is RunStatus.COMPLETED)
        before = world.history()

        world.pass_time(MINUTE)
        world.finish(zombie)
        end(world)
        assert world.history() == before


def test_nothing_is_sent_before_the_commit() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        task = world.execute(world.next_message("add#2"))
        sent = len(world.queue.sent)
        world.go_on_until(task, "runs.put")
        assert len(world.queue.sent) == sent
        world.finish(task)
        assert end(world).status is RunStatus.COMPLETED


class SlowReader(World):
    """A world in which a query may be read in two pages."""

    torn = False

    def two_pages(self) -> bool:
        """Read in two pages while it is switched on."""
        return self.torn

    def cut(self, size: int) -> int:
        """Put one record on the first page."""
        return min(size, 1)


def test_a_query_that_shows_a_later_record_without_an_earlier_one_stalls_nothing() -> None:
    with SlowReader(MIXED, settings=Settings(executors=2)) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#1")
        world.torn = True
        slow = world.execute(world.duplicate(world.queue.sent[0]))
        world.go_on_until(slow, "runs.rest")
        world.torn = False
        world.next_message("add#3")

        world.finish(slow)
        assert world.history().head.status is RunStatus.RUNNING
        assert end(world).status is RunStatus.COMPLETED
    assert effects(world) == ONCE_EACH


def test_a_function_with_too_little_time_left_begins_no_attempt() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        letter = world.next_message("add#1")
        world.finish(world.execute(letter, time_left=lambda: 2 * SECOND))
        assert not world.facts.attempts
        assert not letter.gone

        assert end(world).status is RunStatus.COMPLETED
    assert effects(world) == ONCE_EACH
