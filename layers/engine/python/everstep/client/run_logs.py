"""Which lines of a run to ask for, and how to follow them."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

# Pydantic and the interpreter alike know it in every supported Python.
from typing_extensions import TypedDict

from everstep.core.durations import instant, to_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from everstep.client.answers import LogLine, LogPage

_PAUSE: Final = 1.0
# More than two pages: what comes again was said in the last seconds.
_REMEMBERED: Final = 5000


class LogFilter(TypedDict, total=False):
    """Which lines to show.

    Attributes:
        level: Only lines at least as severe, for example ``WARNING``.
        since: Only lines from this time on; aware of its time zone.
        until: Only lines before this time.
        step: Only lines of this operation (``charge#1``), or of all of this name (``charge``).
        source: Only lines of ``workflow``, ``step``, ``engine`` or ``system``.
        grep: Only lines whose text contains this, in capitals or not.
        limit: At most so many lines at a time, 100 if not given.
        after: Where the page before has ended.
    """

    level: str | None
    since: datetime | None
    until: datetime | None
    step: str | None
    source: str | None
    grep: str | None
    limit: int | None
    after: str | None


def log_query(which: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a filter as query parameters.

    Raises:
        TypeError: There is no such filter.
        ValueError: A time does not say its zone.
    """
    unknown = sorted(set(which) - set(LogFilter.__annotations__))
    if unknown:
        known = ", ".join(LogFilter.__annotations__)
        raise TypeError(f"there is no filter {unknown[0]!r}; there are {known}")
    given = {name: value for name, value in which.items() if value is not None}
    return [(name, _text(name, value)) for name, value in given.items()]


def follow(
    ask: Callable[[Mapping[str, Any]], LogPage], sleep: Callable[[float], None]
) -> Iterator[LogLine]:
    """Yield lines as they come, each once, until no more can come.

    Args:
        ask: Asks for a page, with what is to be asked otherwise than at first.
        sleep: Waits for so many seconds.
    """
    seen: deque[str] = deque(maxlen=_REMEMBERED)
    after: dict[str, str] = {}
    while True:
        page = ask(after)
        known = frozenset(seen)
        for line in page.lines:
            if line.id not in known:
                seen.append(line.id)
                yield line
        goes_on = page.next or page.follow
        if goes_on is None:
            return
        after = {"after": goes_on}
        if page.next is None:
            sleep(_PAUSE)


def _text(name: str, value: object) -> str:
    if isinstance(value, datetime):
        return to_iso(instant(value, name))
    return str(cast("str | int", value))
