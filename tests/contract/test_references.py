"""At most one run has a caller's own name, and it is handed on only from the run that was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep.adapters.errors import RunIdTakenError
from everstep.core.circumstances import Reference
from tests.contract.builders import make_claim, make_head

if TYPE_CHECKING:
    from everstep.core.model import Head
    from tests.contract.backends import Backend


def reference(head: Head, name: str, instead_of: str | None = None) -> Reference:
    return Reference(
        workflow=head.workflow, reference_id=name, run_id=head.run_id, instead_of=instead_of
    )


def test_a_name_that_nobody_was_given_is_nobody_s(backend: Backend, workflow: str) -> None:
    assert backend.runs.reference(workflow, "order-1") is None


def test_a_run_has_the_name_that_it_was_created_with(
    backend: Backend, run_id: str, workflow: str
) -> None:
    head = make_head(run_id, workflow)
    assert backend.runs.create(head, None, reference=reference(head, "a#b/ü")) is None
    assert backend.runs.head(run_id) == head
    assert backend.runs.reference(workflow, "a#b/ü") == reference(head, "a#b/ü")


@pytest.mark.parametrize("claimed", [False, True])
def test_a_name_that_a_run_has_is_not_given_to_another_which_is_not_written(
    backend: Backend, run_id: str, workflow: str, *, claimed: bool
) -> None:
    first, second = make_head(f"{run_id}-1", workflow), make_head(f"{run_id}-2", workflow)
    claim = make_claim(second, run_id) if claimed else None
    backend.runs.create(first, None, reference=reference(first, "n"))
    assert backend.runs.create(second, claim, reference=reference(second, "n")) == reference(
        first, "n"
    )
    assert backend.runs.head(second.run_id) is None
    # Its key is still to be had.
    assert backend.runs.create(second, claim) is None


def test_a_name_is_handed_on_from_the_run_that_was_seen_with_it(
    backend: Backend, run_id: str, workflow: str
) -> None:
    first, second = make_head(f"{run_id}-1", workflow), make_head(f"{run_id}-2", workflow)
    backend.runs.create(first, None, reference=reference(first, "n"))
    taken_over = reference(second, "n", instead_of=first.run_id)
    assert backend.runs.create(second, make_claim(second, run_id), reference=taken_over) is None
    assert backend.runs.reference(workflow, "n") == reference(second, "n")


def test_a_name_that_was_handed_on_meanwhile_is_not_taken_from_who_has_it_now(
    backend: Backend, run_id: str, workflow: str
) -> None:
    first, second, third = (make_head(f"{run_id}-{n}", workflow) for n in (1, 2, 3))
    backend.runs.create(first, None, reference=reference(first, "n"))
    backend.runs.create(second, None, reference=reference(second, "n", instead_of=first.run_id))
    late = reference(third, "n", instead_of=first.run_id)
    assert backend.runs.create(third, None, reference=late) == reference(second, "n")


def test_a_name_that_was_given_back_meanwhile_is_free(
    backend: Backend, run_id: str, workflow: str
) -> None:
    head = make_head(run_id, workflow)
    assert (
        backend.runs.create(head, None, reference=reference(head, "n", instead_of="removed"))
        is None
    )
    assert backend.runs.reference(workflow, "n") == reference(head, "n")


@pytest.mark.parametrize("claimed", [False, True])
def test_creating_a_named_run_again_changes_nothing(
    backend: Backend, run_id: str, workflow: str, *, claimed: bool
) -> None:
    head = make_head(run_id, workflow)
    claim = make_claim(head, run_id) if claimed else None
    for _ in range(2):
        assert backend.runs.create(head, claim, reference=reference(head, "n")) is None
    assert backend.runs.reference(workflow, "n") == reference(head, "n")


def test_a_named_run_does_not_take_the_id_of_another(
    backend: Backend, run_id: str, workflow: str
) -> None:
    head = make_head(run_id, workflow)
    backend.runs.create(head, None)
    with pytest.raises(RunIdTakenError):
        backend.runs.create(replace(head, by="somebody else"), None, reference=reference(head, "n"))
    assert backend.runs.reference(workflow, "n") is None


def test_whoever_has_the_key_comes_before_whoever_has_the_name(
    backend: Backend, run_id: str, workflow: str
) -> None:
    first, second = make_head(f"{run_id}-1", workflow), make_head(f"{run_id}-2", workflow)
    claim = make_claim(first, run_id)
    backend.runs.create(first, claim, reference=reference(first, "n"))
    assert (
        backend.runs.create(second, make_claim(second, run_id), reference=reference(second, "n"))
        == claim
    )


def test_a_name_is_one_workflow_s_own(backend: Backend, run_id: str, workflow: str) -> None:
    first, second = make_head(f"{run_id}-1", workflow), make_head(f"{run_id}-2", f"{workflow}2")
    assert backend.runs.create(first, None, reference=reference(first, "n")) is None
    assert backend.runs.create(second, None, reference=reference(second, "n")) is None


def test_who_has_an_idempotency_key_is_known(backend: Backend, run_id: str, workflow: str) -> None:
    head = make_head(run_id, workflow)
    claim = make_claim(head, f"{run_id}#ü")
    assert backend.runs.claim(workflow, claim.key) is None
    backend.runs.create(head, claim)
    assert backend.runs.claim(workflow, claim.key) == claim
    assert backend.runs.claim(f"{workflow}x", claim.key) is None
