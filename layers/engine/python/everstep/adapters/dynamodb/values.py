"""Attribute values: what an item is made of, written and read.

A payload is ``{t: text S, r: reference S, n: size N}``, an error ``{type, message, operation,
trace}``, all S. Where a text may be empty (the hash of a call without arguments, what people or
programs outside leave out), NULL stands for it: the DynamoDB Local that npm has knows no empty S.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.adapters.dynamodb import keys
from everstep.core.circumstances import Ending, How, Origin, Parent, Trail
from everstep.core.model import ErrorInfo, Payload, RunStatus, Stall
from everstep.core.run_logs import NO_LOGS, LogChunk, Logs
from everstep.core.trace_context import Correlation, read_recorded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Value: TypeAlias = AttributeValueTypeDef
    Item: TypeAlias = dict[str, Value]


def from_text(text: str) -> Value:
    """Return a text that may be empty as a value."""
    return {"S": text} if text else {"NULL": True}


def to_text(value: Value) -> str:
    """Return the text of a value."""
    return value.get("S", "")


def from_payload(payload: Payload) -> Value:
    """Return a payload as a map."""
    fields: Item = {}
    add_text(fields, "t", payload.text)
    add_text(fields, "r", payload.ref)
    if payload.size:
        fields["n"] = {"N": str(payload.size)}
    return {"M": fields}


def from_error(error: ErrorInfo) -> Value:
    """Return an error as a map."""
    fields: Item = {"type": from_text(error.type), "message": from_text(error.message)}
    add_text(fields, "operation", error.operation)
    add_text(fields, "trace", error.trace)
    return {"M": fields}


def from_stall(stall: Stall) -> Value:
    """Return why a run stands still as a map."""
    fields: Item = {"reason": from_error(stall.reason), "at": {"N": str(stall.at)}}
    add_text(fields, "message", stall.message)
    return {"M": fields}


def payload_in(item: Item, name: str) -> Payload | None:
    """Return the payload of an attribute; None if there is none."""
    if name not in item:
        return None
    fields = item[name]["M"]
    size = int(fields["n"]["N"]) if "n" in fields else 0
    if "r" not in fields:
        return Payload(text=text_in(fields, "t"), size=size)
    return Payload(text=text_in(fields, "t"), ref=text_in(fields, "r"), size=size)


def error_in(item: Mapping[str, Any], name: str) -> ErrorInfo | None:
    """Return the error of an attribute; None if there is none."""
    if name not in item:
        return None
    fields = item[name]["M"]
    return ErrorInfo(
        type=to_text(fields["type"]),
        message=to_text(fields["message"]),
        operation=text_in(fields, "operation"),
        trace=text_in(fields, "trace"),
    )


def stall_in(item: Item) -> Stall | None:
    """Return why a run stands still; None if it does not."""
    if "stall" not in item:
        return None
    fields = item["stall"]["M"]
    reason = error_in(fields, "reason")
    return Stall(
        reason=reason or ErrorInfo(type="Unknown", message=""),
        at=int(fields["at"]["N"]),
        message=text_in(fields, "message"),
    )


def number_in(item: Mapping[str, Any], name: str) -> int | None:
    """Return the number of an attribute; None if there is none."""
    return int(item[name]["N"]) if name in item else None


def text_in(item: Mapping[str, Any], name: str) -> str | None:
    """Return the text of an attribute; None if there is none."""
    return item[name].get("S", "") if name in item else None


def status_in(item: Mapping[str, Any], name: str) -> RunStatus | None:
    """Return the status of an attribute; None if there is none."""
    return RunStatus(item[name]["S"]) if name in item else None


def add_number(item: Item, name: str, number: int | None) -> None:
    """Put a number into an item, unless it is None."""
    if number is not None:
        item[name] = {"N": str(number)}


def add_text(item: Item, name: str, text: str | None) -> None:
    """Put a text into an item, unless it is None."""
    if text is not None:
        item[name] = from_text(text)


def add_due(item: Item, run_id: str, due_at: int | None, *, removal: bool = False) -> None:
    """Put an item into the due index: both key attributes, or none of them."""
    if due_at is not None:
        item["due_pk"] = {"S": keys.removal_of(run_id) if removal else keys.due_of(run_id)}
        item["due_at"] = {"N": str(due_at)}


def add_outcome(item: Item, result: Payload | None, error: ErrorInfo | None) -> None:
    """Put a result and an error into an item, as far as there are any."""
    add_payload(item, "result", result)
    if error is not None:
        item["error"] = from_error(error)


def add_payload(item: Item, name: str, payload: Payload | None) -> None:
    """Put a payload into an item, unless it is None."""
    if payload is not None:
        item[name] = from_payload(payload)


def from_parent(parent: Parent) -> Value:
    """Return what started a child run as a map."""
    return {"M": {"run": {"S": parent.run_id}, "op": {"S": parent.op}}}


def parent_in(item: Mapping[str, Any]) -> Parent | None:
    """Return what started a child run."""
    if "parent" not in item:
        return None
    fields = item["parent"]["M"]
    return Parent(run_id=fields["run"]["S"], op=fields["op"]["S"])


def add_correlation(item: Item, correlation: Correlation | None) -> None:
    """Add what joins a run with the rest of the world, if its caller said so."""
    if correlation is not None:
        trace = correlation.trace
        add_text(item, "trace", None if trace is None else trace.recorded)
        add_text(item, "corr", correlation.id)


def correlation_in(item: Mapping[str, Any]) -> Correlation | None:
    """Return what joins a run with the rest of the world; None if nobody said so."""
    given = text_in(item, "corr")
    trace = read_recorded(text_in(item, "trace"))
    return None if trace is None and given is None else Correlation(trace=trace, id=given)


def from_ending(ending: Ending) -> Value:
    """Return why a run is to end early as a map."""
    fields: Item = {"status": {"S": ending.status}, "at": {"N": str(ending.at)}}
    add_text(fields, "who", ending.who)
    add_text(fields, "why", ending.why)
    return {"M": fields}


def ending_in(item: Mapping[str, Any]) -> Ending | None:
    """Return why a run is to end early."""
    if "ending" not in item:
        return None
    fields = item["ending"]["M"]
    return Ending(
        status=RunStatus(fields["status"]["S"]),
        at=int(fields["at"]["N"]),
        who=text_in(fields, "who"),
        why=text_in(fields, "why"),
    )


def from_origin(origin: Origin) -> Value:
    """Return what a run goes on from as a map."""
    return {
        "M": {
            "run": {"S": origin.run_id},
            "op": {"S": origin.op},
            "root": {"S": origin.root},
            "at": {"N": str(origin.root_created_at)},
            "effects": {"S": origin.effects},
        }
    }


def origin_in(item: Mapping[str, Any]) -> Origin | None:
    """Return what a run goes on from."""
    if "origin" not in item:
        return None
    fields = item["origin"]["M"]
    return Origin(
        run_id=fields["run"]["S"],
        op=fields["op"]["S"],
        root=fields["root"]["S"],
        root_created_at=int(fields["at"]["N"]),
        effects=fields["effects"]["S"],
    )


def from_trail(trail: Trail) -> Item:
    """Return what a head holds of its run's audit, as attributes."""
    item: Item = {"link": {"S": trail.link}}
    add_text(item, "how", trail.how)
    add_text(item, "who", trail.who)
    add_text(item, "why", trail.why)
    add_number(item, "sealed", trail.sealed)
    add_text(item, "after", trail.after)
    add_number(item, "began", trail.started_at)
    return item


