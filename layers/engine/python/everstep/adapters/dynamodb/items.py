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
wake_at     N    operation, head              when the timer ends; when the run is to begin
event       N    operation                    number of the event that a wait has taken
child       S    operation                    run that was started, or is waited for
outcome     S    operation                    what that run ended as, if it did not complete
patches     L    operation                    marks of the changes that its code has come by, all S
logs        L    operation, head              what was said: M of at, attempt, count N, lines M
c           S    operation, event, head       what was taken for it
total       S    head                         what was taken for the run, said at its end
past        S    head                         what was taken for those in whose place it is
budget      N    head                         what it may cost, billionths of a dollar
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
secret      S    head                         what its callback tokens are made of
parent      M    head                         run S, op S
deadline    N    head                         when its time is up
ending      M    head                         status S, at N, who S, why S
origin      M    head                         run S, op S, root S, at N, effects S
reference_id S   head                         the caller's own name for it
tags        M    head                         the caller's own marks on it, all S
keep        N    head                         how long it is kept after its end, milliseconds
next_run    S    head                         the run that goes on in its place
link        S    head                         hash of the last entry of its audit
how         S    head                         how it came to be
who         S    head                         who made it
why         S    head                         what for
sealed      N    head                         number of its end among the entries of its audit
after       S    head                         how the hash of the entry before its end begins
began       N    head                         when its code began, said at its end
hidden      M    head, operation              payload: a list of secrets
trace       S    head                         the trace that it was started in
corr        S    head                         the caller's own mark on all that belongs together
run         S    claim                        run that holds the key
hash        S    claim                        hash of its input
workflow    S    claim                        name of the workflow
key         S    claim                        idempotency key
run         S    reference                    run that has the name
body        S    dead letter                  the message as it came
reason      S    dead letter                  why it could not be processed
at          N    dead letter                  when it was kept first
=========== ==== ============================ ================================================

What values are made of is told in ``values``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.adapters.dynamodb import keys
from everstep.adapters.dynamodb.values import (
    add_correlation,
    add_due,
    add_number,
    add_outcome,
    add_payload,
    add_text,
    correlation_in,
    ending_in,
    error_in,
    from_ending,
    from_logs,
    from_origin,
    from_parent,
    from_payload,
    from_stall,
    from_text,
    from_texts,
    from_trail,
    logs_in,
    number_in,
    origin_in,
    parent_in,
    payload_in,
    stall_in,
    status_in,
    tags_in,
    text_in,
    texts_in,
    to_text,
    trail_in,
)
from everstep.core.circumstances import Claim
from everstep.core.listing import Listed
from everstep.core.model import (
    HEAD,
    DueEntry,
    Event,
    Head,
    OpKind,
    OpRecord,
    OpStatus,
    Payload,
    RunStatus,
)
from everstep.core.records import replace

if TYPE_CHECKING:
    from typing import Any

    from everstep.adapters.dynamodb.values import Item
    from everstep.core.circumstances import Reference


# Looked up here, for every record that is read: to call the enum takes ten times as long.
_KINDS: Final = {each.value: each for each in OpKind}
_STATUSES: Final = {each.value: each for each in OpStatus}
_OF_A_STEP: Final = frozenset(
    {
        *("PK", "SK", "kind", "status", "by", "hash", "attempt", "start", "ended_at"),
        *("result", "c"),
    }
)
"""What the record of a step that is done holds, if it has said nothing."""


_NOTHING: Final = (None,) * 5


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
    add_number(item, "start", record.started_at)
    add_number(item, "ended_at", record.ended_at)
    add_outcome(item, record.result, record.error)
    # A step that is done has none of these: five calls less.
    if (record.wake_at, record.due_at, record.event, record.child, record.outcome) != _NOTHING:
        add_number(item, "wake_at", record.wake_at)
        add_due(item, run_id, record.due_at)
        add_number(item, "event", record.event)
        add_text(item, "child", record.child)
        add_text(item, "outcome", record.outcome)
    if record.patches:
        item["patches"] = from_texts(record.patches)
    add_payload(item, "hidden", record.hidden)
    if record.logs.chunks:
        item["logs"] = from_logs(record.logs)
    if record.cost:
        item["c"] = {"S": record.cost}
    return item


def to_record(item: Item) -> OpRecord:
    """Return the record of an operation's item."""
    record = OpRecord(
        key=keys.operation_of(item["SK"]["S"]),
        kind=_KINDS[item["kind"]["S"]],
        status=_STATUSES[item["status"]["S"]],
        by=item["by"]["S"],
        input_hash=to_text(item["hash"]),
        attempt=int(item["attempt"]["N"]),
        started_at=number_in(item, "start"),
        ended_at=number_in(item, "ended_at"),
        result=payload_in(item, "result"),
        cost=text_in(item, "c") or "",
    )
    return record if item.keys() <= _OF_A_STEP else replace(record, **_beyond_a_step(item))


