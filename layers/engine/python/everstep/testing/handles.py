"""What a test sees of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from everstep.app.cost import cost_of
from everstep.app.query import inspect
from everstep.app.run_logs import LARGEST_PAGE, LogQuery, read_logs
from everstep.core.codec import decode
from everstep.core.durations import to_datetime
from everstep.core.exported import export_history
from everstep.core.model import History

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from everstep.app.cost import Cost
    from everstep.app.engine import Engine
    from everstep.app.query import RunView
    from everstep.app.run_logs import ShownLine
    from everstep.core.decisions import Pending
    from everstep.core.model import ErrorInfo, OpKind, OpRecord, RunStatus
    from everstep.testing.logs import LogLine

Out = TypeVar("Out")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One operation of a run.

    Attributes:
        key: Its identity, for example ``charge#1``.
        kind: ``step`` or ``sleep``.
        status: ``DONE``, ``FAILED``, ``RETRY`` (waits for its next attempt), ``WAITING`` (a
            sleep that has not ended) or ``SCHEDULED`` (a step whose first attempt is to come).
        attempt: Attempts recorded so far.
        result: The value of a step that is done.
        error: The error of the last failed attempt.
        started_at: Start of the last attempt, or of the sleep.
        ended_at: End of the operation or of the last attempt.
        wake_at: When the sleep ends or the next attempt is due.
    """

    key: str
    kind: OpKind
    status: str
    attempt: int = 0
    result: Any = None
    error: ErrorInfo | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    wake_at: datetime | None = None


class TestRun(Generic[Out]):
    """A live handle: every attribute says how the run is now."""

    __test__ = False  # not a test, whatever pytest thinks of the name

    def __init__(
        self,
        run_id: str,
        *,
        engine: Callable[[], Engine],
        read_output: Callable[[str], Out],
        executions: Callable[[str, str], int],
        logs: Callable[[str], list[LogLine]],
    ) -> None:
        """Bind the handle to a run."""
        self._engine = engine
        self._logs = logs
        self._read_output = read_output
        self._executions = executions
        self.id = run_id

    @property
    def status(self) -> RunStatus:
        """Return the status."""
        return self._view().progress.status

    @property
    def result(self) -> Out | None:
        """Return what the workflow returned; None as long as it has not."""
        result = self._view().head.result
        return None if result is None else self._read_output(result.at_hand)

    @property
    def successor(self) -> TestRun[Out] | None:
        """Return the run that goes on in place of this one, which was continued as new."""
        successor = self._view().head.successor
        if successor is None:
            return None
        return TestRun(
            successor,
            engine=self._engine,
            read_output=self._read_output,
            executions=self._executions,
            logs=self._logs,
        )

    @property
    def recorded_result(self) -> str | None:
        """Return the recorded text of what the workflow returned; None as long as it has not."""
        result = self._view().head.result
        return None if result is None else result.at_hand

    @property
    def error(self) -> ErrorInfo | None:
        """Return why the run failed or stalled, if it did."""
        head = self._view().head
        return head.stall.reason if head.stall is not None else head.error

    @property
    def history(self) -> list[HistoryEntry]:
        """Return the run's operations in the order in which its code asked for them."""
        progress = self._view().progress
        return [_recorded(item) for item in progress.records] + [
            _scheduled(item) for item in progress.scheduled
        ]

    @property
    def cost(self) -> Cost:
        """Return what the run would have taken on AWS so far, time left out."""
        return cost_of(self._view())

    @property
    def logs(self) -> list[LogLine]:
        """Return what the workflow's and its steps' own loggers wrote, in order."""
        return self._logs(self.id)

    @property
    def recorded_logs(self) -> list[ShownLine]:
        """Return what is kept of what the run's code said, as ``GET /runs/{id}/logs`` shows it."""
        return list(read_logs(self._engine(), self.id, LogQuery(limit=LARGEST_PAGE)).lines)

    def executions(self, name: str) -> int:
        """Return how often a step of this name was executed, crashed attempts included."""
        return self._executions(self.id, name)

    def export(self) -> dict[str, Any]:
        """Return the run's recorded history as a document (see ``save_history``, ``replay``).

        Every payload stands in it in clear. Operations that left no record are not part of it.
        """
        view = self._view()
        records = {record.key: record for record in view.progress.records}
        return export_history(History(head=view.head, records=records), records, traces=False)

    def _view(self) -> RunView:
        return inspect(self._engine(), self.id)

    def __repr__(self) -> str:
        return f"<run {self.id} {self.status}>"


def _recorded(record: OpRecord) -> HistoryEntry:
    text = record.result.text if record.result else None
    return HistoryEntry(
        key=record.key,
        kind=record.kind,
        status=record.status.value,
        attempt=record.attempt,
        result=None if text is None else decode(text),
        error=record.error,
        started_at=_when(record.started_at),
        ended_at=_when(record.ended_at),
        wake_at=_when(record.wake_at),
    )


def _scheduled(pending: Pending) -> HistoryEntry:
    status = "SCHEDULED" if pending.wake_at is None else "WAITING"
    kind = pending.operation.kind
    return HistoryEntry(key=pending.key, kind=kind, status=status, wake_at=_when(pending.wake_at))


def _when(millis: int | None) -> datetime | None:
    return None if millis is None else to_datetime(millis)
