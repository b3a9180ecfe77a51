"""Answer what people want to know about runs; nothing here writes."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from heapq import merge
from typing import TYPE_CHECKING, Final

from everstep.app.look import look
from everstep.app.payloads import load, with_outcome
from everstep.core.errors import InvalidRequestError, RunNotFoundError
from everstep.core.hiding import hidden_of, hidden_of_head
from everstep.core.listing import Listed, listed
from everstep.core.model import RunStatus
from everstep.core.progress import Progress, not_begun, progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from everstep.app.engine import Engine
    from everstep.core.masking import Masking
    from everstep.core.model import Head, History

LARGEST_PAGE: Final = 100
_RECORDED: Final = tuple(
    s for s in RunStatus if s not in (RunStatus.PENDING, RunStatus.SLEEPING, RunStatus.WAITING)
)
_DERIVED: Final = frozenset(
    {RunStatus.PENDING, RunStatus.RUNNING, RunStatus.SLEEPING, RunStatus.WAITING}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as people see it: head, progress, every payload at hand, and what to mask of it."""

    head: Head
    progress: Progress
    masking: Masking


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A run's head, its result at hand, and what to mask of it."""

    head: Head
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
    )


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
        cursor: Where the previous page ended.
        limit: At most so many runs, 1 to 100.

    Raises:
        InvalidRequestError: A limit or a cursor that makes no sense.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidRequestError(f"limit must be between 1 and {LARGEST_PAGE}, not {limit}")
    before = _read_cursor(cursor)
    names = [workflow] if workflow is not None else engine.registry.names
    # Few runs have a tag: more are looked at, so that a page is not empty too often.
    size = LARGEST_PAGE if tags else limit
    if reference_id is not None:
        found = _named(engine, names, reference_id, before)
    else:
        recorded = _RECORDED if status is None else (_recorded_of(status),)
        found = list(
            _newest(
                [
                    engine.lists.newest(name, each, before, size + 1)
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
        cursor=_write_cursor(found[looked_at - 1].run_id) if more else None,
    )


def _masked(engine: Engine, run: Listed) -> Listed:
    return replace(run, tags=engine.masking.data(dict(run.tags))) if run.tags else run


def _recorded_of(status: RunStatus) -> RunStatus:
    return RunStatus.RUNNING if status in _DERIVED else status


def _named(
    engine: Engine, workflows: Iterable[str], reference_id: str, before: str | None
) -> list[Listed]:
    held = [engine.runs.reference(name, reference_id) for name in workflows]
    heads = [engine.runs.head(each.run_id) for each in held if each is not None]
    found = [listed(head) for head in heads if head is not None]
    found = [each for each in found if before is None or each.run_id < before]
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
    history = load(engine, item.run_id)
    if history is None:
        return item
    return replace(item, status=_progress(engine, history).status, ended_at=history.head.ended_at)


def _progress(engine: Engine, history: History) -> Progress:
    if history.begins_later(engine.clock.now()):
        return not_begun(history.head)
    seen = look(engine, history, lambda replay: progress(history, replay.decision, replay.asked))
    return progress(history, None, []) if seen is None else seen


def _write_cursor(run_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps({"before": run_id}).encode()).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        read = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        before = read["before"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidRequestError("the cursor is not one that this API gave out") from error
    if not isinstance(before, str):
        raise InvalidRequestError("the cursor is not one that this API gave out")
    return before
