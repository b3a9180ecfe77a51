"""A run is ended and its successor written, both or neither, and the name goes with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep.adapters.errors import RunIdTakenError
from everstep.core.changes import RunEnded, RunTold, apply
from everstep.core.circumstances import Ending, Reference
from everstep.core.model import RunStatus
from everstep.core.transitions import RUN_CONTINUED, RUN_TOLD
from tests.contract.builders import NOW, make_head

if TYPE_CHECKING:
    from everstep.core.model import Head
    from tests.contract.backends import Backend


def ended(successor: Head) -> RunEnded:
    return RunEnded(status=RunStatus.CONTINUED, by="token", at=NOW + 9, successor=successor.run_id)


def name_of(run: Head, holder: Head, instead_of: str | None = None) -> Reference:
    return Reference(
        workflow=run.workflow, reference_id="n", run_id=holder.run_id, instead_of=instead_of
    )


@pytest.fixture
def runs(backend: Backend, run_id: str, workflow: str) -> tuple[Head, Head]:
    """Return a run that is there, and one to go on in its place."""
    head = make_head(f"{run_id}-1", workflow)
    backend.runs.create(head, None)
    return head, replace(make_head(f"{run_id}-2", workflow), by="from the first")


def test_a_run_is_ended_and_its_successor_is_there(
    backend: Backend, runs: tuple[Head, Head]
) -> None:
    head, successor = runs
    assert backend.runs.hand_over(head.run_id, ended(successor), RUN_CONTINUED, successor)
    assert backend.runs.head(head.run_id) == apply(head, ended(successor))
    assert backend.runs.head(successor.run_id) == successor
    assert [each.run_id for each in backend.due_of(successor.run_id)] == [successor.run_id]
    assert backend.due_of(head.run_id) == []


def test_a_run_that_is_kept_for_a_time_is_due_then(
    backend: Backend, run_id: str, workflow: str
) -> None:
    head = replace(make_head(f"{run_id}-1", workflow), retention=86_400_000)
    successor = replace(make_head(f"{run_id}-2", workflow), retention=86_400_000)
    backend.runs.create(head, None)
    assert backend.runs.hand_over(head.run_id, ended(successor), RUN_CONTINUED, successor)
    assert backend.runs.head(head.run_id) == apply(head, ended(successor))


def test_a_run_hands_over_once(backend: Backend, runs: tuple[Head, Head], run_id: str) -> None:
    head, successor = runs
    other = replace(successor, run_id=f"{run_id}-3")
    assert backend.runs.hand_over(head.run_id, ended(successor), RUN_CONTINUED, successor)
    assert not backend.runs.hand_over(head.run_id, ended(successor), RUN_CONTINUED, successor)
    assert not backend.runs.hand_over(head.run_id, ended(other), RUN_CONTINUED, other)
    assert backend.runs.head(head.run_id) == apply(head, ended(successor))
    assert backend.runs.head(other.run_id) is None


def test_a_run_that_is_to_end_hands_nothing_over(backend: Backend, runs: tuple[Head, Head]) -> None:
    head, successor = runs
    ending = Ending(status=RunStatus.CANCELLED, at=NOW)
    told = RunTold(by="operator", ending=ending, due_at=NOW)
    assert backend.runs.change(head.run_id, told, RUN_TOLD)
    assert not backend.runs.hand_over(head.run_id, ended(successor), RUN_CONTINUED, successor)
    assert backend.runs.head(successor.run_id) is None


def test_a_run_that_is_not_there_hands_nothing_over(
    backend: Backend, runs: tuple[Head, Head]
) -> None:
    _, successor = runs
    assert not backend.runs.hand_over("nobody", ended(successor), RUN_CONTINUED, successor)
    assert backend.runs.head(successor.run_id) is None


def test_the_name_of_a_run_goes_to_its_successor(
    backend: Backend, run_id: str, workflow: str
) -> None:
    head, successor = (make_head(f"{run_id}-{n}", workflow) for n in (1, 2))
    backend.runs.create(head, None, reference=name_of(head, head))
    taken = name_of(head, successor, instead_of=head.run_id)
    assert backend.runs.hand_over(head.run_id, ended(successor), RUN_CONTINUED, successor, taken)
    assert backend.runs.reference(workflow, "n") == name_of(head, successor)


def test_a_name_that_another_run_has_by_now_is_not_taken_and_nothing_is_handed_over(
    backend: Backend, run_id: str, workflow: str
) -> None:
    head, other, successor = (make_head(f"{run_id}-{n}", workflow) for n in (1, 2, 3))
    backend.runs.create(head, None)
    backend.runs.create(other, None, reference=name_of(head, other))
    taken = name_of(head, successor, instead_of=head.run_id)
    assert not backend.runs.hand_over(
        head.run_id, ended(successor), RUN_CONTINUED, successor, taken
    )
    assert backend.runs.head(head.run_id) == head
    assert backend.runs.head(successor.run_id) is None
    assert backend.runs.reference(workflow, "n") == name_of(head, other)


@pytest.mark.parametrize("named", [False, True])
def test_a_run_that_has_the_successors_id_is_not_replaced(
    backend: Backend, runs: tuple[Head, Head], *, named: bool
) -> None:
    head, successor = runs
    stranger = replace(successor, by="a stranger")
    backend.runs.create(stranger, None)
    taken = name_of(head, successor) if named else None
    with pytest.raises(RunIdTakenError):
        backend.runs.hand_over(head.run_id, ended(successor), RUN_CONTINUED, successor, taken)
    assert backend.runs.head(successor.run_id) == stranger
    assert backend.runs.head(head.run_id) == head
