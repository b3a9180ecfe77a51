"""Values, and what operations are asked for, in words for people."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from everstep.core import codec
from everstep.core.durations import LAST_INSTANT, to_iso

_LONGEST: Final = 120


def brief(value: object) -> str:
    """Return a value in short, whatever its class does to be shown."""
    return cut(whole(value))


def whole(value: object) -> str:
    """Return a value as its class shows it, if that does not fail."""
    try:
        return repr(value)
    except Exception as trouble:  # noqa: BLE001 - user code may raise anything
        return f"<{type(value).__name__}, whose repr raises {type(trouble).__name__}>"


def brief_text(text: str) -> str:
    """Return recorded text for people, secrets masked."""
    return cut(codec.dumps(codec.plain(codec.decode(text))))


def cut(text: str) -> str:
    """Return the beginning of a text that is too long."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def told_call(input_hash: str) -> str:
    """Return in words what an operation other than a step was asked for.

    Args:
        input_hash: Of a sleep ``for=…`` or ``until=…``, of a wait ``timeout=…``, of a group its
            verb and the number of its branches.
    """
    word, _, said = input_hash.partition("=")
    if (word, said) == ("timeout", "None"):
        return "without a time-out"
    if not said.isdecimal() or int(said) > LAST_INSTANT:
        return input_hash
    number = int(said)
    match word:
        case "for":
            return f"for {timedelta(milliseconds=number)}"
        case "until":
            return f"until {to_iso(number)}"
        case "timeout":
            return f"with a time-out of {timedelta(milliseconds=number)}"
        case _:
            return f"ctx.{word} of {number} {'branch' if number == 1 else 'branches'}"
