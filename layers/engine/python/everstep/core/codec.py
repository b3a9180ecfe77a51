"""Values as recorded text: JSON with tags for what JSON cannot say.

``encode`` and ``decode`` are inverse for None, bool, int, float (also nan and infinities), str,
bytes, bytearray, list, tuple, dict (any encodable keys), set, frozenset, datetime, date, time,
timedelta, Decimal, UUID and pydantic secrets; of a time zone the offset is kept, not the name. A
tag is an object with one key that starts with ``$``; a dict of the user's that could be mistaken
for one is written as a ``$map``. Anything else, subclasses and enums included, is the business of
``shapes``, which knows the annotation.
"""

from __future__ import annotations

import base64
import json
import math
import sys
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from everstep.core.errors import SerializationError
from everstep.core.masking import MASKED, TYPED

Leaf = Callable[[object, str], object]
"""Turns a value that the codec does not know into one that it does, or raises."""

MASK: Final = MASKED
_FOLD: Final = " fold"
# Where pydantic's secrets are defined: while that is not loaded, there are none.
_SECRETS: Final = "pydantic.types"
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_UNCHANGED: Final = frozenset({int, bool, type(None)})
# Made once: making them takes longer than most values do.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_SORTING: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
)


def encode(value: object, leaf: Leaf | None = None) -> str:
    """Return the recorded text of a value.

    Raises:
        SerializationError: Naming where in the value the trouble sits.
    """
    return dumps(tagged(value, leaf))


def decode(text: str) -> Any:  # noqa: ANN401 - the shape is the caller's knowledge
    """Return the value that ``encode`` wrote."""
    try:
        value, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError:
        value, end = None, -1
    # There are no blanks around what we write: to look for some takes longer than all the rest.
    return value if end == len(text) else _DECODER.decode(text)


def digest(value: object, leaf: Leaf | None = None) -> str:
    """Return a short stable hash of a value; equal values hash equal, dict order aside."""
    data = value if type(value) in _UNCHANGED else _ordered(tagged(value, leaf))
    return digest_text(_json(data, _SORTING))


def digest_text(text: str) -> str:
    """Return a 128-bit hash of a text as 22 URL-safe characters."""
    encoded = b2a_base64(sha256(text.encode()).digest()[:16], newline=False)
    return encoded[:22].translate(_URL_SAFE).decode()


def dumps(value: object) -> str:
    """Write JSON compactly; text stays text, so that non-ASCII costs no escapes."""
    return _json(value, _ENCODER)


def _json(value: object, encoder: json.JSONEncoder) -> str:
    try:
        # What an encoder writes, without all that one does before it writes anything.
        return int.__repr__(value) if type(value) is int else encoder.encode(value)
    except (ValueError, RecursionError) as error:
        # For example a whole number of more than 4,300 digits, or nan in what should be JSON.
        raise SerializationError(f"the value cannot be recorded: {error}") from error


def _ordered(data: object) -> object:
    """Return tagged data with the pairs of every ``$map`` in an order of their own."""
    match data:
        case {"$map": pairs}:
            ordered = sorted(([_ordered(part) for part in pair] for pair in pairs), key=_sort_key)
            return {"$map": ordered}
        case dict():
            return {key: _ordered(item) for key, item in data.items()}
        case list():
            return [_ordered(item) for item in data]
        case _:
            return data


def _sort_key(data: object) -> str:
    return _json(data, _SORTING)


def tagged(value: object, leaf: Leaf | None = None) -> object:
    """Return a value as JSON-ready data with tags."""
    try:
        return _tag(value, "$", leaf or refuse)
    except RecursionError as error:
        message = "the value nests too deeply or refers to itself, so it cannot be recorded"
        raise SerializationError(message) from error


def refuse(value: object, path: str) -> object:
    """Refuse a value that has no recorded form of its own."""
    message = (
        f"a {type(value).__qualname__} at {path} cannot be recorded as it is: annotate the type "
        "(of the step's result, the workflow's input or output), or use plain data"
    )
    raise SerializationError(message)


def _tag(value: object, path: str, leaf: Leaf) -> object:
    if type(value) in _UNCHANGED:
        return value
    writer = _WRITERS.get(type(value)) or _writer_of_secret(value)
    if writer is None and leaf is not refuse:
        writer = _writer_by_base(value)
    return writer(value, path, leaf) if writer else _tag(leaf(value, path), path, leaf)


def _writer_by_base(value: object) -> _Writer | None:
    """Find the writer for subclasses: an annotation knows how to make them from their base."""
    if isinstance(value, Enum):
        return _write_enum
    return next((_WRITERS[base] for base in _BY_BASE if isinstance(value, base)), None)


def _writer_of_secret(value: object) -> _Writer | None:
    types = sys.modules.get(_SECRETS)
    if types is not None and type(value) in (types.SecretStr, types.SecretBytes):
        return _write_secret
    return None


def _write_secret(value: Any, _path: str, _leaf: Leaf) -> object:  # noqa: ANN401
    shown = value.get_secret_value()
    return {"$secret": shown} if isinstance(shown, str) else {"$secret_bytes": _base64(shown)}


def _is_secret(value: object) -> bool:
    types = sys.modules.get(_SECRETS)
    return types is not None and isinstance(value, types.SecretStr | types.SecretBytes)


def _secret(text: str) -> object:
    from pydantic import SecretStr

    return SecretStr(text)


def _secret_bytes(text: str) -> object:
    from pydantic import SecretBytes

    return SecretBytes(base64.b64decode(text))


def _write_enum(value: Any, path: str, leaf: Leaf) -> object:  # noqa: ANN401
    return _tag(value.value, path, leaf)


