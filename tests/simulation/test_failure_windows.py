"""One test for each window in which something can fail, told step by step."""

from __future__ import annotations

from itertools import chain, cycle, repeat
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep import Context, step, workflow
from everstep.app.engine import Limits
from everstep.core import messages
from everstep.core.durations import MINUTE, SECOND
from everstep.core.model import HEAD, Head, OpStatus, RunStatus
from tests.simulation.faults import Always, FaultKind, Meanwhile, Once
from tests.simulation.scenarios import MIXED, add
from tests.simulation.tasks import Killed
from tests.simulation.world import START, Settings, World, carried_out

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow
    from tests.simulation.faults import Faults
    from tests.simulation.step_queue import Letter

GRACE: Final = Limits().grace
WATCHDOG: Final = Limits().watchdog


def play(name: str, faults: Faults | None = None) -> World:
    """Play one run of a workflow from its trigger to its end."""
    with World(MIXED, faults=faults) as world:
        world.trigger(name, 1, "key")
        world.run()
        world.check()
    return world


def end(world: World) -> Head:
    """Let the world come to its rest; return what has become of the run."""
    world.run()
    world.check()
    return world.history().head


def effects(world: World) -> dict[str, int]:
    """Return how often the code of each operation was carried out."""
    counted: dict[str, int] = {}
    for (_, key, _), times in world.facts.effects.items():
        counted[key] = counted.get(key, 0) + times
    return counted


def hidden(world: World) -> list[Letter]:
    """Return the messages that are delayed."""
    letters = [letter for letter in world.queue.letters if letter.receives == 0]
    return [letter for letter in letters if letter.visible_at > world.time]


def status_of(world: World, key: str) -> OpStatus | None:
    """Return what is recorded of an operation, if anything is."""
    record = world.history().records.get(key)
    return record.status if record else None


def recorded(world: World) -> bool:
    """Say whether anything is recorded of the run."""
    return bool(world.store.run_ids) and bool(world.history().records)


ONCE_EACH: Final = {"add#1": 1, "add#2": 1, "add#3": 1}


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


def test_an_old_message_redriven_from_the_dead_letters_in_mid_run_is_dropped() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#3")
        old = world.queue.sent[0]
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


# --- Code that is missing, broken or deadly


def test_a_missing_version_stalls_the_run_and_says_so_until_it_is_deployed_and_resumed() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#2")
        world.deploy([])
        world.run()
        stall = world.history().head.stall
        assert stall is not None
        assert stall.reason.type == "WorkflowMissingError"

        world.deploy(MIXED)
        world.resume(world.store.run_ids[0])
        assert end(world).status is RunStatus.COMPLETED
    assert effects(world) == ONCE_EACH


@workflow(name="three_steps")
async def deadly(_ctx: Context, _number: int) -> int:
    """Kill the process whenever it is replayed."""
    raise Killed


def test_a_message_that_kills_the_process_becomes_a_dead_letter_and_stalls_its_run() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        poison = world.next_message("add#2")
        world.deploy([deadly])
        world.run()

        stall = world.history().head.stall
        assert stall is not None
        assert stall.reason.type == "DeadLetter"
        assert stall.message == poison.body
        assert poison.receives == world.settings.receives
        assert not world.dead.letters

        world.deploy(MIXED)
        world.resume(world.store.run_ids[0])
        assert end(world).status is RunStatus.COMPLETED
    assert effects(world) == ONCE_EACH


def test_a_step_that_kills_the_process_every_time_stalls_its_run() -> None:
    with World(MIXED, faults=Once("effect", FaultKind.CRASH_AFTER)) as world:
        lethal = Always(frozenset({"effect"}), FaultKind.CRASH_AFTER)
        world.faults = lethal
        world.trigger("three_steps", 1, "key")
        assert end(world).status is RunStatus.STALLED
        assert effects(world)["add#1"] >= world.settings.receives

        lethal.on = False
        world.resume(world.store.run_ids[0])
        assert end(world).status is RunStatus.COMPLETED


def test_a_first_step_that_never_ends_is_not_multiplied_by_the_sweeper() -> None:
    with World(MIXED, faults=Always(frozenset({"effect"}), FaultKind.CRASH_AFTER)) as world:
        world.trigger("three_steps", 1, "key")
        assert end(world).status is RunStatus.STALLED
    assert effects(world)["add#1"] <= 2 * world.settings.receives


def test_a_dead_letter_whose_work_was_done_by_another_stalls_nothing() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#3")
        world.dead.take_in(world.queue.sent[0].body)
        assert end(world).status is RunStatus.COMPLETED


@pytest.mark.parametrize("body", ["not JSON", '{"run":"run-0-00000099","kind":"start","tok":"t"}'])
def test_a_message_of_no_run_is_kept_and_stops_nothing(body: str) -> None:
    with World(MIXED) as world:
        world.queue.take_in(body)
        world.dead.take_in(body)
        world.trigger("three_steps", 1, "key")
        assert end(world).status is RunStatus.COMPLETED
    assert [letter.body for letter in world.store.dead_letters] == [body, body]


