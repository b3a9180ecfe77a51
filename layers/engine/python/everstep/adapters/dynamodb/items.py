"""Values as attribute maps, and back.

Written by hand: a step's record is the unit of cost, and the generic serializer is slow. What is
None is left out. Attributes that an index projects or that its keys are made of have plain
names; so have the few others, as every byte of a name is stored with every item.

=========== ==== ============================ ================================================
attribute   type of                           what
=========== ==== ============================ ================================================
PK, SK      S    everything                   see ``keys``; run id and operation key are in them
status      S    head, operation              status
by          S    head, operation              token of the message that wrote it
due_pk      S    head, operation              shard of the due index, while due_at is set
due_at      N    head, operation              place in the due index, milliseconds
ended_at    N    head, operation              when it became final, or the attempt failed
result      M    head, operation              payload
error       M    head, operation              error
kind        S    operation                    kind
hash        S    operation                    hash of the input
attempt     N    operation                    attempt that wrote the record; always there
start       N    operation                    start of the last attempt or of the wait
wake_at     N    operation                    when the timer ends
event       N    operation                    number of the event that a wait has taken
payload     M    event                        payload
at          N    event                        when it was accepted
idem        S    event                        idempotency key of its sender
taken_by    S    event                        the wait that has claimed it
workflow    S    head                         name of the workflow
version     S    head                         its version
created_at  N    head                         when it was accepted
list_pk     S    head                         workflow and status
list_sk     S    head                         run id
input       M    head                         payload
gen         N    head                         generation; always there
stall       M    head                         reason M, at N, message S
resumed     N    head                         when it was resumed last
idem        S    head                         idempotency key
run         S    claim                        run that holds the key
hash        S    claim                        hash of its input
workflow    S    claim                        name of the workflow
key         S    claim                        idempotency key
body        S    dead letter                  the message as it came
reason      S    dead letter                  why it could not be processed
at          N    dead letter                  when it was kept first
=========== ==== ============================ ================================================

A payload is ``{t: text S, r: reference S, n: size N}``, an error ``{type, message, operation,
trace}``, all S. Where a text may be empty (the hash of a call without arguments, what people or
programs outside leave out), NULL stands for it: the DynamoDB Local that npm has knows no empty S.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.adapters.dynamodb import keys
from everstep.core.model import (
    HEAD,
    Claim,
    DueEntry,
    ErrorInfo,
    Event,
    Head,
    Listed,
    OpKind,
    OpRecord,
    OpStatus,
    Payload,
    RunStatus,
    Stall,
)
from everstep.core.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Value: TypeAlias = AttributeValueTypeDef
    Item: TypeAlias = dict[str, Value]

BROKEN: Final = (AttributeError, KeyError, TypeError, ValueError)
"""What reading an item raises when an attribute is missing, or is not what it should be."""


def from_record(run_id: str, record: OpRecord) -> Item:
    """Return the item of an operation's record."""
    item: Item = {
        "PK": {"S": keys.run(run_id)},
        "SK": {"S": keys.operation(record.key)},
        "kind": {"S": record.kind},
        "status": {"S": record.status},
        "by": {"S": record.by},
        "hash": from_text(record.input_hash),
        # Conditions compare it, and a missing attribute compares to nothing.
        "attempt": {"N": str(record.attempt)},
    }
    _add_number(item, "start", record.started_at)
    _add_number(item, "ended_at", record.ended_at)
    _add_number(item, "wake_at", record.wake_at)
    _add_due(item, run_id, record.due_at)
    _add_outcome(item, record.result, record.error)
    _add_number(item, "event", record.event)
    return item


def to_record(item: Item) -> OpRecord:
    """Return the record of an operation's item."""
    return OpRecord(
        key=keys.operation_of(item["SK"]["S"]),
        kind=OpKind(item["kind"]["S"]),
        status=OpStatus(item["status"]["S"]),
        by=item["by"]["S"],
        input_hash=to_text(item["hash"]),
        attempt=int(item["attempt"]["N"]),
        started_at=_number(item, "start"),
        ended_at=_number(item, "ended_at"),
        wake_at=_number(item, "wake_at"),
        due_at=_number(item, "due_at"),
        result=_payload(item, "result"),
        error=_error(item, "error"),
        event=_number(item, "event"),
    )


def from_event(run_id: str, event: Event) -> Item:
    """Return the item of an event."""
    item: Item = {
        "PK": {"S": keys.run(run_id)},
        "SK": {"S": keys.event(event.name, event.number)},
        "payload": from_payload(event.payload),
        "at": {"N": str(event.at)},
    }
    _add_text(item, "idem", event.key)
    _add_text(item, "taken_by", event.taken_by)
    return item


