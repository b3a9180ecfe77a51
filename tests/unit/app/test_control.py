"""What people ask of a run."""

import pytest

from everstep.app.audit import audit, verify_audit
from everstep.app.control import pause, resume
from everstep.app.outcomes import Done
from everstep.core.audit import Action
from everstep.core.audit_check import Harm
from everstep.core.errors import IllegalStateError, RunNotFoundError, UnavailableError
from everstep.core.model import MessageKind, OpRecord, OpStatus, RunStatus
from tests.unit.app.definitions import hibernating, one_step, two_steps
from tests.unit.app.world import DAY, MINUTE, NOW, World


def test_a_run_that_stands_still_goes_on_where_it_stood() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.take()
    world.stall(run_id)

    assert resume(world.engine, run_id) is RunStatus.RUNNING
    head = world.head(run_id)
    assert (head.stall, head.generation) == (None, 1)
    assert (head.resumed_at, head.due_at) == (NOW, NOW + 7 * MINUTE)
    message = world.take()
    assert (message.kind, message.take, message.token) == (MessageKind.RECOVER, True, head.by)


def test_a_resumed_run_completes() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.take()
    world.stall(run_id)
    resume(world.engine, run_id)
    world.run()

    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_resumed_run_that_sleeps_goes_on_sleeping() -> None:
    world = World(hibernating)
    run_id = world.begin()
    world.stall(run_id)
    resume(world.engine, run_id)
    world.run()

    assert world.clock.now() == NOW
    assert world.records(run_id)["sleep#1"].due_at == NOW + DAY


def test_resuming_a_running_run_changes_nothing() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.take()
    before = world.head(run_id)

    assert resume(world.engine, run_id) is RunStatus.RUNNING
    assert world.head(run_id) == before
    assert world.outbox.sent == []


def test_a_run_that_has_ended_cannot_be_resumed() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.end(run_id)

    with pytest.raises(IllegalStateError, match="is COMPLETED; only a PAUSED or STALLED run"):
        resume(world.engine, run_id)


def test_a_run_that_does_not_exist_cannot_be_resumed() -> None:
    with pytest.raises(RunNotFoundError, match="there is no run nobody"):
        resume(World(one_step).engine, "nobody")


def test_a_resumption_whose_message_cannot_be_sent_is_made_up_for_by_the_sweeper() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.take()
    world.stall(run_id)
    world.outbox.down = True

    assert resume(world.engine, run_id) is RunStatus.RUNNING
    world.outbox.down = False
    world.clock.set(NOW + 7 * MINUTE)
    assert world.sweep().recovered == 1
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED


# --- Pause


def test_a_paused_run_leaves_the_due_index_and_sends_nothing() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.take()

    assert pause(world.engine, run_id) is RunStatus.PAUSED
    assert (world.status(run_id), world.head(run_id).due_at) == (RunStatus.PAUSED, None)
    assert world.outbox.sent == []
    world.clock.set(NOW + DAY)
    assert world.sweep().entries == 0


def test_a_step_that_is_in_flight_is_recorded_and_what_follows_waits_for_the_resumption() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    message = world.take()

    def interrupt(_record: OpRecord) -> None:
        pause(world.engine, run_id)

    world.store.before_put.append(interrupt)
    world.advance(message)
    assert world.records(run_id)["double#1"].status is OpStatus.DONE
    assert world.advance(world.take()) is Done.STANDS_STILL

    resume(world.engine, run_id)
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED
    assert world.attempts == [("double#1", 1), ("double#2", 1)]


def test_a_run_whose_last_step_ends_while_it_is_paused_ends_when_it_is_resumed() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    message = world.take()

    def interrupt(_record: OpRecord) -> None:
        pause(world.engine, run_id)

    world.store.before_put.append(interrupt)
    world.advance(message)
    assert world.status(run_id) is RunStatus.PAUSED

    resume(world.engine, run_id)
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED


def test_pausing_a_paused_run_changes_nothing() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    pause(world.engine, run_id)
    before = world.head(run_id)

    assert pause(world.engine, run_id) is RunStatus.PAUSED
    assert world.head(run_id) == before


def test_a_stalled_run_is_not_paused() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.stall(run_id)
    with pytest.raises(IllegalStateError, match="is STALLED: it goes no further until its cause"):
        pause(world.engine, run_id)
    assert world.status(run_id) is RunStatus.STALLED


def test_a_run_that_has_ended_or_does_not_exist_is_not_paused() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.end(run_id)
    with pytest.raises(IllegalStateError, match="is COMPLETED; only a run in progress pauses"):
        pause(world.engine, run_id)
    with pytest.raises(RunNotFoundError):
        pause(world.engine, "nobody")


# --- Audit


def test_what_is_asked_is_recorded_with_who_and_why() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.clock.set(NOW + MINUTE)
    pause(world.engine, run_id, who="ann", why="lunch")
    resume(world.engine, run_id, who="bob")

    created, paused, resumed = audit(world.engine, run_id)
    assert (created.number, created.at, created.action) == (0, NOW, Action.CREATED)
    assert (paused.at, paused.action, paused.who, paused.why) == (
        NOW + MINUTE,
        Action.PAUSED,
        "ann",
        "lunch",
    )
    assert (resumed.number, resumed.action, resumed.who) == (2, Action.RESUMED, "bob")
    assert verify_audit(world.engine, run_id).whole


def test_what_changes_nothing_is_not_recorded() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    resume(world.engine, run_id)
    pause(world.engine, run_id)
    pause(world.engine, run_id)
    assert [each.action for each in audit(world.engine, run_id)] == [Action.CREATED, Action.PAUSED]


def test_a_run_that_does_not_exist_has_no_audit() -> None:
    with pytest.raises(RunNotFoundError):
        audit(World(one_step).engine, "nobody")


def test_two_who_ask_at_the_same_time_are_recorded_one_after_the_other() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)

    def meanwhile() -> None:
        pause(world.engine, run_id, who="bob")
        resume(world.engine, run_id, who="bob")

    world.store.before_change.append(meanwhile)
    pause(world.engine, run_id, who="ann")
    entries = audit(world.engine, run_id)[1:]
    assert [each.who for each in entries] == ["bob", "bob", "ann"]
    assert verify_audit(world.engine, run_id).whole


def test_who_never_finds_room_between_others_may_call_again() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)

    def meanwhile() -> None:
        world.store.before_change.clear()
        pause(world.engine, run_id)
        resume(world.engine, run_id)
        world.store.before_change.append(meanwhile)

    world.store.before_change.append(meanwhile)
    with pytest.raises(UnavailableError, match="by many at the same time"):
        pause(world.engine, run_id)


def test_a_change_whose_answer_was_lost_is_recognised() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.take()
    world.stall(run_id)
    world.store.lost_answers = 1

    assert resume(world.engine, run_id) is RunStatus.RUNNING
    assert world.take().kind is MessageKind.RECOVER
    assert [each.action for each in audit(world.engine, run_id)][1:] == [Action.RESUMED]


def test_an_entry_that_is_gone_keeps_nobody_from_acting_and_shows() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    pause(world.engine, run_id)
    world.store._audit.clear()

    resume(world.engine, run_id)
    entries = audit(world.engine, run_id)[1:]
    assert [each.number for each in entries] == [2]
    (gone,) = verify_audit(world.engine, run_id).breaks
    assert (gone.entry, gone.harm) == (1, Harm.REMOVED)
