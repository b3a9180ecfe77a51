"""The due index holds exactly what is armed, where it was put last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep.core.changes import RunWatched
from everstep.core.model import HEAD, DueEntry, OpStatus
from tests.contract.builders import (
    ALWAYS,
    ALWAYS_HEAD,
    CHANGES,
    NOW,
    make_claim,
    make_head,
    make_record,
    make_timer,
)

if TYPE_CHECKING:
    from tests.contract.backends import Backend


def test_a_new_run_is_watched_from_the_start(backend: Backend, run_id: str) -> None:
    backend.runs.create(make_head(run_id), None)
    assert backend.due_of(run_id) == [DueEntry(run_id=run_id, key=HEAD, due_at=NOW + 60_000)]


def test_a_claimed_run_is_watched_as_well(backend: Backend, run_id: str) -> None:
    head = make_head(run_id)
    backend.runs.create(head, make_claim(head, run_id))
    assert [each.key for each in backend.due_of(run_id)] == [HEAD]


def test_an_entry_says_what_the_sweeper_needs(backend: Backend, run_id: str) -> None:
    retry = replace(
        make_record("a#1", OpStatus.RETRY), attempt=4, wake_at=NOW + 10, due_at=NOW + 20
    )
    backend.runs.put(run_id, retry, ALWAYS)
    assert backend.due_of(run_id) == [
        DueEntry(
            run_id=run_id,
            key="a#1",
            due_at=NOW + 20,
            wake_at=NOW + 10,
            attempt=4,
            status=OpStatus.RETRY,
        )
    ]


def test_a_record_without_a_timer_has_no_entry(backend: Backend, run_id: str) -> None:
    backend.runs.put(run_id, make_record(), ALWAYS)
    assert backend.due_of(run_id) == []


def test_a_moved_timer_stands_at_its_new_place_only(backend: Backend, run_id: str) -> None:
    backend.runs.put(run_id, make_timer("nap#1", NOW), ALWAYS)
    assert backend.runs.move(run_id, "nap#1", NOW + 5, ALWAYS)
    (entry,) = backend.due_of(run_id)
    assert (entry.due_at, entry.wake_at) == (NOW + 5, NOW)


def test_a_timer_that_is_moved_out_is_gone_and_can_come_back(backend: Backend, run_id: str) -> None:
    backend.runs.put(run_id, make_timer("nap#1", NOW), ALWAYS)
    assert backend.runs.move(run_id, "nap#1", None, ALWAYS)
    assert backend.due_of(run_id) == []
    assert backend.runs.move(run_id, "nap#1", NOW + 9, ALWAYS)
    assert [each.due_at for each in backend.due_of(run_id)] == [NOW + 9]


def test_a_timer_that_ended_is_gone(backend: Backend, run_id: str) -> None:
    backend.runs.put(run_id, make_timer("nap#1", NOW), ALWAYS)
    backend.runs.put(run_id, replace(make_timer("nap#1", None), status=OpStatus.DONE), ALWAYS)
    assert backend.due_of(run_id) == []


@pytest.mark.parametrize("name", ["completed", "failed", "stalled"])
def test_a_run_that_ended_or_stands_still_is_not_watched(
    backend: Backend, run_id: str, name: str
) -> None:
    backend.runs.create(make_head(run_id), None)
    backend.runs.change(run_id, CHANGES[name], ALWAYS_HEAD)
    assert backend.due_of(run_id) == []


def test_a_resumed_run_is_watched_again(backend: Backend, run_id: str) -> None:
    backend.runs.create(make_head(run_id), None)
    backend.runs.change(run_id, CHANGES["stalled"], ALWAYS_HEAD)
    backend.runs.change(run_id, CHANGES["resumed"], ALWAYS_HEAD)
    assert [each.due_at for each in backend.due_of(run_id)] == [NOW + 60_000]


def test_a_watch_that_moved_stands_at_its_new_place_only(backend: Backend, run_id: str) -> None:
    backend.runs.create(make_head(run_id), None)
    backend.runs.change(run_id, RunWatched(due_at=NOW + 1), ALWAYS_HEAD)
    assert [each.due_at for each in backend.due_of(run_id)] == [NOW + 1]


def test_what_is_due_later_is_not_found_and_the_limit_instant_is(
    backend: Backend, run_id: str
) -> None:
    for n in range(5):
        backend.runs.put(run_id, make_timer(f"nap#{n}", NOW + n), ALWAYS)
    assert [each.key for each in backend.due_of(run_id, until=NOW + 2)] == [
        "nap#0",
        "nap#1",
        "nap#2",
    ]


def test_the_earliest_are_found_first_and_no_more_than_asked_for(
    backend: Backend, run_id: str
) -> None:
    for n in (3, 0, 2, 1):
        # Earlier than every other test's, so that the limit cuts among these.
        backend.runs.put(run_id, make_timer(f"nap#{n}", 1000 + n), ALWAYS)
    found = [backend.timers.due(shard, NOW, 2) for shard in range(backend.timers.shards)]
    (own,) = [entries for entries in found if any(each.run_id == run_id for each in entries)]
    assert [each.key for each in own] == ["nap#0", "nap#1"]
    for n in range(4):
        backend.runs.move(run_id, f"nap#{n}", None, ALWAYS)


def test_everything_of_a_run_is_in_one_shard(backend: Backend, run_id: str) -> None:
    backend.runs.create(make_head(run_id), None)
    backend.runs.put(run_id, make_timer("nap#1", NOW), ALWAYS)
    found = [backend.timers.due(shard, 2**50, 1000) for shard in range(backend.timers.shards)]
    counts = [sum(each.run_id == run_id for each in entries) for entries in found]
    assert max(counts) == 2
    assert sum(counts) == 2
