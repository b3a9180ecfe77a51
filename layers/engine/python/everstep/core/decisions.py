"""Where a pass over a workflow's code can stand."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from everstep.core.model import OpRecord
from everstep.core.operations import TIMED
from everstep.core.records import dataclass
from everstep.core.run_logs import NO_LOGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.core.joins import Join
    from everstep.core.model import ErrorInfo, OpStatus, Payload
    from everstep.core.operations import Operation
    from everstep.core.run_logs import LogLine, Logs


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An operation of the frontier.

    Attributes:
        key: Its identity.
        operation: What is asked for.
        record: What is recorded so far, if anything.
        unlocked_by: Key of the operation whose end led here; HEAD for the start of the run.
        ready_at: When that was.
        interrupted: Whether the code that asks knows already that the run is to end.
        patches: Marks of the changes that it has come by.
        lines: What the code has said since what it asked for before.
    """

    key: str
    operation: Operation[Any]
    record: OpRecord | None
    unlocked_by: str
    ready_at: int
    interrupted: bool = False
    patches: tuple[str, ...] = ()
    lines: tuple[LogLine, ...] = ()

    def begun(  # noqa: PLR0913 - what a record says
        self,
        status: OpStatus,
        token: str,
        *,
        attempt: int = 0,
        started_at: int | None = None,
        wake_at: int | None = None,
        ended_at: int | None = None,
        result: Payload | None = None,
        logs: Logs | None = None,
    ) -> OpRecord:
        """Return a record that takes the place of what is recorded so far."""
        return OpRecord(
            key=self.key,
            kind=self.operation.kind,
            status=status,
            by=token,
            input_hash=self.operation.input_hash,
            attempt=attempt,
            started_at=started_at,
            ended_at=ended_at,
            wake_at=wake_at,
            result=result,
            patches=self.patches,
            logs=self.logs if logs is None else logs,
        )

    @property
    def logs(self) -> Logs:
        """Return what is kept of what was said: the code's own lines go with the first record."""
        if self.record is not None:
            return self.record.logs.recorded_so_far
        return NO_LOGS.and_lines(self.lines)

    @property
    def wake_at(self) -> int | None:
        """Return when the sleep ends or the next attempt is due; None if it may go on at once."""
        if self.record is not None:
            return self.record.wake_at
        call = self.operation.call
        return call.wake_at(self.ready_at) if isinstance(call, TIMED) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closable:
    """A group of branches that has done enough, and of which that is not recorded yet.

    Attributes:
        key: Its identity.
        operation: What is asked for.
        join: How it would be closed.
        closers: Operations whose ends let it be closed; whoever ended one of them owes that.
        ready_at: When the last of them was.
        patches: Marks of the changes that the code before it, and in its branches, has come by.
    """

    key: str
    operation: Operation[Any]
    join: Join
    closers: tuple[str, ...]
    ready_at: int
    patches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """The workflow waits for these operations.

    Attributes:
        frontier: Operations without a result.
        closable: Groups that can be closed.
        closers: Of groups that are closed: the operations whose ends let them be.
        children: Runs that were started and are not known to have ended.
    """

    frontier: tuple[Pending, ...]
    closable: tuple[Closable, ...] = ()
    closers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    children: tuple[str, ...] = ()

    @property
    def unrecorded(self) -> bool:
        """Say whether nothing is recorded of anything that is waited for."""
        return all(pending.record is None for pending in self.frontier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The workflow has finished.

    Attributes:
        output: What it returned.
        last: The operation whose end let it.
        closers: Of groups that are closed: the operations whose ends let them be.
        lines: What the code has said since what it asked for last.
    """

    output: str
    last: str
    closers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lines: tuple[LogLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The workflow has failed; ``last`` is the operation whose end let it.

    Attributes:
        error: What it raised.
        last: The operation.
        closers: As above.
        interrupted: Whether it raised that it was told to end.
        children: Runs that are to end with it.
        lines: As above.
    """

    error: ErrorInfo
    last: str
    closers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    interrupted: bool = False
    children: tuple[str, ...] = ()
    lines: tuple[LogLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The code cannot go on from this history.

    Attributes:
        error: Why.
        keys: The records that contradict the code.
        asked: What the code asked for instead of what is recorded, if it did.
        raised: How the code failed before it asked for what is recorded, if it did.
    """

    error: ErrorInfo
    keys: frozenset[str] = frozenset()
    asked: Operation[Any] | None = None
    raised: ErrorInfo | None = None


Decision = Suspended | Returned | Raised | Broken
