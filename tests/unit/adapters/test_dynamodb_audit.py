"""Audit entries in DynamoDB: conflicts of transactions, lost answers, damaged items."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from everstep.adapters.dynamodb import audits, items
from everstep.adapters.dynamodb.store import DynamoRuns
from everstep.adapters.errors import AdapterError
from everstep.core.audit import Action, AuditEntry, Note
from everstep.core.errors import UnavailableError
from everstep.core.unreadable import UnreadableError
from tests.contract.builders import ALWAYS_HEAD, CHANGES, NOW, make_head
from tests.unit.adapters.vendor import ScriptedClient

if TYPE_CHECKING:
    from everstep.core.model import Head

ENTRY = AuditEntry(number=1, at=NOW, action=Action.PAUSED, previous="hash", who="ann", why="lunch")
HEAD = make_head("mine")


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "TransactWriteItems")


def found(head: Head) -> dict[str, Any]:
    return {"Item": items.from_head(head)}


CANCELLED = refusal("TransactionCanceledException")
WORKFLOW = {"Item": {"workflow": {"S": "order"}}}


def change(*answers: object) -> bool:
    scripted: Any = ScriptedClient(WORKFLOW, *answers)
    return DynamoRuns(scripted, "table").change("mine", CHANGES["paused"], ALWAYS_HEAD, ENTRY)


def test_a_conflict_with_another_transaction_is_tried_again() -> None:
    assert change(CANCELLED, found(HEAD), {})


def test_a_conflict_that_does_not_end_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="TransactionCanceledException"):
        change(*[CANCELLED, found(HEAD)] * 4)


def test_a_refusal_by_what_is_recorded_is_no_conflict() -> None:
    assert not change(CANCELLED, found(replace(HEAD, generation=1)))
    assert not change(CANCELLED, {})


def test_any_other_refusal_is_a_fault() -> None:
    with pytest.raises(AdapterError, match="AccessDenied"):
        change(refusal("AccessDeniedException"))


def test_a_run_that_is_created_with_an_entry_and_refused_is_a_fault() -> None:
    scripted: Any = ScriptedClient(refusal("AccessDeniedException"))
    with pytest.raises(AdapterError, match="AccessDenied"):
        DynamoRuns(scripted, "table").create(HEAD, None, Note(run_id="old", entry=ENTRY))


def test_an_entry_reads_back_as_it_was_written() -> None:
    said = replace(ENTRY, details={"run_id": "other"})
    for entry in (ENTRY, replace(ENTRY, who=None, why=None), said):
        assert audits.to_entry(audits.from_entry("mine", entry)) == entry


def test_entries_that_cannot_be_read_are_named() -> None:
    item = audits.from_entry("mine", ENTRY) | {"action": {"S": "exploded"}}
    scripted: Any = ScriptedClient({"Items": [audits.from_entry("mine", ENTRY), item]})
    with pytest.raises(UnreadableError) as caught:
        DynamoRuns(scripted, "table").audit("mine")
    (unreadable,) = caught.value.items
    assert (unreadable.run_id, "AUD#00000001" in unreadable.reason) == ("mine", True)
