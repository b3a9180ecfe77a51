"""Recorded histories as files, replayed against today's code.

A history that was recorded once, here or in a live system, shows before a deployment whether
runs like it can go on with the code as it is now.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from everstep.app.replay_check import judge
from everstep.authoring.registry import Registry
from everstep.core.documents import HistoryFormatError
from everstep.core.durations import to_millis
from everstep.core.exported import document_text, export_history, parse_document, read_history
from everstep.core.model import History
from everstep.testing.handles import TestRun

if TYPE_CHECKING:
    from datetime import timedelta

    from everstep.authoring.workflows import Workflow
    from everstep.core.replay_reports import ReplayReport

Recorded: TypeAlias = TestRun[Any] | History | Mapping[str, Any] | str | os.PathLike[str]
"""A run, its history, the document that tells it, or the path of that document's file."""

UPDATE_VARIABLE: Final = "EVERSTEP_UPDATE_GOLDEN"


class ReplayError(AssertionError):
    """Say why a recorded run cannot go on with today's code, or would end otherwise.

    Attributes:
        report: What the replay has shown.
    """

    def __init__(self, report: ReplayReport) -> None:
        """Tell the report."""
        self.report = report
        lines = [str(report)]
        if report.safe:
            lines.append("Pass same_outcome=False if the other end is meant.")
        super().__init__("\n".join(lines))


class GoldenMissingError(AssertionError):
    """Say that a golden file was not recorded yet, and how to."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        self.path = path
        super().__init__(
            f"there is no recorded history {path}: run the test once with --everstep-update-golden "
            f"(or {UPDATE_VARIABLE}=1) to record it, then look at the file and commit it"
        )


def save_history(recorded: Recorded, path: str | os.PathLike[str]) -> None:
    """Write a recorded history to a file; the same history gives the same bytes.

    Raises:
        HistoryFormatError: It is none; nothing was written.
    """
    document = _document(recorded)
    read_history(document)
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document_text(document), encoding="utf-8", newline="\n")


def load_history(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the document in a file.

    Raises:
        HistoryFormatError: It tells no history; the message names file, field and what to do.
        OSError: The file cannot be read.
    """
    file = Path(path)
    try:
        document = parse_document(file.read_text(encoding="utf-8"))
        read_history(document)
    except HistoryFormatError as error:
        error.add_note(f"in {file}")
        raise
    return document


def golden(
    path: str | os.PathLike[str],
    recorded: Recorded | Callable[[], Recorded],
    *,
    update: bool | None = None,
) -> dict[str, Any]:
    """Return a history that was recorded before; record it anew only when asked to.

    Args:
        path: The golden file.
        recorded: The run (or a function that gives it) to be recorded when that is asked for.
        update: Whether to record; the environment variable ``EVERSTEP_UPDATE_GOLDEN=1`` says it
            if this does not.

    Raises:
        GoldenMissingError: It was never recorded.
        HistoryFormatError: The file holds no history.
    """
    renew = os.environ.get(UPDATE_VARIABLE) == "1" if update is None else update  # noqa: TID251 - a test's setting
    file = Path(path)
    if renew:
        save_history(recorded() if callable(recorded) else recorded, file)
    elif not file.exists():
        raise GoldenMissingError(file)
    return load_history(file)


def replay(
    history: Recorded,
    workflows: Iterable[Workflow[Any, Any]],
    *,
    patience: float | timedelta = 5,
) -> ReplayReport:
    """Replay a recorded run against today's code; no step is executed.

    Args:
        history: A run, its document, or the path of a document's file.
        workflows: The code as it is now.
        patience: How long the code may take, in seconds or as ``timedelta``.

    Raises:
        HistoryFormatError: The document tells no history.
        OSError: The file cannot be read.
    """
    told = history if isinstance(history, History) else read_history(_document(history))
    limit = to_millis(patience, "replay(patience)")
    return judge(Registry(workflows), told, patience=limit, values=True)


def assert_replays(
    history: Recorded,
    workflows: Iterable[Workflow[Any, Any]],
    *,
    same_outcome: bool = True,
    patience: float | timedelta = 5,
) -> ReplayReport:
    """Make sure that a recorded run can go on with today's code.

    Args:
        history: A run, its document, or the path of a document's file.
        workflows: The code as it is now.
        same_outcome: Whether a run that has ended must end in the same way today.
        patience: How long the code may take, in seconds or as ``timedelta``.

    Raises:
        ReplayError: It cannot; the message says where code and history part, and what to do.
        HistoryFormatError: The document tells no history.
        OSError: The file cannot be read.
    """
    __tracebackhide__ = True
    report = replay(history, workflows, patience=patience)
    if not report.safe or (same_outcome and not report.same_outcome):
        raise ReplayError(report)
    return report


def _document(recorded: Recorded) -> Mapping[str, Any]:
    match recorded:
        case TestRun():
            return recorded.export()
        case History():
            return export_history(recorded, recorded.records)
        case Mapping():
            return recorded
        case _:
            return load_history(recorded)