def to_event(item: Item) -> Event:
    """Return the event of an item."""
    name, number = keys.event_of(item["SK"]["S"])
    return Event(
        name=name,
        number=number,
        payload=_payload(item, "payload") or Payload(),
        at=int(item["at"]["N"]),
        key=_text(item, "idem"),
        taken_by=_text(item, "taken_by"),
    )


def from_head(head: Head) -> Item:
    """Return the item of a run's head, as it stands in the table and in both indexes."""
    item: Item = {
        "PK": {"S": keys.run(head.run_id)},
        "SK": {"S": keys.RUN_HEAD},
        "workflow": {"S": head.workflow},
        "version": {"S": head.version},
        "status": {"S": head.status},
        "created_at": {"N": str(head.created_at)},
        "list_pk": {"S": keys.listed(head.workflow, head.status)},
        "list_sk": {"S": head.run_id},
        "by": {"S": head.by},
        "input": from_payload(head.input),
        # A resumption adds to it in place.
        "gen": {"N": str(head.generation)},
    }
    _add_due(item, head.run_id, head.due_at)
    _add_number(item, "ended_at", head.ended_at)
    _add_outcome(item, head.result, head.error)
    _add_number(item, "resumed", head.resumed_at)
    if head.stall is not None:
        item["stall"] = from_stall(head.stall)
    if head.idempotency_key is not None:
        item["idem"] = from_text(head.idempotency_key)
    return item


def to_head(item: Item) -> Head:
    """Return the head of a run's item."""
    return Head(
        run_id=keys.run_of(item["PK"]["S"]),
        workflow=item["workflow"]["S"],
        version=item["version"]["S"],
        status=RunStatus(item["status"]["S"]),
        input=_payload(item, "input") or Payload(),
        created_at=int(item["created_at"]["N"]),
        by=item["by"]["S"],
        generation=int(item["gen"]["N"]),
        due_at=_number(item, "due_at"),
        ended_at=_number(item, "ended_at"),
        result=_payload(item, "result"),
        error=_error(item, "error"),
        stall=_stall(item),
        resumed_at=_number(item, "resumed"),
        idempotency_key=_text(item, "idem"),
    )


def from_claim(claim: Claim) -> Item:
    """Return the item of a claim on an idempotency key."""
    return {
        "PK": {"S": keys.claim(claim.workflow, claim.key)},
        "SK": {"S": keys.ALONE},
        "workflow": {"S": claim.workflow},
        "key": from_text(claim.key),
        "run": {"S": claim.run_id},
        "hash": {"S": claim.input_hash},
    }


def to_claim(item: Item) -> Claim:
    """Return the claim of an item."""
    return Claim(
        workflow=item["workflow"]["S"],
        key=to_text(item["key"]),
        run_id=item["run"]["S"],
        input_hash=item["hash"]["S"],
    )


def to_due_entry(item: Item) -> DueEntry:
    """Return the entry of an item as the due index projects it."""
    run_id = keys.run_of(item["PK"]["S"])
    due_at = int(item["due_at"]["N"])
    if item["SK"]["S"] == keys.RUN_HEAD:
        return DueEntry(run_id=run_id, key=HEAD, due_at=due_at)
    return DueEntry(
        run_id=run_id,
        key=keys.operation_of(item["SK"]["S"]),
        due_at=due_at,
        wake_at=_number(item, "wake_at") or 0,
        # Every record has it: a template that does not project it is noticed here.
        attempt=int(item["attempt"]["N"]),
        status=OpStatus(item["status"]["S"]),
    )


def to_listed(item: Item) -> Listed:
    """Return the run of an item as the list index projects it."""
    return Listed(
        run_id=item["list_sk"]["S"],
        workflow=item["workflow"]["S"],
        version=item["version"]["S"],
        status=RunStatus(item["status"]["S"]),
        created_at=int(item["created_at"]["N"]),
        ended_at=_number(item, "ended_at"),
    )


def unreadable(item: Item) -> Unreadable:
    """Say what is wrong with an item of a run that could not be read."""
    sort_key = item.get("SK", {}).get("S", keys.RUN_HEAD)
    is_operation = keys.is_operation(sort_key)
    return Unreadable(
        run_id=keys.run_of(item["PK"]["S"]),
        key=keys.operation_of(sort_key) if is_operation else HEAD,
        reason=_fault(item, _OF_AN_OPERATION if is_operation else _OF_A_HEAD),
    )


def _fault(item: Item, readers: Mapping[str, Callable[[Item, str], object]]) -> str:
    for name, read in readers.items():
        try:
            read(item, name)
        except BROKEN:
            return f"{name} {_what_is_wrong(item, name)}"
    return "an attribute is missing"


