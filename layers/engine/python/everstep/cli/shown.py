"""Runs and their parts as people and programs see them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from everstep.core.durations import SECOND, instant, to_iso
from everstep.core.model import RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from everstep.cli.printing import Cell
    from everstep.client import ErrorDetails, RunDetails, RunSummary, StepDetails

RUNS: Final = ("run", "workflow", "version", "status", "created", "ended", "reference", "tags")
STEPS: Final = ("operation", "kind", "status", "attempt", "started", "took", "result")
_STYLES: Final[Mapping[str, str]] = {
    "ACTIVE": "green",
    "CANCELLED": "yellow",
    "COMPLETED": "green",
    "DONE": "green",
    "EXPIRED": "yellow",
    "FAILED": "red",
    "PAUSED": "yellow",
    "RETRY": "yellow",
    "REVOKED": "red",
    "RUNNING": "cyan",
    "STALLED": "bold red",
    "STARTED": "cyan",
    "TIMED_OUT": "red",
}
_LONGEST: Final = 200
_SHORT: Final = 10 * SECOND


def status(text: str) -> Cell:
    """Return a status in its colour."""
    return text, _STYLES.get(text, "")


def time(when: datetime | None) -> str:
    """Return a time in UTC, to the second."""
    return "" if when is None else f"{to_iso(instant(when, 'time'))[:19]}Z"


def instant_of(when: datetime) -> str:
    """Return a time in UTC, to the millisecond."""
    return to_iso(instant(when, "time"))


def data(model: BaseModel) -> dict[str, Any]:
    """Return an answer in the words of the API, what a newer one adds included."""
    return {name: _plain(each) for name, each in model.model_dump(by_alias=True).items()}


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    match value:
        case datetime():
            return instant_of(value)
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value


def text(value: object) -> str:
    """Return a value as JSON in one line; what is long is cut, and says so."""
    whole = json.dumps(value, ensure_ascii=False)
    return whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]}… (--json shows all)"


def run_row(run: RunSummary) -> Sequence[Cell]:
    """Return a run as a row of a list."""
    tags = " ".join(f"{name}={value}" for name, value in run.tags.items())
    return (
        run.id,
        run.workflow,
        run.version,
        status(run.status),
        time(run.created_at),
        time(run.ended_at),
        run.reference_id or "",
        tags,
    )


def step_row(step: StepDetails) -> Sequence[Cell]:
    """Return an operation as a row of a history."""
    return (
        step.key,
        step.kind,
        status(step.status),
        str(step.attempt or ""),
        time(step.started_at),
        took(step.duration_ms),
        _came_to(step),
    )


def took(millis: int | None) -> str:
    """Return a length of time as people say it."""
    if millis is None:
        return ""
    if millis < _SHORT:
        return f"{millis} ms"
    minutes, seconds = divmod(millis // SECOND, 60)
    hours, minutes = divmod(minutes, 60)
    parts = {"h": hours, "min": minutes, "s": 0 if hours else seconds}
    return " ".join(f"{number} {unit}" for unit, number in parts.items() if number)


def _came_to(step: StepDetails) -> str:
    if step.error is not None:
        return f"{step.error.type}: {step.error.message}"
    if step.wake_at is not None and step.ended_at is None:
        return f"until {time(step.wake_at)}"
    return "" if step.result is None else text(step.result)


def run_facts(run: RunDetails) -> Mapping[str, Cell | None]:
    """Return what is to be said of a run beside its steps."""
    said: dict[str, Cell | None] = {
        "run": run.id,
        "workflow": f"{run.workflow} version {run.version}",
        "status": status(run.status),
        "reference": run.reference_id,
        "tags": " ".join(f"{name}={value}" for name, value in run.tags.items()) or None,
        "created": time(run.created_at),
        "begins": time(run.starts_at) or None,
        "started": time(run.started_at) or None,
        "wakes": time(run.wake_at) or None,
        "time is up": time(run.deadline) or None,
        "ended": time(run.ended_at) or None,
        "input": text(run.input),
        "successor": run.successor,
    }
    if run.status is RunStatus.COMPLETED:
        said["result"] = text(run.result)
    said["error"], said["stalled by"] = _error(run.error), _error(run.stall)
    return {**said, **_relatives(run)}


def _error(error: ErrorDetails | None) -> Cell | None:
    if error is None:
        return None
    where = f" ({error.operation})" if error.operation else ""
    return f"{error.type}: {error.message}{where}", "red"


def _relatives(run: RunDetails) -> Mapping[str, Cell | None]:
    """Return the runs that it belongs to, and who wants it to end."""
    others = run.model_extra or {}
    parent, origin, ending = (others.get(name) for name in ("parent", "origin", "ending"))
    return {
        "parent": parent and f"{parent['run_id']} ({parent['operation']})",
        "goes on from": origin and f"{origin['run_id']} ({origin['from_step'] or 'its start'})",
        "is to end": ending and f"{ending['status']} {_why(ending)}".rstrip(),
    }


def _why(ending: Mapping[str, Any]) -> str:
    by = f"by {ending['by']} " if ending.get("by") else ""
    return f"{by}({ending['reason']})" if ending.get("reason") else by


def schema(found: Mapping[str, Any] | None) -> str:
    """Return a JSON Schema as JSON in one line."""
    return "without a schema" if found is None else json.dumps(found, ensure_ascii=False)
