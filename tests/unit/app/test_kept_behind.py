"""What others have done since a pass was kept: it catches up, or the run is replayed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep.app.outcomes import Done
from everstep.core.errors import UnavailableError
from everstep.core.model import MessageKind, OpKind, OpStatus, RunStatus
from tests.unit.app.keeping import (
    COUNTED,
    Keeping,
    chain,
    many,
    mistaken,
    naps,
    replaced,
    various,
)
from tests.unit.app.world import MINUTE, NOW, SECOND, message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from everstep import Workflow
    from everstep.core.model import Message, OpRecord


@pytest.fixture(autouse=True)
def by_itself() -> Iterator[None]:
    """Leave nothing behind that is let go, and counted, in another test."""
    yield
    Keeping.end_all()


def at_rest(world: Keeping, run_id: str) -> RunStatus:
    """Process everything, and return how the run stands."""
    world.run()
    return world.status(run_id)


# --- It catches up


def test_results_that_another_process_has_recorded_are_caught_up_with() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(1)
    other = world.elsewhere()
    for _ in range(2):
        other.advance(world.take())
    assert world.reads
    assert world.advance(world.take()) is Done.ADVANCED
    # In a loop it is known how far the others have come: one read is enough.
    assert world.reads == {"peek": 1}
    assert COUNTED["chain"] == 2
    assert world.attempts == [("double#1", 1), ("double#4", 1)]
    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_repeat_of_what_another_process_has_done_finds_what_it_owes() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(1)
    step = world.take()
    world.elsewhere().advance(step)
    # The other process has died before it sent anything.
    world.lose()
    assert world.advance(step) is Done.REPEATED
    assert COUNTED["chain"] == 2
    assert world.take().op == "double#3"
    assert world.attempts == [("double#1", 1)]
    assert world.status(run_id) is RunStatus.RUNNING


def test_a_failed_attempt_of_another_process_is_caught_up_with() -> None:
    world = Keeping(naps)
    first = about_to_be_flaky(world)
    run_id = first.run_id
    world.elsewhere().advance(first)
    assert world.records(run_id)["flaky#1"].status is OpStatus.RETRY
    begun = COUNTED["naps"]
    world.clock.set(world.clock.now() + 121 * MINUTE)
    world.sweep()
    assert world.advance(world.take()) is Done.ADVANCED
    assert world.records(run_id)["flaky#1"].attempt == 2
    assert COUNTED["naps"] == begun
    assert at_rest(world, run_id) is RunStatus.COMPLETED


def test_an_attempt_that_follows_one_made_elsewhere_is_read_first_also_within_the_second() -> None:
    world = Keeping(naps, fresh=SECOND)
    first = about_to_be_flaky(world)
    world.elsewhere().advance(first)
    assert world.reads
    # The sweeper sends for it in time: its next attempt stands in the due index.
    second = message(first.run_id, MessageKind.STEP, "flaky#1", attempt=2)
    assert world.advance(second) is Done.SUPERSEDED
    assert world.reads == {"peek": 1}


def about_to_be_flaky(world: Keeping) -> Message:
    """Begin a run and process its messages up to that of the flaky step; return that one."""
    world.advance_to(1)
    world.clock.set(world.clock.now() + 121 * MINUTE)
    world.sweep()
    world.advance(world.take())
    nap = world.take()
    world.clock.set(nap.due)
    world.advance(nap)
    return world.take()


def test_an_attempt_that_another_process_has_begun_is_seen() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(1)
    step = world.take()
    begun = replace(
        world.records(run_id)["double#1"],
        key="double#2",
        status=OpStatus.STARTED,
        by="stranger",
        input_hash=hash_of_the_second(),
        wake_at=NOW + SECOND,
        ended_at=None,
        result=None,
    )
    world.write(run_id, begun)
    COUNTED.clear()
    assert world.advance(step) is Done.SUPERSEDED
    assert world.attempts == [("double#1", 1)]
    assert COUNTED["chain"] == 0
    assert world.keeps(run_id)


def hash_of_the_second() -> str:
    """Return the hash of the second step's input."""
    world = Keeping(chain)
    return world.records(world.advance_to(2))["double#2"].input_hash


# --- The run is replayed


@pytest.mark.parametrize(
    ("flow", "others", "reads"),
    [
        (many, 30, {"peek": 1}),
        (many, 31, {"load": 1}),
        (various, 15, {"peek": 16}),
        (various, 16, {"peek": 16, "load": 1}),
    ],
    ids=["near in a loop", "far in a loop", "near elsewhere", "far elsewhere"],
)
def test_a_pass_that_is_far_behind_is_made_again(
    flow: Workflow[int, int], others: int, reads: dict[str, int]
) -> None:
    world = Keeping(flow)
    run_id = world.advance_to(1)
    other = world.elsewhere()
    for _ in range(others):
        other.advance(world.take())
    assert world.reads
    world.advance(world.take())
    assert world.reads == reads
    assert sum(COUNTED.values()) == 2 + reads.get("load", 0)
    assert world.keeps(run_id)


@pytest.mark.parametrize(("from_records", "looks"), [(8, 1), (4, 2), (2, 4)])
def test_whoever_is_behind_in_a_short_history_soon_reads_it_whole(
    from_records: int, looks: int
) -> None:
    world = Keeping(various, from_records=from_records)
    world.advance_to(8)
    other = world.elsewhere()
    for _ in range(10):
        other.advance(world.take())
    assert world.reads
    world.advance(world.take())
    assert world.reads == {"peek": looks, "load": 1}