def _what_is_wrong(item: Item, name: str) -> str:
    if name not in item:
        return "is missing"
    known = item[name].get("S")
    if name in ("kind", "status") and known:
        return f"is {known[:40]!r}, unknown to this release: written by a newer release?"
    return "is not of the form that this release writes"


def from_text(text: str) -> Value:
    """Return a text that may be empty as a value."""
    return {"S": text} if text else {"NULL": True}


def to_text(value: Value) -> str:
    """Return the text of a value."""
    return value.get("S", "")


def from_payload(payload: Payload) -> Value:
    """Return a payload as a map."""
    fields: Item = {}
    _add_text(fields, "t", payload.text)
    _add_text(fields, "r", payload.ref)
    if payload.size:
        fields["n"] = {"N": str(payload.size)}
    return {"M": fields}


def from_error(error: ErrorInfo) -> Value:
    """Return an error as a map."""
    fields: Item = {"type": from_text(error.type), "message": from_text(error.message)}
    _add_text(fields, "operation", error.operation)
    _add_text(fields, "trace", error.trace)
    return {"M": fields}


def from_stall(stall: Stall) -> Value:
    """Return why a run stands still as a map."""
    fields: Item = {"reason": from_error(stall.reason), "at": {"N": str(stall.at)}}
    _add_text(fields, "message", stall.message)
    return {"M": fields}


def _payload(item: Item, name: str) -> Payload | None:
    if name not in item:
        return None
    fields = item[name]["M"]
    return Payload(text=_text(fields, "t"), ref=_text(fields, "r"), size=_number(fields, "n") or 0)


def _error(item: Mapping[str, Any], name: str) -> ErrorInfo | None:
    if name not in item:
        return None
    fields = item[name]["M"]
    return ErrorInfo(
        type=to_text(fields["type"]),
        message=to_text(fields["message"]),
        operation=_text(fields, "operation"),
        trace=_text(fields, "trace"),
    )


def _stall(item: Item) -> Stall | None:
    if "stall" not in item:
        return None
    fields = item["stall"]["M"]
    reason = _error(fields, "reason")
    return Stall(
        reason=reason or ErrorInfo(type="Unknown", message=""),
        at=int(fields["at"]["N"]),
        message=_text(fields, "message"),
    )


def _number(item: Mapping[str, Any], name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None


def _text(item: Mapping[str, Any], name: str) -> str | None:
    return to_text(item[name]) if name in item else None


def _add_number(item: Item, name: str, number: int | None) -> None:
    if number is not None:
        item[name] = {"N": str(number)}


def _add_text(item: Item, name: str, text: str | None) -> None:
    if text is not None:
        item[name] = from_text(text)


def _add_due(item: Item, run_id: str, due_at: int | None) -> None:
    """Put an item into the due index: both key attributes, or none of them."""
    if due_at is not None:
        item["due_pk"] = {"S": keys.due_of(run_id)}
        item["due_at"] = {"N": str(due_at)}


def _add_outcome(item: Item, result: Payload | None, error: ErrorInfo | None) -> None:
    if result is not None:
        item["result"] = from_payload(result)
    if error is not None:
        item["error"] = from_error(error)


def _needed_text(item: Item, name: str) -> str:
    return item[name]["S"]


def _needed_number(item: Item, name: str) -> int:
    return int(item[name]["N"])


# How each attribute is read, to find the one that cannot be. An index projects some of them
# only, and the needed ones stand in both indexes: those come first.
_OF_AN_OPERATION: Final[Mapping[str, Callable[[Item, str], object]]] = {
    "status": lambda item, name: OpStatus(_needed_text(item, name)),
    "attempt": _needed_number,
    "due_at": _number,
    "wake_at": _number,
    "start": _number,
    "ended_at": _number,
    "result": _payload,
    "error": _error,
    "kind": lambda item, name: OpKind(_needed_text(item, name)),
    "by": _needed_text,
    "hash": lambda item, name: to_text(item[name]),
}
_OF_A_HEAD: Final[Mapping[str, Callable[[Item, str], object]]] = {
    "due_at": _number,
    "status": lambda item, name: RunStatus(_needed_text(item, name)),
    "workflow": _needed_text,
    "version": _needed_text,
    "created_at": _needed_number,
    "ended_at": _number,
    "result": _payload,
    "error": _error,
    "stall": lambda item, _name: _stall(item),
    "resumed": _number,
    "idem": _text,
    "input": _payload,
    "by": _needed_text,
    "gen": _needed_number,
}
