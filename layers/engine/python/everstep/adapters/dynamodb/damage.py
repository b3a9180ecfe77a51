"""Items that cannot be read: which attribute it is, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from everstep.adapters.dynamodb import keys
from everstep.adapters.dynamodb.values import (
    ending_in,
    error_in,
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
)
from everstep.core.model import HEAD, OpKind, OpStatus, RunStatus
from everstep.core.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from everstep.adapters.dynamodb.values import Item

T = TypeVar("T")

BROKEN: Final = (AttributeError, KeyError, TypeError, ValueError)
"""What reading an item raises when an attribute is missing, or is not what it should be."""


def unreadable(item: Item) -> Unreadable:
    """Say what is wrong with an item of a run that could not be read."""
    sort_key = item.get("SK", {}).get("S", keys.RUN_HEAD)
    is_operation = keys.is_operation(sort_key)
    return Unreadable(
        run_id=keys.run_of(item["PK"]["S"]),
        key=keys.operation_of(sort_key) if is_operation else HEAD,
        reason=_fault(item, _OF_AN_OPERATION if is_operation else _OF_A_HEAD),
    )


def read(item: Item | None, to: Callable[[Item], T], faults: list[Unreadable]) -> T | None:
    """Return what an item holds, if it is there; add it to the list if it cannot be read."""
    if item is None:
        return None
    try:
        return to(item)
    except BROKEN:
        faults.append(unreadable(item))
        return None


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


def _needed_text(item: Item, name: str) -> str:
    return item[name]["S"]


def _needed_number(item: Item, name: str) -> int:
    return int(item[name]["N"])


# How each attribute is read, to find the one that cannot be. An index projects some of them
# only, and the needed ones stand in both indexes: those come first.
_OF_AN_OPERATION: Final[Mapping[str, Callable[[Item, str], object]]] = {
    "status": lambda item, name: OpStatus(_needed_text(item, name)),
    "attempt": _needed_number,
    "due_at": number_in,
    "wake_at": number_in,
    "start": number_in,
    "ended_at": number_in,
    "result": payload_in,
    "error": error_in,
    "kind": lambda item, name: OpKind(_needed_text(item, name)),
    "by": _needed_text,
    "hash": lambda item, name: to_text(item[name]),
    "event": number_in,
    "child": text_in,
    "outcome": status_in,
    "patches": texts_in,
    "hidden": payload_in,
    "logs": lambda item, _name: logs_in(item),
}
_OF_A_HEAD: Final[Mapping[str, Callable[[Item, str], object]]] = {
    "due_at": number_in,
    "status": lambda item, name: RunStatus(_needed_text(item, name)),
    "workflow": _needed_text,
    "version": _needed_text,
    "created_at": _needed_number,
    "ended_at": number_in,
    "result": payload_in,
    "error": error_in,
    "stall": lambda item, _name: stall_in(item),
    "resumed": number_in,
    "idem": text_in,
    "input": payload_in,
    "by": _needed_text,
    "gen": _needed_number,
    "secret": text_in,
    "parent": lambda item, _name: parent_in(item),
    "deadline": number_in,
    "ending": lambda item, _name: ending_in(item),
    "origin": lambda item, _name: origin_in(item),
    "reference_id": text_in,
    "tags": lambda item, _name: tags_in(item),
    "wake_at": number_in,
    "keep": number_in,
    "next_run": text_in,
    "hidden": payload_in,
    "logs": lambda item, _name: logs_in(item),
}
