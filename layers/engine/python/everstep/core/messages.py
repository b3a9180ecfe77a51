"""Messages of the step queue as JSON text.

========  ==================  ==========================================
field     of ``Message``      absent means
========  ==================  ==========================================
run       run_id              (never absent)
kind      kind                (never absent)
tok       token               (never absent)
op        op                  the run itself
attempt   attempt             0
take      take                false
due       due                 0: at once
cost      cost                nothing
========  ==================  ==========================================

Reading is strict: a message from a newer release, or from somebody else, is refused as a whole
rather than half understood. The run that it belonged to is found again by the sweeper.
"""

from __future__ import annotations

import json
from typing import Final, TypeVar

from everstep.core.errors import MalformedMessageError
from everstep.core.model import HEAD, Message, MessageKind

_FIELDS: Final = frozenset({"run", "kind", "tok", "op", "attempt", "take", "due", "cost"})
_LARGEST: Final = 2**53 - 1
_SHOWN: Final = 80
# Looked up here: to call the enum takes ten times as long.
_KINDS: Final = {each.value: each for each in MessageKind}
_ABOUT_ONE: Final = frozenset({MessageKind.STEP, MessageKind.TIMER, MessageKind.CHECK})
# A text as JSON; an encoder for a whole message would be made anew for each.
_quoted: Final = json.encoder.encode_basestring_ascii

T = TypeVar("T", str, int, bool)


def encode(message: Message, cost: str = "") -> str:
    """Return the body of a message: compact ASCII JSON, which any queue carries unchanged.

    Args:
        message: The message.
        cost: What it carries in place of its own ``cost``.
    """
    text = f'{{"run":{_quoted(message.run_id)},"kind":"{message.kind.value}"'
    if message.op != HEAD:
        text += f',"op":{_quoted(message.op)}'
    if message.attempt:
        text += f',"attempt":{message.attempt}'
    text += f',"tok":{_quoted(message.token)}'
    if message.take:
        text += ',"take":true'
    if message.due:
        text += f',"due":{message.due}'
    if cost or message.cost:
        text += f',"cost":{_quoted(cost or message.cost)}'
    return text + "}"


def decode(body: str) -> Message:
    """Return the message of a body.

    Raises:
        MalformedMessageError: Saying which field is wrong, and how.
    """
    fields = _object(body)
    unknown = fields.keys() - _FIELDS
    if unknown:
        raise MalformedMessageError(f"unknown field {min(unknown)[:_SHOWN]!r} in a message")
    message = Message(
        run_id=_text(fields, "run"),
        kind=_kind(fields),
        token=_text(fields, "tok"),
        op=_text(fields, "op") if "op" in fields else HEAD,
        attempt=_count(fields, "attempt"),
        due=_count(fields, "due"),
        take="take" in fields and _typed(fields, "take", bool),
        cost=_typed(fields, "cost", str) if "cost" in fields else "",
    )
    _check_operation(message)
    return message


def _object(body: str) -> dict[str, object]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedMessageError(f"a message is no JSON: {body[:_SHOWN]!r}") from error
    if not isinstance(fields, dict):
        raise MalformedMessageError(f"a message is no JSON object: {body[:_SHOWN]!r}")
    return fields


def _typed(fields: dict[str, object], name: str, kind: type[T]) -> T:
    value = fields.get(name)
    # Exactly: True is an int to isinstance, and not to us.
    if type(value) is not kind:
        raise MalformedMessageError(
            f"field {name!r} of a message must be {kind.__name__}, not {value!r:.{_SHOWN}}"
            if name in fields
            else f"a message has no field {name!r}"
        )
    return value


def _text(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if type(value) is not str:
        value = _typed(fields, name, str)
    # Keys are printable; a lone surrogate, which no store takes, is not.
    if not value or not value.isprintable():
        raise MalformedMessageError(f"field {name!r} of a message is no name: {value[:_SHOWN]!r}")
    return value


def _count(fields: dict[str, object], name: str) -> int:
    if name not in fields:
        return 0
    value = _typed(fields, name, int)
    if not 0 <= value <= _LARGEST:
        raise MalformedMessageError(f"field {name!r} of a message is out of range: {value}")
    return value


def _kind(fields: dict[str, object]) -> MessageKind:
    value = _typed(fields, "kind", str)
    kind = _KINDS.get(value)
    if kind is None:
        raise MalformedMessageError(f"unknown kind of message {value[:_SHOWN]!r}")
    return kind


def _check_operation(message: Message) -> None:
    if message.kind in _ABOUT_ONE and message.op == HEAD:
        raise MalformedMessageError(f"a {message.kind} message must name its operation in 'op'")
    if message.kind is MessageKind.STEP and message.attempt == 0:
        raise MalformedMessageError("a step message must count its 'attempt' from 1")
