"""A run as a person wants to see it: its steps along time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from rich.table import Table
from rich.text import Text

COLOURS: Final = {
    "DONE": "green",
    "COMPLETED": "green",
    "FAILED": "red",
    "STALLED": "red",
    "RETRY": "yellow",
    "WAITING": "cyan",
    "SLEEPING": "cyan",
}


def live_view(run: dict[str, Any]) -> Table:
    """Return the steps so far, while the run goes on."""
    table = timeline(run)
    table.caption = f"run {run['run_id']}: watching, every 0.2 s"
    return table


def timeline(run: dict[str, Any]) -> Table:
    """Return one row per operation: status, attempts, start, duration, sleep lateness."""
    table = Table(title=_title(run), title_justify="left", title_style="bold")
    for column, justify in (
        ("step", "left"),
        ("status", "left"),
        ("attempts", "right"),
        ("start", "right"),
        ("duration", "right"),
        ("late", "right"),
    ):
        table.add_column(column, justify="left" if justify == "left" else "right")
    created = _instant(run["created_at"])
    for step in run.get("steps", []):
        table.add_row(
            step["key"],
            Text(step["status"], style=COLOURS.get(step["status"], "")),
            str(step.get("attempt") or ""),
            _since(created, step.get("started_at")),
            _millis(step.get("duration_ms")),
            _millis(step.get("lateness_ms")),
        )
    return table


def _title(run: dict[str, Any]) -> Text:
    status = str(run["status"])
    took = ""
    if run.get("ended_at"):
        seconds = (_instant(run["ended_at"]) - _instant(run["created_at"])).total_seconds()
        took = f" in {seconds:.1f} s"
    return Text.assemble(
        f"{run['workflow']} ", (status, COLOURS.get(status, "bold")), took, f"  {run['run_id']}"
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _since(start: datetime, text: str | None) -> str:
    return "" if text is None else f"+{(_instant(text) - start).total_seconds():.2f} s"


def _millis(value: int | None) -> str:
    return "" if value is None else f"{value} ms"
