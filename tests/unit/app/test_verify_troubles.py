"""Damage, lagging indexes, failing services and odd code stop no check, and are told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep import Context, workflow
from everstep.adapters.errors import AdapterError, MissingBlobError
from everstep.app.verify import verify, verify_run
from everstep.core.errors import UnavailableError
from everstep.core.model import HEAD, Payload, RunStatus
from everstep.core.unreadable import Unreadable, UnreadableError
from everstep.testing.simulation.world import World
from tests.unit.app.tours import run_id, set_head, set_record, tour, until_recorded, violated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from everstep.core.listing import Listed
    from everstep.core.model import DueEntry, History


@pytest.fixture
def world() -> Iterator[World]:
    with World([tour]) as made:
        made.trigger("tour", 1, "key")
        yield made


# --- What cannot be read


LOST: Final = Unreadable(run_id="lost", key="pay#1", reason="attempt is missing")


def told(world: World, **options: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401 - any option
    return [
        (each.run_id, each.invariant, each.detail)
        for report in verify(world.inside, **options)
        for each in report.violations
    ]


def refusing(error: Exception) -> Callable[..., Any]:
    def refuse(*_: object) -> Any:  # noqa: ANN401 - never returns
        raise error

    return refuse


def test_a_run_that_cannot_be_read_is_named_and_the_next_one_is_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.trigger("tour", 2, "other key")
    world.run()
    broken, sound = sorted(world.store.run_ids)
    load = world.store.load
    item = Unreadable(run_id=broken, key=HEAD, reason="gen is missing")

    def picky(run_id: str) -> History | None:
        if run_id == broken:
            raise UnreadableError([item])
        return load(run_id)

    monkeypatch.setattr(world.store, "load", picky)
    first, second = verify(world.inside)
    assert (first.run_id, first.violations) == (sound, ())
    assert (second.run_id, second.status) == (broken, RunStatus.COMPLETED)
    assert told(world) == [(broken, "records_are_readable", "the run itself: gen is missing")]
    assert "1 items cannot be read, the first: the head of run" in str(UnreadableError([item]))


def test_what_indexes_cannot_read_is_told_of_the_run_that_its_key_names(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_recorded(world, "sleep#1")
    due, every = world.store.due, world.store.every

    def picky_due(shard: int, until: int, limit: int) -> Sequence[DueEntry]:
        raise UnreadableError([LOST], due(shard, until, limit))

    def picky_every() -> Iterator[Listed]:
        yield from every()
        raise UnreadableError([LOST])

    monkeypatch.setattr(world.store, "due", picky_due)
    monkeypatch.setattr(world.store, "every", picky_every)
    expected = [("lost", "records_are_readable", "pay#1: attempt is missing")]
    assert told(world) == expected
    assert told(world, among=lambda _run: False) == expected


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MissingBlobError("ref"), "cannot be fetched from the bucket: MissingBlob"),
        (AdapterError("get", "AccessDenied", "secret"), "cannot be fetched from the bucket"),
        (AdapterError("get", "KMS.DisabledException", "secret"), "KMS.DisabledException"),
        (UnicodeDecodeError("utf-8", b"s", 0, 1, "secret"), "is not JSON"),
    ],
)
def test_a_payload_that_cannot_be_fetched_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    world.run()
    set_record(world, "shaky#1", result=Payload(ref="ref", size=9))
    monkeypatch.setattr(world.inside.blobs, "get", refusing(error))
    (report,) = verify(world.inside)
    (violation,) = report.violations
    assert violation.invariant == "records_are_readable"
    assert violation.detail.startswith("shaky#1: result ")
    assert reason in violation.detail
    assert "secret" not in violation.detail
    assert {each.invariant for each in report.skipped} == {
        "history_replays",
        "history_replays_to_its_outcome",
        "attempts_within_policy",
    }


def test_a_payload_that_is_no_json_is_named_without_what_it_says(world: World) -> None:
    world.run()
    set_head(world, result=Payload(text="{{secret"), trail=None, generation=0)
    (violation,) = told(world)
    assert violation[1:] == ("records_are_readable", "the run itself: result is not JSON")


def test_where_a_service_fails_what_was_seen_comes_first_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run()
    set_head(world, ended_at=None, trail=None, generation=0)
    reports = verify(world.inside, pause=refusing(UnavailableError("throttled")))
    (violation,) = next(reports).violations
    assert violation.detail.endswith("; seen once only, as the check broke off")
    with pytest.raises(UnavailableError):
        next(reports)
    set_record(world, "shaky#1", result=Payload(ref="ref", size=9))
    monkeypatch.setattr(
        world.inside.blobs, "get", refusing(AdapterError("get", "ExpiredToken", ""))
    )
    with pytest.raises(AdapterError):
        list(verify(world.inside))


# --- Second looks


def test_runs_with_violations_are_looked_at_again_together_after_one_pause(world: World) -> None:
    world.trigger("tour", 2, "other key")
    world.trigger("tour", 3, "third key")
    world.run()
    first, second, third = sorted(world.store.run_ids)
    for broken in (first, second):
        head = replace(world.store._heads[broken], trail=None, generation=0)
        world.store._heads[broken] = replace(head, ended_at=None)
    pauses: list[float] = []

    def mend(seconds: float) -> None:
        pauses.append(seconds)
        world.store._heads[second] = replace(world.store._heads[second], ended_at=1)

    calls = len(world.calls)
    reports = list(verify(world.engine, pause=mend))
    assert [each.run_id for each in reports] == [third, first, second]
    assert [bool(each.violations) for each in reports] == [False, True, False]
    assert len(pauses) == 1
    reads = [call.name for call in world.calls[calls:]].count("timers.due")
    assert reads == 2 * world.store.shards


def test_a_pause_can_be_set_for_whoever_verifies(world: World) -> None:
    world.run()
    set_head(world, ended_at=None)
    pauses: list[float] = []
    assert verify_run(world.inside, run_id(world), pause=pauses.append).violations
    assert len(pauses) == 1
    assert violated(world)
    assert len(pauses) == 1


def test_a_run_with_violations_that_goes_away_is_left_out(world: World) -> None:
    world.run()
    set_head(world, ended_at=None)

    def goes(_seconds: float) -> None:
        world.store._heads.clear()
        world.store._records.clear()

    assert list(verify(world.inside, pause=goes)) == []


# --- The due index and the runs


def test_an_entry_without_its_run_is_named(world: World) -> None:
    until_recorded(world, "sleep#1")
    gone = run_id(world)
    del world.store._heads[gone]
    assert told(world) == [
        (gone, "every_entry_has_its_run", "there is no such run, but it is due: sleep#1")
    ]
    assert verify_run(world.inside, gone).status is None


def test_a_run_that_is_listed_later_than_it_is_due_is_left_to_the_next_check(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_recorded(world, "sleep#1")
    monkeypatch.setattr(world.store, "every", list)
    assert list(verify(world.inside)) == []


def test_a_step_that_is_done_without_a_result_is_not_whole(world: World) -> None:
    until_recorded(world, "sleep#1")
    set_record(world, "shaky#1", result=None)
    assert "records_are_whole" in violated(world)


# --- What code may do


class Odd(BaseException):
    """No ``Exception``, and no sign of the process to end."""


@workflow(name="tour")
async def odd(_ctx: Context, _number: int) -> None:
    raise Odd("secret")


@workflow(name="tour")
async def interrupted(_ctx: Context, _number: int) -> None:
    raise KeyboardInterrupt


def test_code_that_raises_what_is_no_exception_is_named_and_ends_nothing(world: World) -> None:
    until_recorded(world, "sleep#1")
    world.deploy([odd])
    assert told(world) == [
        (run_id(world), "history_replays", "today's code cannot be replayed: it raises Odd")
    ]


def test_an_interruption_by_the_keyboard_goes_through(world: World) -> None:
    until_recorded(world, "sleep#1")
    world.deploy([interrupted])
    with pytest.raises(KeyboardInterrupt):
        list(verify(world.inside))


def test_what_other_code_may_have_brought_about_is_marked(world: World) -> None:
    world.run()
    set_record(world, "shaky#1", attempt=3)
    (report,) = verify(world.inside)
    assert [each.of_the_code for each in report.violations] == [True]
    set_head(world, ended_at=None, trail=None, generation=0)
    (report,) = verify(world.inside)
    assert [each.of_the_code for each in report.violations] == [False, True]


def test_a_long_detail_is_cut_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    until_recorded(world, "sleep#1")
    item = replace(LOST, run_id=run_id(world), reason="x" * 1000)
    monkeypatch.setattr(world.store, "load", refusing(UnreadableError([item])))
    ((_, _, detail),) = told(world)
    assert (len(detail), detail[-1]) == (500, "…")
