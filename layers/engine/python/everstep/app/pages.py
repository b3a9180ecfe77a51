"""Lists that are at hand, page by page: a cursor names the last item of the page before."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Generic, TypeVar

from everstep.core.errors import InvalidRequestError
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Generic[T]):
    """Some items, and where the next page begins; no cursor means no more."""

    items: tuple[T, ...]
    cursor: str | None


def page_of(
    items: Sequence[T], name: Callable[[T], str], *, limit: int, cursor: str | None
) -> Slice[T]:
    """Return a page of a list whose items keep their order, and of which none goes away.

    Args:
        items: The whole list.
        name: What an item is known by; no two have the same.
        limit: At most so many, from 1.
        cursor: Where the page before ended; None for the first page.

    Raises:
        InvalidRequestError: A cursor of another list, or none at all.
    """
    begin = 0
    if cursor is not None:
        last = read_cursor(cursor, "after")
        begin = next((at for at, item in enumerate(items, 1) if name(item) == last), 0)
        if begin == 0:
            raise _foreign()
    shown = tuple(items[begin : begin + limit])
    more = begin + limit < len(items)
    return Slice(items=shown, cursor=write_cursor("after", name(shown[-1])) if more else None)


def write_cursor(what: str, name: str) -> str:
    """Return a cursor: opaque to callers, who hand it back as it is."""
    return base64.urlsafe_b64encode(json.dumps({what: name}).encode()).decode().rstrip("=")


def read_cursor(cursor: str, what: str) -> str:
    """Return the name that a cursor of this kind holds.

    Raises:
        InvalidRequestError: It holds none.
    """
    try:
        read = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        name = read[what]
    except (ValueError, KeyError, TypeError) as error:
        raise _foreign() from error
    if not isinstance(name, str):
        raise _foreign()
    return name


def _foreign() -> InvalidRequestError:
    return InvalidRequestError("the cursor is not one that this API gave out")