def trail_in(item: Mapping[str, Any]) -> Trail | None:
    """Return what a head holds of its run's audit; None if it is of an earlier release."""
    if "link" not in item and "how" not in item:
        return None
    return Trail(
        link=text_in(item, "link") or "",
        how=How(item["how"]["S"]) if "how" in item else None,
        who=text_in(item, "who"),
        why=text_in(item, "why"),
        sealed=number_in(item, "sealed"),
        after=text_in(item, "after"),
        started_at=number_in(item, "began"),
    )


def tags_in(item: Mapping[str, Any]) -> dict[str, str]:
    """Return the marks on a run."""
    return {name: to_text(value) for name, value in item.get("tags", {"M": {}})["M"].items()}


def from_texts(texts: Iterable[str]) -> Value:
    """Return a list of texts."""
    return {"L": [from_text(each) for each in texts]}


def texts_in(item: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a list of texts; none if there is no such attribute."""
    return tuple(to_text(each) for each in item[name]["L"]) if name in item else ()


def from_logs(logs: Logs) -> Value:
    """Return what was said as a list of maps."""
    return {"L": [_from_chunk(chunk) for chunk in logs.chunks]}


def logs_in(item: Mapping[str, Any]) -> Logs:
    """Return what was said."""
    if "logs" not in item:
        return NO_LOGS
    return Logs(chunks=tuple(_to_chunk(each["M"]) for each in item["logs"]["L"]))


def _from_chunk(chunk: LogChunk) -> Value:
    return {
        "M": {
            "at": {"N": str(chunk.at)},
            "attempt": {"N": str(chunk.attempt)},
            "count": {"N": str(chunk.count)},
            "lines": from_payload(chunk.payload),
        }
    }


def _to_chunk(fields: Item) -> LogChunk:
    return LogChunk(
        at=int(fields["at"]["N"]),
        attempt=int(fields["attempt"]["N"]),
        count=int(fields["count"]["N"]),
        payload=payload_in(fields, "lines") or Payload(),
    )
