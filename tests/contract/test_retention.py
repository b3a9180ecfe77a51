"""A run goes with everything that is recorded of it, its head last; others' things stay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep.core.changes import RunEnded
from everstep.core.circumstances import Reference
from everstep.core.model import HEAD, DueEntry, Event, Head, Payload, RunStatus
from tests.contract.builders import (
    ALWAYS,
    ALWAYS_HEAD,
    CHANGES,
    NOW,
    make_claim,
    make_head,
    make_record,
)

if TYPE_CHECKING:
    from tests.contract.backends import Backend

RETENTION = 3_600_000
ENDS = RunEnded(status=RunStatus.FAILED, by="new", at=NOW + 5)
DUE = NOW + 5 + RETENTION


def kept(run_id: str, workflow: str) -> Head:
    return replace(make_head(run_id, workflow), retention=RETENTION)


def named(head: Head, name: str) -> Reference:
    return Reference(workflow=head.workflow, reference_id=name, run_id=head.run_id)


def test_a_run_that_has_ended_is_due_when_its_retention_is_over(
    backend: Backend, run_id: str, workflow: str
) -> None:
    backend.runs.create(kept(run_id, workflow), None)
    assert backend.runs.change(run_id, ENDS, ALWAYS_HEAD)
    assert backend.due_of(run_id) == [DueEntry(run_id=run_id, key=HEAD, due_at=DUE, ended=True)]
    head = backend.runs.head(run_id)
    assert head is not None
    assert (head.due_at, head.status) == (DUE, RunStatus.FAILED)


def test_a_run_without_a_retention_is_not_due_once_it_has_ended(
    backend: Backend, run_id: str, workflow: str
) -> None:
    backend.runs.create(make_head(run_id, workflow), None)
    assert backend.runs.change(run_id, ENDS, ALWAYS_HEAD)
    assert backend.due_of(run_id) == []


def test_a_run_goes_batch_by_batch_with_everything_that_is_recorded_of_it(
    backend: Backend, run_id: str, workflow: str
) -> None:
    backend.runs.create(kept(run_id, workflow), None)
    for number in range(130):
        backend.runs.put(run_id, make_record(f"step#{number}"), ALWAYS)
    event = Event(name="paid", number=1, payload=Payload(text="1"), at=5)
    backend.runs.put_event(run_id, event)
    backend.runs.change(run_id, ENDS, ALWAYS_HEAD)
    calls = 1
    while not backend.runs.clear(run_id, DUE):
        assert backend.runs.head(run_id) is not None
        calls += 1
    assert calls <= 4
    assert backend.runs.load(run_id) is None
    assert backend.due_of(run_id) == []
    assert [each for each in backend.run_list.every() if each.run_id == run_id] == []
    # Nothing was left that a new head would bring to light.
    backend.runs.create(make_head(run_id, workflow), None)
    found = backend.runs.load(run_id)
    assert found is not None
    assert (found.records, found.events) == ({}, ())


def test_another_run_s_records_stay(backend: Backend, run_id: str, workflow: str) -> None:
    other = make_head(f"{run_id}0", workflow)
    backend.runs.create(other, None)
    backend.runs.put(other.run_id, make_record(), ALWAYS)
    backend.runs.create(kept(run_id, workflow), None)
    backend.runs.change(run_id, ENDS, ALWAYS_HEAD)
    assert backend.runs.clear(run_id, DUE)
    found = backend.runs.load(other.run_id)
    assert found is not None
    assert list(found.records) == ["charge#1"]


def test_a_head_that_stands_elsewhere_by_now_stays(
    backend: Backend, run_id: str, workflow: str
) -> None:
    backend.runs.create(kept(run_id, workflow), None)
    backend.runs.change(run_id, ENDS, ALWAYS_HEAD)
    assert backend.runs.clear(run_id, DUE - 1)
    assert backend.runs.head(run_id) is not None


def test_a_head_that_has_not_ended_stays(backend: Backend, run_id: str, workflow: str) -> None:
    backend.runs.create(kept(run_id, workflow), None)
    backend.runs.change(run_id, CHANGES["watched"], ALWAYS_HEAD)
    assert backend.runs.clear(run_id, NOW + 120_000)
    assert backend.runs.head(run_id) is not None


def test_clearing_what_is_gone_changes_nothing(backend: Backend, run_id: str) -> None:
    assert backend.runs.clear(run_id, DUE)
    assert backend.runs.head(run_id) is None


@pytest.mark.parametrize("times", [1, 2])
def test_a_run_gives_back_its_key_and_its_name(
    backend: Backend, run_id: str, workflow: str, times: int
) -> None:
    head = replace(kept(run_id, workflow), idempotency_key=run_id, reference_id="n")
    backend.runs.create(head, make_claim(head, run_id), reference=named(head, "n"))
    for _ in range(times):
        backend.runs.release(head)
    assert backend.runs.reference(workflow, "n") is None
    other = make_head(f"{run_id}-2", workflow)
    assert backend.runs.create(other, make_claim(other, run_id)) is None


def test_what_others_have_by_now_is_not_given_back(
    backend: Backend, run_id: str, workflow: str
) -> None:
    gone = replace(kept(f"{run_id}-0", workflow), idempotency_key=run_id, reference_id="n")
    head = make_head(run_id, workflow)
    claim = make_claim(head, run_id)
    backend.runs.create(head, claim, reference=named(head, "n"))
    backend.runs.release(gone)
    assert backend.runs.reference(workflow, "n") == named(head, "n")
    other = make_head(f"{run_id}-2", workflow)
    assert backend.runs.create(other, make_claim(other, run_id)) == claim


def test_a_run_that_holds_nothing_has_nothing_to_give_back(
    backend: Backend, run_id: str, workflow: str
) -> None:
    head = kept(run_id, workflow)
    backend.runs.create(head, None)
    backend.runs.release(head)
    assert backend.runs.head(run_id) == head
