"""What workflow code may ask of its context is the same in every pass."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from everstep import Context
from everstep.core.model import Payload, RunStatus
from tests.unit.core.builders import (
    NOW,
    SECOND,
    add,
    broken,
    decide,
    frontier,
    history_of,
    raised,
    returned,
)

if TYPE_CHECKING:
    import uuid

ACCEPTED = datetime.fromtimestamp(NOW / 1000, UTC)


async def observer(ctx: Context) -> list[object]:
    seen: list[object] = [ctx.now(), ctx.random().random(), ctx.uuid()]
    await ctx.step(add, 1)
    seen += [ctx.now(), ctx.random().randint(0, 10**9), ctx.uuid()]
    await ctx.sleep_until(ctx.now() + timedelta(minutes=1))
    return [*seen, ctx.now(), ctx.run_id, ctx.workflow, ctx.version]


HISTORY = history_of(observer, {"add#1": 1, "sleep#1": None})


def test_time_chance_and_ids_are_the_same_in_every_pass() -> None:
    assert returned(decide(observer, HISTORY)) == returned(decide(observer, HISTORY))


def test_the_workflows_time_is_the_end_of_what_it_awaited_last() -> None:
    seen: list[datetime] = []

    async def watcher(ctx: Context) -> None:
        seen.append(ctx.now())
        await ctx.step(add, 1)
        seen.append(ctx.now())
        await ctx.sleep(60)
        seen.append(ctx.now())

    decide(watcher, history_of(watcher, {"add#1": 1, "sleep#1": None}))

    assert seen[-3:] == [
        ACCEPTED,
        ACCEPTED + timedelta(seconds=1),
        ACCEPTED + timedelta(seconds=61),
    ]


def test_the_workflows_time_never_goes_back() -> None:
    history = history_of(observer, {"add#1": 1})
    skewed = replace(history.records["add#1"], ended_at=NOW - SECOND)
    seen: list[datetime] = []

    async def watcher(ctx: Context) -> None:
        await ctx.step(add, 1)
        seen.append(ctx.now())

    decide(watcher, history.with_record(skewed))

    assert seen == [ACCEPTED]


def test_uuids_are_of_version_4_and_never_the_same_twice() -> None:
    seen: list[uuid.UUID] = []

    async def maker(ctx: Context) -> None:
        seen.extend(ctx.uuid() for _ in range(100))

    decide(maker)

    assert len(set(seen)) == 100
    assert {each.version for each in seen} == {4}


def test_drawing_ids_does_not_shift_the_random_stream() -> None:
    async def plain(ctx: Context) -> float:
        return ctx.random().random()

    async def with_ids(ctx: Context) -> float:
        ctx.uuid()
        return ctx.random().random()

    assert returned(decide(plain)) == returned(decide(with_ids))


@pytest.mark.parametrize(
    ("duration", "error"),
    [
        (-1, "ValueError"),
        (float("nan"), "ValueError"),
        (float("inf"), "ValueError"),
        (True, "TypeError"),
        ("1", "TypeError"),
    ],
    ids=str,
)
def test_a_duration_that_makes_no_sense_fails_the_run_with_its_name(
    duration: float, error: str
) -> None:
    async def sleeper(ctx: Context) -> None:
        await ctx.sleep(duration)

    failed = raised(decide(sleeper))

    assert failed.type == error
    assert "ctx.sleep(duration) must be" in failed.message


def test_a_naive_time_fails_the_run_with_advice() -> None:
    async def sleeper(ctx: Context) -> None:
        await ctx.sleep_until(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point

    failed = raised(decide(sleeper))

    assert failed.type == "ValueError"
    assert "ctx.sleep_until(when) must be timezone-aware" in failed.message


def test_sleeps_are_named() -> None:
    async def sleeper(ctx: Context) -> None:
        await ctx.sleep(1, name="cool-down")
        await ctx.sleep_until(ctx.now(), name="deadline")

    assert frontier(decide(sleeper, history_of(sleeper, {"cool-down#1": None}))) == ["deadline#1"]


def test_a_sleep_with_an_impossible_name_stalls_the_run() -> None:
    async def sleeper(ctx: Context) -> None:
        await ctx.sleep(1, name="a/b")

    assert "the name of a sleep 'a/b' may not contain" in broken(decide(sleeper)).message


def test_statuses_know_whether_they_are_final() -> None:
    assert RunStatus.COMPLETED.terminal
    assert not RunStatus.STALLED.terminal


def test_a_payload_is_its_text_or_a_reference() -> None:
    inline, kept = Payload(text="1", size=1), Payload(text="1", ref="r", size=1)

    assert inline.recorded == inline
    assert kept.recorded == Payload(ref="r", size=1)
    assert kept.at_hand == "1"
    with pytest.raises(ValueError, match="the text of r was not fetched"):
        _ = kept.recorded.at_hand
