"""No exception of botocore gets out of an adapter, whatever goes wrong."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.exceptions import ReadTimeoutError

from everstep.adapters.dynamodb.dead_letters import DynamoDeadLetters
from everstep.adapters.dynamodb.indexes import DynamoRunList, DynamoTimers
from everstep.adapters.dynamodb.store import DynamoRuns
from everstep.adapters.errors import AdapterError
from everstep.adapters.s3 import S3Blobs
from everstep.adapters.sqs import SqsQueue
from everstep.core.audit import Action, AuditEntry
from everstep.core.changes import RunEnded
from everstep.core.circumstances import Reference
from everstep.core.errors import UnavailableError
from everstep.core.model import Event, Message, MessageKind, Outgoing, Payload, RunStatus
from tests.contract.builders import (
    ALWAYS,
    ALWAYS_HEAD,
    CHANGES,
    make_claim,
    make_head,
    make_record,
)
from tests.unit.adapters.vendor import LASTING, PASSING, URL, BrokenClient, ScriptedClient

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD: Final = make_head("run")
HELD: Final = replace(HEAD, idempotency_key="key")
START: Final = Outgoing(message=Message(run_id="run", kind=MessageKind.START, token="t"))

ENTRY: Final = AuditEntry(number=1, at=5, action=Action.PAUSED, previous="hash")
EVENT: Final = Event(name="paid", number=1, payload=Payload(text="1"), at=5)

CALLS: Final[dict[str, Callable[[Any], object]]] = {
    "DynamoRuns.create": lambda client: DynamoRuns(client, "table").create(HEAD, None),
    "DynamoRuns.create, claimed": lambda client: DynamoRuns(client, "table").create(
        HEAD, make_claim(HEAD, "key")
    ),
    "DynamoRuns.create, named": lambda client: DynamoRuns(client, "table").create(
        HEAD, None, reference=Reference(workflow="order", reference_id="o-1", run_id="run")
    ),
    "DynamoRuns.reference": lambda client: DynamoRuns(client, "table").reference("order", "o-1"),
    "DynamoRuns.release": lambda client: DynamoRuns(client, "table").release(HELD),
    "DynamoRuns.release, named": lambda client: DynamoRuns(client, "table").release(
        replace(HEAD, reference_id="o-1")
    ),
    "DynamoRuns.clear": lambda client: DynamoRuns(client, "table").clear("run", 5),
    "DynamoRuns.load": lambda client: DynamoRuns(client, "table").load("run"),
    "DynamoRuns.head": lambda client: DynamoRuns(client, "table").head("run"),
    "DynamoRuns.record": lambda client: DynamoRuns(client, "table").record("run", "a#1"),
    "DynamoRuns.peek": lambda client: DynamoRuns(client, "table").peek("run", ["a#1"]),
    "DynamoRuns.between": lambda client: DynamoRuns(client, "table").between("run", "a", "b", 5),
    "DynamoRuns.claim": lambda client: DynamoRuns(client, "table").claim("order", "key"),
    "DynamoRuns.put": lambda client: DynamoRuns(client, "table").put("run", make_record(), ALWAYS),
    "DynamoRuns.move": lambda client: DynamoRuns(client, "table").move("run", "a#1", 5, ALWAYS),
    "DynamoRuns.change": lambda client: DynamoRuns(client, "table").change(
        "run", CHANGES["completed"], ALWAYS_HEAD
    ),
    "DynamoRuns.change, watched": lambda client: DynamoRuns(client, "table").change(
        "run", CHANGES["watched"], ALWAYS_HEAD
    ),
    "DynamoRuns.hand_over": lambda client: DynamoRuns(client, "table").hand_over(
        "before", RunEnded(status=RunStatus.CONTINUED, by="t", at=5), ALWAYS_HEAD, HEAD
    ),
    "DynamoRuns.put_event": lambda client: DynamoRuns(client, "table").put_event("run", EVENT),
    "DynamoRuns.replace_event": lambda client: DynamoRuns(client, "table").replace_event(
        "run", EVENT
    ),
    "DynamoRuns.claim_event": lambda client: DynamoRuns(client, "table").claim_event(
        "run", "paid", 1, "paid#1"
    ),
    "DynamoRuns.change, audited": lambda client: DynamoRuns(client, "table").change(
        "run", CHANGES["watched"], ALWAYS_HEAD, ENTRY
    ),
    "DynamoRuns.audit": lambda client: DynamoRuns(client, "table").audit("run"),
    "DynamoTimers.due": lambda client: DynamoTimers(client, "table").due(0, 5, 10),
    "DynamoRunList.newest": lambda client: DynamoRunList(client, "table").newest(
        "order", RunStatus.RUNNING, None, 10
    ),
    "DynamoRunList.count": lambda client: DynamoRunList(client, "table").count(
        "order", RunStatus.RUNNING, 10
    ),
    "DynamoRunList.every": lambda client: list(DynamoRunList(client, "table").every()),
    "DynamoDeadLetters.keep": lambda client: DynamoDeadLetters(client, "table").keep(
        "id", "body", "reason", 5
    ),
    "SqsQueue.send": lambda client: SqsQueue(client, URL).send([START]),
    "SqsQueue.send, many": lambda client: SqsQueue(client, URL).send([START, START]),
    "S3Blobs.put": lambda client: S3Blobs(client, "bucket").put("run", "text"),
    "S3Blobs.copy": lambda client: S3Blobs(client, "bucket").copy("runs/a/x", "b"),
    "S3Blobs.clear": lambda client: S3Blobs(client, "bucket").clear("run"),
    "S3Blobs.get": lambda client: S3Blobs(client, "bucket").get("payloads/x"),
}


def test_every_method_of_every_adapter_is_called_here() -> None:
    adapters = (DynamoRuns, DynamoTimers, DynamoRunList, DynamoDeadLetters, SqsQueue, S3Blobs)
    methods = {
        f"{adapter.__name__}.{name}"
        for adapter in adapters
        for name, _ in inspect.getmembers(adapter, inspect.isfunction)
        if not name.startswith("_")
    }
    assert methods == {name.partition(",")[0] for name in CALLS}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_by_itself_is_unavailable(call: str, fault: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        CALLS[call](BrokenClient(PASSING[fault]))
    assert caught.value.__cause__ is PASSING[fault]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", LASTING)
def test_what_lasts_is_an_adapter_error(call: str, fault: str) -> None:
    with pytest.raises(AdapterError) as caught:
        CALLS[call](BrokenClient(LASTING[fault]))
    assert caught.value.__cause__ is LASTING[fault]


def test_a_refusal_names_the_call_the_code_and_the_message() -> None:
    with pytest.raises(AdapterError) as caught:
        CALLS["DynamoRuns.load"](BrokenClient(LASTING["AccessDeniedException"]))
    expected = "DynamoDB Query: AccessDeniedException: about AccessDeniedException"
    assert str(caught.value) == expected
    assert (caught.value.operation, caught.value.code) == (
        "DynamoDB Query",
        "AccessDeniedException",
    )


def test_an_outage_names_the_call_and_the_code() -> None:
    with pytest.raises(UnavailableError, match="SQS SendMessage: OverLimit: about OverLimit"):
        CALLS["SqsQueue.send"](BrokenClient(PASSING["OverLimit"]))


def test_a_body_that_breaks_off_is_unavailable() -> None:
    class Body:
        def read(self) -> bytes:
            raise ReadTimeoutError(endpoint_url=URL)

    with pytest.raises(UnavailableError, match="S3 GetObject"):
        CALLS["S3Blobs.get"](ScriptedClient({"Body": Body()}))


def test_a_fault_of_the_program_is_not_dressed_up() -> None:
    fault = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        CALLS["DynamoRuns.load"](BrokenClient(fault))