# --- Throttling, delays and clocks


@pytest.mark.parametrize("names", [{"runs.put"}, {"queue.send"}, {"runs.load"}, {"ack"}])
def test_throttling_delays_a_run_and_changes_nothing_else(names: set[str]) -> None:
    with World(MIXED) as world:
        throttled = Always(frozenset(names), FaultKind.UNAVAILABLE)
        world.trigger("three_steps", 1, "key")
        letter = world.next_message("add#2")
        world.faults = throttled
        for _ in range(world.settings.receives - 1):
            world.finish(world.execute(letter))
            world.hold_up(world.settings.visibility)
        throttled.on = False
        assert end(world).status is RunStatus.COMPLETED
        assert not world.dead.sent
    assert effects(world)["add#3"] == 1


def test_throttling_without_end_stalls_the_run_instead_of_losing_it() -> None:
    with World(MIXED) as world:
        throttled = Always(frozenset({"runs.put"}), FaultKind.UNAVAILABLE)
        world.faults = throttled
        world.trigger("three_steps", 1, "key")
        assert end(world).status is RunStatus.STALLED
        assert effects(world)["add#1"] >= world.settings.receives

        throttled.on = False
        world.resume(world.store.run_ids[0])
        assert end(world).status is RunStatus.COMPLETED


@pytest.mark.parametrize("name", ["short_sleep", "long_sleep", "retries", "long_retry"])
def test_a_delayed_message_that_comes_early_does_not_end_the_wait_early(name: str) -> None:
    expected = play(name).time
    with World(MIXED) as world:
        world.trigger(name, 1, "key")
        world.happen_until(lambda: bool(hidden(world)))
        early = hidden(world)[0]
        world.queue.show(early)
        world.finish(world.execute(early))
        assert end(world).status is RunStatus.COMPLETED
    assert world.time >= expected
    assert world.time < expected + 2 * MINUTE


@pytest.mark.parametrize("name", ["short_sleep", "long_sleep", "retries", "long_retry"])
def test_a_delayed_message_that_comes_late_ends_the_wait_late_and_nothing_else(name: str) -> None:
    with World(MIXED) as world:
        world.trigger(name, 1, "key")
        world.happen_until(lambda: recorded(world))
        world.hold_up(100 * 3600 * SECOND)
        assert end(world).status is RunStatus.COMPLETED
    assert all(count == 1 for count in world.facts.effects.values())


@pytest.mark.parametrize("skew", [-30 * SECOND, 30 * SECOND])
@pytest.mark.parametrize("name", ["short_sleep", "long_sleep", "retries", "long_retry"])
def test_a_clock_that_is_wrong_moves_a_wait_by_its_error_and_breaks_nothing(
    name: str, skew: int
) -> None:
    expected = play(name).time
    with World(MIXED, settings=Settings(skew=2 * abs(skew))) as world:
        world.skews = cycle((skew, 0, -skew))
        world.trigger(name, 1, "key")
        assert end(world).status is RunStatus.COMPLETED
    assert abs(world.time - expected) <= 2 * abs(skew) + 2 * MINUTE


@pytest.mark.xfail(reason="a message that is sent again gets another token", strict=True)
def test_a_message_put_off_by_a_slow_clock_still_owes_what_its_duplicate_committed() -> None:
    with World(MIXED, settings=Settings(executors=2, skew=MINUTE)) as world:
        world.trigger("short_sleep", 1, "key")
        timer = world.next_message("sleep#1")
        world.pass_time(timer.visible_at - world.time)
        world.skews = chain((0, -30 * SECOND), repeat(0))
        right, slow = world.execute(timer), world.execute(timer)
        world.facts.disturbances += 1
        world.go_on_until(slow, "queue.send")
        world.faults = Once("queue.send", FaultKind.CRASH_BEFORE)
        world.finish(right)
        world.finish(slow)

        assert end(world).status is RunStatus.COMPLETED
    assert world.facts.recovered == 0


# --- Results that cannot be recorded


@step
def unrecordable(number: int) -> Any:  # noqa: ANN401
    carried_out()
    return object() if number else "x" * 2000


@workflow
async def impossible(ctx: Context, number: int) -> int:
    await ctx.step(unrecordable, number)
    return await ctx.step(add, number, 1)


@workflow
async def too_much(ctx: Context, number: int) -> str:
    return "x" * await ctx.step(add, number, 2000)


