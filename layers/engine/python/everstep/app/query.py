"""Answer what people want to know about runs; nothing here writes."""

from __future__ import annotations

from heapq import merge
from typing import TYPE_CHECKING, Final

from everstep.app.look import look
from everstep.app.pages import page_of, read_cursor, write_cursor
from everstep.app.payloads import load, secrets_of, unpack, with_outcome
from everstep.app.reading import read_run
from everstep.core.errors import InvalidRequestError, RunNotFoundError
from everstep.core.hiding import hidden_of, hidden_of_head
from everstep.core.ids import earliest_id
from everstep.core.listing import Listed, listed
from everstep.core.model import RunStatus
from everstep.core.progress import Progress, not_begun, progress
from everstep.core.records import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from everstep.app.engine import Engine
    from everstep.core.masking import Masking
    from everstep.core.model import Event, Head, History

LARGEST_PAGE: Final = 100
_RECORDED: Final = tuple(
    s for s in RunStatus if s not in (RunStatus.PENDING, RunStatus.SLEEPING, RunStatus.WAITING)
)
_DERIVED: Final = frozenset(
    {RunStatus.PENDING, RunStatus.RUNNING, RunStatus.SLEEPING, RunStatus.WAITING}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as people see it: every payload at hand but those of its events.

    Attributes:
        head: The run.
        progress: How far it is.
        masking: What is not to be shown of it.
        events: What was sent to it.
    """

    head: Head
    progress: Progress
    masking: Masking
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A run's head, its result at hand, and what is not to be shown of it."""

    head: Head
    masking: Masking


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Events of a run, payloads at hand, and what is not to be shown of them."""

    items: tuple[Event, ...]
    cursor: str | None
    masking: Masking


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some runs, newest first, and where the next page begins; no cursor means no more."""

    runs: tuple[Listed, ...]
    cursor: str | None


def inspect(engine: Engine, run_id: str) -> RunView:
    """Return a run with its operations.

    Raises:
        RunNotFoundError: There is no such run.
    """
    history = load(engine, run_id)
    if history is None:
        raise RunNotFoundError(run_id)
    whole = replace(history, head=with_outcome(engine, history.head))
    return RunView(
        head=whole.head,
        progress=_progress(engine, whole),
        masking=hidden_of(whole, engine.masking).masking,
        events=history.events,
    )


def list_events(engine: Engine, run_id: str, *, limit: int, cursor: str | None) -> EventPage:
    """Return events that were sent to a run, by name in the order in which they came.

    Args:
        engine: The ports.
        run_id: The run.
        limit: At most so many, from 1.
        cursor: Where the page before ended.

    Raises:
        InvalidRequestError: A cursor that makes no sense.
        RunNotFoundError: There is no such run.
    """
    history = engine.runs.load(run_id)
    if history is None:
        raise RunNotFoundError(run_id)
    found = page_of(
        history.events, lambda each: f"{each.name}/{each.number}", limit=limit, cursor=cursor
    )
    items = tuple(with_payloads(engine, run_id, found.items))
    masking = secrets_of(engine, history).masking
    return EventPage(items=items, cursor=found.cursor, masking=masking)


def with_payloads(engine: Engine, run_id: str, events: Iterable[Event]) -> Sequence[Event]:
    """Return events of a run with their payloads at hand."""
    return [replace(each, payload=unpack(engine, run_id, each.payload)) for each in events]


def outcome(engine: Engine, run_id: str) -> Outcome:
    """Return how a run ended, if it has; cheap enough to be called in a loop.

    Raises:
        RunNotFoundError: There is no such run.
    """
    head = engine.runs.head(run_id)
    if head is None:
        raise RunNotFoundError(run_id)
    whole = with_outcome(engine, head)
    return Outcome(head=whole, masking=hidden_of_head(whole, engine.masking).masking)


def list_runs(  # noqa: PLR0913 - filters by name
    engine: Engine,
    *,
    workflow: str | None = None,
    status: RunStatus | None = None,
    tags: Mapping[str, str] | None = None,
    reference_id: str | None = None,
    since: int | None = None,
    until: int | None = None,
    cursor: str | None = None,
    limit: int = 20,
) -> Page:
    """Return runs, newest first; a run that was just started may show a moment later.

    RUNNING, SLEEPING, WAITING and PENDING are told apart by reading each such run, and tags are
    looked at run by run. A page whose filter is one of these may therefore hold fewer runs than
    ``limit``, or none, although there are more: as long as there is a cursor, there may be.

    With a reference id it is the run that has it, or had it last, and up to date.

    Args:
        engine: The ports.
        workflow: Only runs of this workflow; of every deployed workflow if not given.
        status: Only runs with this status.
        tags: Only runs with all of these tags.
        reference_id: Only the run with this reference id, one of each workflow.
        since: Only runs accepted at this instant or later, by what their ids say.
        until: Only runs accepted before this instant.
        cursor: Where the previous page ended.
        limit: At most so many runs, 1 to 100.

    Raises:
        InvalidRequestError: A limit or a cursor that makes no sense.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidRequestError(f"limit must be between 1 and {LARGEST_PAGE}, not {limit}")
    span = _span(since, until, cursor)
    names = [workflow] if workflow is not None else engine.registry.names
    # Few runs have a tag: more are looked at, so that a page is not empty too often.
    size = LARGEST_PAGE if tags else limit
    if reference_id is not None:
        found = _named(engine, names, reference_id, span)
    else:
        recorded = _RECORDED if status is None else (_recorded_of(status),)
        found = list(
            _newest(
                [
                    engine.lists.newest(name, each, span.before, size + 1, since=span.since)
                    for name in names
                    for each in recorded
                ],
                size + 1,
            )
        )
    kept: list[Listed] = []
    looked_at = 0
    for item in found[:size]:
        if len(kept) == limit:
            break
        looked_at += 1
        if (tags or {}).items() <= item.tags.items():
            shown = _look_closely(engine, item)
            kept += [shown] if status in (None, shown.status) else []
    more = len(found) > looked_at
    return Page(
        runs=tuple(_masked(engine, each) for each in kept),
        cursor=write_cursor("before", found[looked_at - 1].run_id) if more else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """The ids to look among: from one, and before another one."""

    since: str | None
    before: str | None

    def holds(self, run_id: str) -> bool:
        late_enough = self.since is None or run_id >= self.since
        return late_enough and (self.before is None or run_id < self.before)


def _span(since: int | None, until: int | None, cursor: str | None) -> _Span:
    ends = [] if until is None else [earliest_id(until)]
    ends += [] if cursor is None else [read_cursor(cursor, "before")]
    return _Span(
        since=None if since is None else earliest_id(since), before=min(ends, default=None)
    )


def _masked(engine: Engine, run: Listed) -> Listed:
    return replace(run, tags=engine.masking.data(dict(run.tags))) if run.tags else run


def _recorded_of(status: RunStatus) -> RunStatus:
    return RunStatus.RUNNING if status in _DERIVED else status


def _named(
    engine: Engine, workflows: Iterable[str], reference_id: str, span: _Span
) -> list[Listed]:
    held = [engine.runs.reference(name, reference_id) for name in workflows]
    heads = [engine.runs.head(each.run_id) for each in held if each is not None]
    found = [listed(head) for head in heads if head is not None]
    found = [each for each in found if span.holds(each.run_id)]
    return sorted(found, key=lambda each: each.run_id, reverse=True)


def _newest(sources: Iterable[Iterable[Listed]], limit: int) -> Iterator[Listed]:
    merged = merge(*sources, key=lambda item: item.run_id, reverse=True)
    seen: str | None = None
    for _, item in zip(range(limit * 2), merged, strict=False):
        # While a status changes the index can show a run under both.
        if item.run_id != seen:
            seen = item.run_id
            yield item


def _look_closely(engine: Engine, item: Listed) -> Listed:
    if item.status is not RunStatus.RUNNING:
        return item
    history, unreadable = read_run(engine, item.run_id)
    # One run that cannot be read keeps nobody from seeing the others: it is shown as recorded.
    if history is None or unreadable:
        return item
    return replace(item, status=_progress(engine, history).status, ended_at=history.head.ended_at)


def _progress(engine: Engine, history: History) -> Progress:
    if history.begins_later(engine.clock.now()):
        return not_begun(history.head)
    seen = look(engine, history, lambda replay: progress(history, replay.decision, replay.asked))
    return progress(history, None, []) if seen is None else seen