def test_a_pass_whose_code_another_process_has_brought_to_its_end_is_let_go() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(3)
    step = world.take()
    world.elsewhere().advance(step)
    assert world.status(run_id) is RunStatus.COMPLETED
    world.reopen(run_id)
    assert world.advance(step) is Done.REPEATED
    assert world.status(run_id) is RunStatus.COMPLETED
    assert not world.keeps(run_id)


@pytest.mark.parametrize(
    ("kind", "take"),
    [
        (MessageKind.RECOVER, True),
        (MessageKind.STEP, True),
        (MessageKind.START, False),
        (MessageKind.CHECK, False),
        (MessageKind.EVENT, False),
        (MessageKind.CHILD, False),
    ],
)
def test_who_takes_over_or_looks_around_reads_everything(kind: MessageKind, take: bool) -> None:  # noqa: FBT001 - of the table
    world = Keeping(chain)
    run_id = world.advance_to(2)
    op = "double#3" if kind is MessageKind.STEP else ""
    assert world.reads
    world.advance(message(run_id, kind, op, attempt=1, take=take))
    assert world.reads == {"load": 1}
    assert COUNTED["chain"] == 2 + (world.status(run_id) is not RunStatus.RUNNING)


def test_new_code_makes_a_pass_of_its_own() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(1)
    world.deploy(chain)
    world.advance(world.take())
    assert COUNTED["chain"] == 1

    world.deploy(replaced)
    assert at_rest(world, run_id) is RunStatus.COMPLETED
    assert COUNTED["replaced"] == 1


def test_a_run_whose_version_is_gone_stalls() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(2)
    world.deploy()
    assert world.advance(world.take()) is Done.STALLED
    assert not world.keeps(run_id)


def test_a_run_that_is_gone_is_unknown() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(2)
    world.forget(run_id)
    assert world.advance(world.take()) is Done.UNKNOWN_RUN
    assert not world.keeps(run_id)


def test_a_failed_attempt_that_a_restored_table_does_not_know_is_forgotten() -> None:
    world = Keeping(naps)
    first = about_to_be_flaky(world)
    run_id = first.run_id
    world.advance(first)
    assert world.records(run_id)["flaky#1"].attempt == 1
    world.clock.set(world.clock.now() + 121 * MINUTE)
    world.sweep()
    second = world.take()
    del world.store._records[run_id]["flaky#1"]
    begun = COUNTED["naps"]
    world.advance(second)
    assert COUNTED["naps"] == begun + 1
    assert world.records(run_id)["flaky#1"].attempt == 1


def of_another_input(record: OpRecord) -> OpRecord:
    return replace(record, input_hash="of something else")


def of_another_kind(record: OpRecord) -> OpRecord:
    return replace(record, kind=OpKind.SLEEP)


@pytest.mark.parametrize("change", [of_another_input, of_another_kind])
def test_what_other_code_has_recorded_answers_nothing_and_stalls_the_run(
    change: Callable[[OpRecord], OpRecord],
) -> None:
    world = Keeping(chain)
    run_id = world.advance_to(1)
    step = world.take()
    foreign = replace(world.records(run_id)["double#1"], key="double#2", by="stranger")
    world.write(run_id, change(replace(foreign, input_hash=hash_of_the_second())))
    assert world.advance(step) is Done.STALLED
    reason = world.head(run_id).stall
    assert reason is not None
    assert reason.reason.type == "NonDeterminismError"


def test_a_message_for_what_the_code_never_asked_for_is_judged_by_the_whole_history() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(1)
    world.lose()
    # Other code of the same version is at work elsewhere, and has gone another way.
    foreign = replace(world.records(run_id)["double#1"], key="large#1", by="stranger")
    world.write(run_id, foreign)
    assert world.advance(message(run_id, MessageKind.STEP, "large#2", attempt=1)) is Done.STALLED
    assert not world.outbox.sent


def test_code_that_makes_a_mistake_while_it_catches_up_stalls_the_run() -> None:
    world = Keeping(mistaken)
    run_id = world.advance_to(1)
    world.elsewhere().advance(world.take())
    COUNTED["mistakes"] += 1
    assert world.advance(world.take()) is Done.STALLED
    assert COUNTED["mistaken"] == 3
    assert not world.keeps(run_id)


# --- Services that do not answer


def test_nothing_is_kept_of_a_run_that_could_not_be_read() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(2)
    step = world.take()
    world.counting.down = True
    with pytest.raises(UnavailableError):
        world.advance(step)
    assert not world.keeps(run_id)
    assert COUNTED["let go"] == 1
    world.counting.down = False
    world.advance(step)
    assert at_rest(world, run_id) is RunStatus.COMPLETED


def test_nothing_is_kept_of_a_message_that_was_not_processed_to_its_end() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(2)
    step = world.take()
    world.outbox.down = True
    with pytest.raises(UnavailableError):
        world.advance(step)
    assert not world.keeps(run_id)
    assert COUNTED["let go"] == 1
    world.outbox.down = False
    assert world.advance(step) is Done.REPEATED
    assert at_rest(world, run_id) is RunStatus.COMPLETED
    assert [key for key, _ in world.attempts] == [f"double#{n}" for n in range(1, 5)]


def test_a_write_that_another_process_was_faster_with_is_followed_by_a_replay() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(1)
    step = world.take()
    other = world.elsewhere()

    def be_faster(_: OpRecord) -> None:
        other.advance(step)

    world.store.before_put.append(be_faster)
    assert world.advance(step) is Done.REPEATED
    assert world.attempts == [("double#1", 1), ("double#2", 1)]
    assert world.keeps(run_id)
    assert COUNTED["let go"] == 1