def _beyond_a_step(item: Item) -> dict[str, Any]:
    """Return what most records have not got: they are read in two thirds of the time."""
    return {
        "wake_at": number_in(item, "wake_at"),
        "due_at": number_in(item, "due_at"),
        "error": error_in(item, "error"),
        "event": number_in(item, "event"),
        "child": text_in(item, "child"),
        "outcome": status_in(item, "outcome"),
        "patches": texts_in(item, "patches"),
        "hidden": payload_in(item, "hidden"),
        "logs": logs_in(item),
    }


def from_event(run_id: str, event: Event) -> Item:
    """Return the item of an event."""
    item: Item = {
        "PK": {"S": keys.run(run_id)},
        "SK": {"S": keys.event(event.name, event.number)},
        "payload": from_payload(event.payload),
        "at": {"N": str(event.at)},
    }
    add_text(item, "idem", event.key)
    add_text(item, "taken_by", event.taken_by)
    add_text(item, "c", event.cost or None)
    return item


def to_event(item: Item) -> Event:
    """Return the event of an item."""
    name, number = keys.event_of(item["SK"]["S"])
    return Event(
        name=name,
        number=number,
        payload=payload_in(item, "payload") or Payload(),
        at=int(item["at"]["N"]),
        key=text_in(item, "idem"),
        taken_by=text_in(item, "taken_by"),
        cost=text_in(item, "c") or "",
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
    add_due(item, head.run_id, head.due_at, removal=head.status.terminal)
    add_number(item, "ended_at", head.ended_at)
    add_outcome(item, head.result, head.error)
    add_number(item, "wake_at", head.starts_at)
    add_number(item, "resumed", head.resumed_at)
    if head.stall is not None:
        item["stall"] = from_stall(head.stall)
    add_text(item, "idem", head.idempotency_key)
    add_text(item, "secret", head.secret or None)
    add_text(item, "reference_id", head.reference_id)
    add_text(item, "next_run", head.successor)
    add_number(item, "deadline", head.deadline)
    add_number(item, "keep", head.retention)
    add_correlation(item, head.correlation)
    if head.parent is not None:
        item["parent"] = from_parent(head.parent)
    if head.ending is not None:
        item["ending"] = from_ending(head.ending)
    if head.origin is not None:
        item["origin"] = from_origin(head.origin)
    add_payload(item, "hidden", head.hidden)
    if head.tags:
        item["tags"] = {"M": {name: from_text(value) for name, value in head.tags.items()}}
    if head.trail is not None:
        item.update(from_trail(head.trail))
    if head.logs.chunks:
        item["logs"] = from_logs(head.logs)
    add_text(item, "c", head.cost or None)
    add_text(item, "total", head.total or None)
    add_text(item, "past", head.past or None)
    add_number(item, "budget", head.budget)
    return item


def to_head(item: Item) -> Head:
    """Return the head of a run's item."""
    return Head(
        run_id=keys.run_of(item["PK"]["S"]),
        workflow=item["workflow"]["S"],
        version=item["version"]["S"],
        status=RunStatus(item["status"]["S"]),
        input=payload_in(item, "input") or Payload(),
        created_at=int(item["created_at"]["N"]),
        by=item["by"]["S"],
        starts_at=number_in(item, "wake_at"),
        generation=int(item["gen"]["N"]),
        due_at=number_in(item, "due_at"),
        ended_at=number_in(item, "ended_at"),
        result=payload_in(item, "result"),
        error=error_in(item, "error"),
        stall=stall_in(item),
        resumed_at=number_in(item, "resumed"),
        idempotency_key=text_in(item, "idem"),
        secret=text_in(item, "secret") or "",
        parent=parent_in(item),
        deadline=number_in(item, "deadline"),
        ending=ending_in(item),
        origin=origin_in(item),
        reference_id=text_in(item, "reference_id"),
        tags=tags_in(item),
        retention=number_in(item, "keep"),
        successor=text_in(item, "next_run"),
        trail=trail_in(item),
        hidden=payload_in(item, "hidden"),
        correlation=correlation_in(item),
        logs=logs_in(item),
        cost=text_in(item, "c") or "",
        total=text_in(item, "total") or "",
        past=text_in(item, "past") or "",
        budget=number_in(item, "budget"),
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


def from_reference(reference: Reference) -> Item:
    """Return the item of a caller's own name for a run."""
    return {
        "PK": {"S": keys.reference(reference.workflow, reference.reference_id)},
        "SK": {"S": keys.ALONE},
        "run": {"S": reference.run_id},
    }


def to_due_entry(item: Item) -> DueEntry:
    """Return the entry of an item as the due index projects it."""
    run_id = keys.run_of(item["PK"]["S"])
    due_at = int(item["due_at"]["N"])
    if item["SK"]["S"] == keys.RUN_HEAD:
        return DueEntry(
            run_id=run_id,
            key=HEAD,
            due_at=due_at,
            wake_at=number_in(item, "wake_at") or 0,
            ended=RunStatus(item["status"]["S"]).terminal,
        )
    return DueEntry(
        run_id=run_id,
        key=keys.operation_of(item["SK"]["S"]),
        due_at=due_at,
        wake_at=number_in(item, "wake_at") or 0,
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
        ended_at=number_in(item, "ended_at"),
        starts_at=number_in(item, "wake_at"),
        reference_id=text_in(item, "reference_id"),
        tags=tags_in(item),
    )