@pytest.mark.parametrize(
    ("which", "number", "error"),
    [
        (impossible, 1, "SerializationError"),
        (impossible, 0, "PayloadTooLargeError"),
        (too_much, 0, "PayloadTooLargeError"),
    ],
)
def test_a_result_that_cannot_be_recorded_fails_the_run_before_anything_is_written(
    which: Workflow[Any, Any], number: int, error: str
) -> None:
    with World([which], settings=Settings(limits=Limits(inline=100, payload=1000))) as world:
        world.trigger(which.name, number, "key")
        head = end(world)
    assert head.status is RunStatus.FAILED
    assert head.error is not None
    assert head.error.type == error or f": {error}: " in head.error.message
    assert sum(world.facts.effects.values()) == 1
    assert world.counts["blobs.put"] == 0


# --- The sweeper


def test_a_sweep_with_a_stale_entry_of_the_index_changes_nothing() -> None:
    with World(MIXED, settings=Settings(executors=2)) as world:
        world.trigger("long_sleep", 1, "key")
        world.happen_until(lambda: recorded(world) and "sleep#1" in world.history().records)
        world.hold_up(3 * 24 * 3600 * SECOND - 10 * MINUTE)
        slow = world.sweep()
        world.go_on_until(slow, "queue.send")
        world.finish(world.sweep())
        world.happen_until(lambda: world.history().head.status is RunStatus.COMPLETED)
        ended = world.history()

        world.finish(slow)
        end(world)
        assert world.history() == ended
    assert all(count == 1 for count in world.facts.effects.values())


@pytest.mark.parametrize("name", ["long_sleep", "long_retry"])
@pytest.mark.parametrize("kind", list(FaultKind)[:4])
@pytest.mark.parametrize("call", ["queue.send", "runs.move"])
def test_a_sweeper_that_fails_at_a_timer_comes_again(name: str, kind: FaultKind, call: str) -> None:
    calls = play(name).calls
    wakes = next(each for each in calls if each.name == call and each.task == "sweeper")
    before = sum(each.name == call and each.number <= wakes.number for each in calls)
    world = play(name, Once(call, kind, nth=before))

    assert world.history().head.status is RunStatus.COMPLETED
    assert world.facts.recovered == 0


@pytest.mark.parametrize("name", ["three_steps", "fails"])
def test_a_run_that_has_ended_cannot_be_resumed(name: str) -> None:
    with World(MIXED) as world:
        world.trigger(name, 1, "key")
        before = end(world)
        world.resume(before.run_id)
        assert end(world) == before


@pytest.mark.parametrize("name", ["three_steps", "retries", "short_sleep", "long_sleep"])
def test_a_purge_of_the_queue_at_any_point_is_noticed_by_the_watchdog(name: str) -> None:
    usual = play(name)
    for call in usual.calls:
        with World(MIXED) as world:
            world.faults = Meanwhile(call.number, world.lose_messages)
            world.trigger(name, 1, "key")
            assert end(world).status is RunStatus.COMPLETED, call
        assert world.time <= usual.time + WATCHDOG + 2 * GRACE, call
        assert all(count == 1 for count in world.facts.effects.values()), call


def test_a_purge_between_a_resumption_and_its_message_is_noticed_after_the_grace() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#2")
        world.deploy([])
        world.run()
        world.deploy(MIXED)
        stalled_at = world.time
        world.finish(world.resume(world.store.run_ids[0]))
        world.lose_messages()
        assert end(world).status is RunStatus.COMPLETED
    assert world.time <= stalled_at + GRACE + MINUTE


# --- Standing still


def test_messages_of_a_run_that_stands_still_do_nothing_and_are_not_missed_later() -> None:
    with World(MIXED) as world:
        world.trigger("short_sleep", 1, "key")
        timer = world.next_message("sleep#1")
        world.deploy([])
        world.finish(world.execute(world.duplicate(world.queue.sent[0])))
        world.deploy(MIXED)
        before = world.history()
        assert before.head.status is RunStatus.STALLED
        world.hold_up(90 * SECOND)
        world.finish(world.execute(timer))
        assert world.history() == before

        world.resume(before.head.run_id)
        assert end(world).status is RunStatus.COMPLETED
    assert effects(world) == {"add#1": 1, "add#2": 1}


def test_resuming_twice_is_resuming_once() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#2")
        world.deploy([])
        world.run()
        world.deploy(MIXED)
        run_id = world.store.run_ids[0]
        world.finish(world.resume(run_id))
        world.finish(world.resume(run_id))
        recoveries = [each for each in world.queue.sent if each.message.op == HEAD][1:]
        assert len(recoveries) == 1
        assert messages.decode(recoveries[0].body).take
        assert end(world).status is RunStatus.COMPLETED
        assert world.history().head.generation == 1
    assert effects(world) == ONCE_EACH


def test_a_resumption_that_dies_before_it_sends_is_made_up_for_by_the_sweeper() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#2")
        world.deploy([])
        world.run()
        world.deploy(MIXED)
        world.faults = Once("queue.send", FaultKind.CRASH_BEFORE)
        world.resume(world.store.run_ids[0])
        assert end(world).status is RunStatus.COMPLETED
    assert effects(world) == ONCE_EACH
