"""What a run's code has said: the lines that are kept, found again."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from everstep.app.payloads import secrets_of, unpack
from everstep.core.durations import SECOND
from everstep.core.errors import (
    EverstepError,
    InvalidRequestError,
    RunNotFoundError,
    UnavailableError,
)
from everstep.core.keys import name_of
from everstep.core.model import RunStatus
from everstep.core.records import replace
from everstep.core.run_logs import (
    LEVELS,
    LogChunk,
    LogLine,
    LogSource,
    decode,
    note,
    severity,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from everstep.app.engine import Engine
    from everstep.core.model import Head, History

LARGEST_PAGE: Final = 1000
# Of clocks and of writes under way: what is younger may still get something before it.
_UNSETTLED: Final = 5 * SECOND
_LAST: Final = 1 << 31
_BAD: Final = frozenset({RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.TIMED_OUT})
_START: Final = ""
"""Before every key: what is told of the run's beginning."""
_END: Final = "\U0010ffff"
"""After every key: what is told of the run's end. No name has this in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which lines of a run are asked for.

    Attributes:
        level: Only lines at least as severe.
        since: Only lines from this instant on, in milliseconds.
        until: Only lines before this instant.
        step: Only lines of this operation, or of every operation of this name.
        source: Only lines of this source.
        grep: Only lines whose text contains this, in capitals or not.
        limit: At most so many lines, from 1.
        after: Only lines after this one: where the previous page ended.
    """

    level: str | None = None
    since: int | None = None
    until: int | None = None
    step: str | None = None
    source: LogSource | None = None
    grep: str | None = None
    limit: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLine:
    """A line, and where it was said.

    Attributes:
        id: Identity within the run; lines are in the order in which they were recorded.
        line: The line.
        step: The operation that it belongs to: the step, or what the workflow asked for next.
            None for what is about the run, or was said after its last operation.
        attempt: The attempt of the step that said it; None for others.
    """

    id: str
    line: LogLine
    step: str | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Lines of a run.

    Attributes:
        lines: The lines.
        next: Where the next page begins; None if this is the last one by now.
        follow: From where to look for what comes later: some lines may come again, by their id.
            None once the run has ended and nothing more can come.
    """

    lines: tuple[ShownLine, ...]
    next: str | None
    follow: str | None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class _Place:
    """Where a line stands among the others."""

    at: int
    key: str = ""
    attempt: int = 0
    number: int = 0

    def __str__(self) -> str:
        row = [self.at, self.key, self.attempt, self.number]
        text = json.dumps(row, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_logs(engine: Engine, run_id: str, query: LogQuery) -> LogPage:
    """Return lines of a run.

    Raises:
        RunNotFoundError: There is no such run.
        InvalidRequestError: A level, a limit or a place that makes no sense.
    """
    _check(query)
    after = _Place(at=-1) if query.after is None else _place(query.after)
    history = engine.runs.load(run_id)
    if history is None:
        raise RunNotFoundError(run_id)
    matching = (
        (place, shown)
        for place, shown in _lines(engine, history, after)
        if place > after and _matches(shown, query)
    )
    masking = secrets_of(engine, history).masking
    found = list(islice(matching, query.limit + 1))
    page, more = found[: query.limit], len(found) > query.limit
    return LogPage(
        lines=tuple(replace(shown, line=shown.line.masked(masking)) for _, shown in page),
        next=str(page[-1][0]) if more else None,
        follow=_follow(engine, history.head, [place for place, _ in page], after, more=more),
    )


def _follow(
    engine: Engine, head: Head, places: list[_Place], after: _Place, *, more: bool
) -> str | None:
    if head.status.terminal and not more:
        return None
    settled = engine.clock.now() - _UNSETTLED
    return str(max((each for each in places if each.at < settled), default=after))


def _lines(engine: Engine, history: History, after: _Place) -> Iterator[tuple[_Place, ShownLine]]:
    """Yield all lines in order; chunks that lie before a place are not fetched."""
    for first, chunk in sorted(_chunks(history), key=lambda each: each[0]):
        if replace(first, number=_LAST) <= after:
            continue
        for number, line in enumerate(_fetched(engine, history.head.run_id, chunk)):
            place = replace(first, number=number)
            attempt = first.attempt if line.source is not LogSource.WORKFLOW else 0
            step = "" if first.key.startswith(_END) else first.key
            shown = ShownLine(id=str(place), line=line, step=step or None, attempt=attempt or None)
            yield place, shown


def _chunks(history: History) -> Iterator[tuple[_Place, LogChunk | LogLine]]:
    head = history.head
    for key, record in history.records.items():
        for chunk in record.logs.chunks:
            yield _Place(at=chunk.at, key=key, attempt=chunk.attempt), chunk
    for chunk in head.logs.chunks:
        yield _Place(at=chunk.at, key=_END), chunk
    for number, line in enumerate(_about(head)):
        yield _Place(at=line.at, key=f"{_END}{number}" if number else _START), line


def _about(head: Head) -> Iterator[LogLine]:
    """Yield what there is to say of a run as a whole."""
    yield _system(head.created_at, "INFO", f"{head.workflow} version {head.version} was accepted")
    if head.stall is not None:
        reason = head.stall.reason
        text = f"the run stands still: {reason.type}: {reason.message}"
        yield _system(head.stall.at, "ERROR", text)
    if head.ended_at is not None:
        error = head.error
        level = "ERROR" if head.status in _BAD else "INFO"
        why = f": {error.type}: {error.message}" if error else ""
        yield _system(head.ended_at, level, f"the run is {head.status}{why}")


def _system(at: int, level: str, message: str) -> LogLine:
    return LogLine(at=at, level=level, source=LogSource.SYSTEM, logger="everstep", message=message)


def _fetched(engine: Engine, run_id: str, chunk: LogChunk | LogLine) -> Iterable[LogLine]:
    if isinstance(chunk, LogLine):
        return (chunk,)
    try:
        return decode(unpack(engine, run_id, chunk.payload).at_hand)
    except UnavailableError:
        raise
    except EverstepError as error:
        return (note(chunk.at, f"{chunk.count} lines cannot be read: {error}"),)


def _matches(shown: ShownLine, query: LogQuery) -> bool:
    line = shown.line
    return (
        (query.level is None or severity(line.level) >= LEVELS[query.level])
        and (query.since is None or line.at >= query.since)
        and (query.until is None or line.at < query.until)
        and (query.step is None or _is_of(shown.step, query.step))
        and (query.source is None or line.source is query.source)
        and (query.grep is None or query.grep.lower() in line.message.lower())
    )


def _is_of(key: str | None, step: str) -> bool:
    return key is not None and step in (key, name_of(key))


def _check(query: LogQuery) -> None:
    if query.level is not None and query.level not in LEVELS:
        raise InvalidRequestError(f"level must be one of {', '.join(LEVELS)}, not {query.level!r}")
    if not 1 <= query.limit <= LARGEST_PAGE:
        raise InvalidRequestError(f"limit must be from 1 to {LARGEST_PAGE}, not {query.limit}")


def _place(text: str) -> _Place:
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        at, key, attempt, number = json.loads(base64.b64decode(padded, b"-_", validate=True))
        place = _Place(at=int(at), key=str(key), attempt=int(attempt), number=int(number))
    except (ValueError, TypeError) as error:
        raise InvalidRequestError(
            "after must be the id of a line, or what a page of lines gave"
        ) from error
    return place
