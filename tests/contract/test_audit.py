"""What people ask of a run is recorded with the change that it brings about, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep.adapters.errors import RunIdTakenError
from everstep.core.audit import Action, AuditEntry, Note
from everstep.core.changes import RunEnded, RunNoted, apply
from everstep.core.circumstances import How, Seal, Trail
from everstep.core.model import History, RunStatus
from everstep.core.transitions import HeadGuard
from tests.contract.builders import ALWAYS_HEAD, CHANGES, NOW, make_claim, make_head

if TYPE_CHECKING:
    from tests.contract.backends import Backend


def entry(number: int, who: str | None = "ann") -> AuditEntry:
    return AuditEntry(
        number=number, at=NOW + number, action=Action.PAUSED, previous=f"hash {number}", who=who
    )


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_and_its_entry_are_written_together(
    backend: Backend, run_id: str, name: str
) -> None:
    head = make_head(run_id)
    backend.runs.create(head, None)
    assert backend.runs.change(run_id, CHANGES[name], ALWAYS_HEAD, entry(1))
    assert backend.runs.head(run_id) == apply(head, CHANGES[name], entry(1))
    assert list(backend.runs.audit(run_id)) == [entry(1)]


def test_neither_is_written_if_the_guard_refuses(backend: Backend, run_id: str) -> None:
    head = make_head(run_id)
    backend.runs.create(head, None)
    guard = HeadGuard(statuses=(RunStatus.STALLED,))
    assert not backend.runs.change(run_id, CHANGES["resumed"], guard, entry(1))
    assert backend.runs.head(run_id) == head
    assert list(backend.runs.audit(run_id)) == []


@pytest.mark.parametrize("number", [1, 3])
def test_neither_is_written_unless_the_entry_is_the_next_one(
    backend: Backend, run_id: str, number: int
) -> None:
    backend.runs.create(make_head(run_id), None)
    assert backend.runs.change(run_id, CHANGES["paused"], ALWAYS_HEAD, entry(1))
    head = backend.runs.head(run_id)
    other = entry(number, who="bob")
    assert not backend.runs.change(run_id, CHANGES["resumed"], ALWAYS_HEAD, other)
    assert backend.runs.head(run_id) == head
    assert list(backend.runs.audit(run_id)) == [entry(1)]


def test_nothing_is_recorded_of_a_run_that_is_not_there(backend: Backend, run_id: str) -> None:
    assert not backend.runs.change(run_id, CHANGES["paused"], ALWAYS_HEAD, entry(1))
    assert backend.runs.head(run_id) is None
    assert list(backend.runs.audit(run_id)) == []


def test_entries_come_in_their_order_from_any_number_on(backend: Backend, run_id: str) -> None:
    backend.runs.create(make_head(run_id), None)
    entries = [replace(entry(n), who=None, why="a reason\nof two lines") for n in range(1, 12)]
    for each in entries:
        assert backend.runs.change(run_id, CHANGES["watched"], ALWAYS_HEAD, each)
    assert list(backend.runs.audit(run_id)) == entries
    assert list(backend.runs.audit(run_id, 9)) == entries[8:]
    assert list(backend.runs.audit(run_id, 12)) == []


def test_a_history_holds_no_audit(backend: Backend, run_id: str) -> None:
    head = make_head(run_id)
    backend.runs.create(head, None)
    backend.runs.change(run_id, CHANGES["paused"], ALWAYS_HEAD, entry(1))
    assert backend.runs.load(run_id) == History(head=apply(head, CHANGES["paused"], entry(1)))


def note(run_id: str, number: int = 1) -> Note:
    said = AuditEntry(
        number=number,
        at=NOW,
        action=Action.RETRIED,
        previous="hash",
        why="mended",
        details={"run_id": "new"},
    )
    return Note(run_id=run_id, entry=said)


@pytest.mark.parametrize("claimed", [False, True])
@pytest.mark.parametrize("name", ["completed", "paused"])
def test_a_run_is_created_with_an_entry_in_the_audit_of_another(
    backend: Backend, run_id: str, name: str, *, claimed: bool
) -> None:
    old = make_head(f"{run_id}-old")
    backend.runs.create(old, None)
    backend.runs.change(old.run_id, CHANGES[name], ALWAYS_HEAD)
    head, told = make_head(run_id), note(old.run_id)
    claim = make_claim(head, run_id) if claimed else None
    for _ in range(2):
        assert backend.runs.create(head, claim, told) is None
    assert backend.runs.head(run_id) == head
    noted = apply(apply(old, CHANGES[name]), RunNoted(), told.entry)
    assert backend.runs.head(old.run_id) == noted
    assert list(backend.runs.audit(old.run_id)) == [told.entry]
    assert list(backend.runs.audit(run_id)) == []


def test_a_run_whose_entry_elsewhere_is_not_the_next_one_is_not_created(
    backend: Backend, run_id: str
) -> None:
    old = make_head(f"{run_id}-old")
    backend.runs.create(old, None)
    told = note(old.run_id, 2)
    assert backend.runs.create(make_head(run_id), None, told) == told
    gone = note(f"{run_id}-gone")
    assert backend.runs.create(make_head(run_id), None, gone) == gone
    assert backend.runs.head(run_id) is None
    assert (backend.runs.head(old.run_id), list(backend.runs.audit(old.run_id))) == (old, [])


def test_a_run_whose_id_is_taken_leaves_no_entry(backend: Backend, run_id: str) -> None:
    head, old = make_head(run_id), make_head(f"{run_id}-old")
    backend.runs.create(head, None)
    backend.runs.create(old, None)
    other = replace(head, by="somebody else")
    with pytest.raises(RunIdTakenError):
        backend.runs.create(other, None, note(old.run_id))
    assert list(backend.runs.audit(old.run_id)) == []


# --- The end is an entry itself


def sealed_end(number: int) -> RunEnded:
    seal = Seal(number=number, link="its hash", after="the one before", started_at=NOW)
    return RunEnded(status=RunStatus.FAILED, by="new", at=NOW + 5, error=None, seal=seal)


def test_an_end_counts_as_an_entry_and_leaves_no_item(backend: Backend, run_id: str) -> None:
    head = replace(make_head(run_id), trail=Trail(link="before", how=How.TRIGGER, who="ann"))
    backend.runs.create(head, None)
    assert backend.runs.head(run_id) == head
    assert backend.runs.change(run_id, sealed_end(1), ALWAYS_HEAD)
    assert backend.runs.head(run_id) == apply(head, sealed_end(1))
    assert list(backend.runs.audit(run_id)) == []


@pytest.mark.parametrize("number", [1, 3])
def test_an_end_is_written_only_as_the_next_entry(
    backend: Backend, run_id: str, number: int
) -> None:
    backend.runs.create(make_head(run_id), None)
    backend.runs.change(run_id, CHANGES["paused"], ALWAYS_HEAD, entry(1))
    before = backend.runs.head(run_id)
    assert not backend.runs.change(run_id, sealed_end(number), ALWAYS_HEAD)
    assert backend.runs.head(run_id) == before


def test_an_end_that_was_asked_for_follows_the_entry_that_says_so(
    backend: Backend, run_id: str
) -> None:
    head = make_head(run_id)
    backend.runs.create(head, None)
    assert backend.runs.change(run_id, sealed_end(2), ALWAYS_HEAD, entry(1))
    assert backend.runs.head(run_id) == apply(head, sealed_end(2), entry(1))
    assert list(backend.runs.audit(run_id)) == [entry(1)]