def _write_int(value: Any, _path: str, _leaf: Leaf) -> object:  # noqa: ANN401
    return int(value)


def _write_str(value: Any, path: str, _leaf: Leaf) -> object:  # noqa: ANN401
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            message = f"the text at {path} holds a lone surrogate, which is no valid Unicode"
            raise SerializationError(message) from error
    return str(value)


def _write_float(value: Any, _path: str, _leaf: Leaf) -> object:  # noqa: ANN401
    return float(value) if math.isfinite(value) else {"$float": repr(float(value))}


def _write_list(value: Any, path: str, leaf: Leaf) -> object:  # noqa: ANN401
    return [_tag(item, f"{path}[{at}]", leaf) for at, item in enumerate(value)]


def _write_tuple(value: Any, path: str, leaf: Leaf) -> object:  # noqa: ANN401
    return {"$tuple": _write_list(value, path, leaf)}


def _write_set(value: Any, path: str, leaf: Leaf) -> object:  # noqa: ANN401
    tag = "$set" if isinstance(value, set) else "$frozenset"
    return {tag: sorted((_tag(item, f"{path}{{}}", leaf) for item in value), key=_sort_key)}


def _write_dict(value: Any, path: str, leaf: Leaf) -> object:  # noqa: ANN401
    if all(type(key) is str for key in value) and not _looks_like_a_tag(value):
        return {
            _write_str(key, path, leaf): _tag(item, f"{path}.{key}", leaf)
            for key, item in value.items()
        }
    pairs = [
        [_tag(key, f"{path} key", leaf), _tag(item, f"{path}.{key}", leaf)]
        for key, item in value.items()
    ]
    return {"$map": pairs}


def _looks_like_a_tag(value: Mapping[str, object]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith("$")


def _plain_tag(tag: str, text: Callable[[Any], object]) -> _Writer:
    def write(value: Any, _path: str, _leaf: Leaf) -> object:  # noqa: ANN401
        return {tag: text(value)}

    return write


def _microseconds(value: timedelta) -> int:
    return value // timedelta(microseconds=1)


def _moment(value: datetime | time) -> str:
    # ISO 8601 has no word for the second of two equal hours when clocks are set back.
    return value.isoformat() + (_FOLD if value.fold else "")


def _datetime(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix(_FOLD)).replace(fold=text.endswith(_FOLD))


def _time(text: str) -> time:
    return time.fromisoformat(text.removesuffix(_FOLD)).replace(fold=text.endswith(_FOLD))


def _base64(value: bytes | bytearray) -> str:
    return base64.b64encode(value).decode()


_Writer = Callable[[Any, str, Leaf], object]
_WRITERS: Final[dict[type, _Writer]] = {
    str: _write_str,
    int: _write_int,
    float: _write_float,
    list: _write_list,
    dict: _write_dict,
    tuple: _write_tuple,
    set: _write_set,
    frozenset: _write_set,
    bytes: _plain_tag("$bytes", _base64),
    bytearray: _plain_tag("$bytearray", _base64),
    datetime: _plain_tag("$datetime", _moment),
    date: _plain_tag("$date", date.isoformat),
    time: _plain_tag("$time", _moment),
    timedelta: _plain_tag("$timedelta", _microseconds),
    Decimal: _plain_tag("$decimal", str),
    UUID: _plain_tag("$uuid", str),
}
# Order matters where classes derive from one another: datetime is a date.
_BY_BASE: Final = (
    str,
    int,
    float,
    tuple,
    list,
    dict,
    set,
    frozenset,
    bytes,
    datetime,
    date,
    time,
    timedelta,
    Decimal,
    UUID,
)

_READERS: Final[dict[str, Callable[[Any], object]]] = {
    "$float": float,
    "$tuple": tuple,
    "$set": set,
    "$frozenset": frozenset,
    "$map": dict,
    "$bytes": base64.b64decode,
    "$bytearray": lambda value: bytearray(base64.b64decode(value)),
    "$datetime": _datetime,
    "$date": date.fromisoformat,
    "$time": _time,
    "$timedelta": lambda value: timedelta(microseconds=value),
    "$decimal": Decimal,
    "$uuid": UUID,
    "$secret": _secret,
    "$secret_bytes": _secret_bytes,
}


def _untag(data: dict[str, Any]) -> object:
    if len(data) == 1:
        (key,) = data
        reader = _READERS.get(key)
        if reader is not None:
            return reader(data[key])
    return data


_DECODER: Final = json.JSONDecoder(object_hook=_untag)


def plain(value: object) -> Any:  # noqa: ANN401 - JSON is recursive
    """Return a decoded value as ordinary JSON for people and other languages, secrets masked."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case timedelta():
            return value.total_seconds()
        case bytes() | bytearray():
            return _base64(value)
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return {_plain_key(key): plain(item) for key, item in value.items()}
        case Sequence() | AbstractSet():
            return [plain(item) for item in value]
        case _:
            return MASK if _is_secret(value) else str(value)


def masked(text: str) -> Any:  # noqa: ANN401 - JSON is recursive
    """Return what ``encode`` wrote as data, from which ``decode`` makes the value, secrets masked.

    The text of a masked secret is of no use, and stands where the secret stood.
    """
    return json.loads(text, object_hook=_mask)


def _mask(data: dict[str, Any]) -> dict[str, Any]:
    return {name: TYPED.get(name, item) for name, item in data.items()} if len(data) == 1 else data


def _plain_key(key: object) -> str:
    shown = plain(key)
    return shown if isinstance(shown, str) else json.dumps(shown)
