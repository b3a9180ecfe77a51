"""Drive a workflow's coroutine against its history: the pure core of the engine.

There is no event loop. The coroutine is resumed with ``send``; whatever it awaits comes out as
an ``Operation``, which gets its key, is compared with the record under that key, and is
answered at once if the record is final. When an operation has no final record the pass is
suspended: that operation is the frontier. The coroutine stays where it is; it can be resumed
when the record arrives (``resume``), and is let go at the end of the pass (``close``).

Letting go is not an exception that user code could mistake for one of its own: the decision is
made before, nothing that cleanup code does can change it, operations are refused and the
workflow's logger is silent.

The same pass over the same history always gives the same decision. When code and history
disagree the decision is ``Broken``: nothing is skipped, nothing is answered with somebody
else's result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from everstep.core.blocking import blocking_error, cancelled, foreign_yield, no_event_loop
from everstep.core.errors import (
    DefinitionError,
    EverstepError,
    NonDeterminismError,
    SerializationError,
)
from everstep.core.failures import describe, step_failed
from everstep.core.keys import operation_key
from everstep.core.model import HEAD, OpStatus
from everstep.core.operations import Operation, SleepCall, StepCall
from everstep.core.session import Phase, RunFacts, Session
from everstep.core.shapes import changed_arguments

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from everstep.core.model import ErrorInfo, History, OpRecord


class Definition(Protocol):
    """A workflow as the driver sees it."""

    @property
    def name(self) -> str:
        """Return the workflow's name."""

    @property
    def version(self) -> str:
        """Return the workflow's version."""

    def begin(self, session: Session, input_text: str) -> Coroutine[Any, Any, object]:
        """Return the coroutine of a new pass over the workflow's code."""

    def encode_output(self, value: object) -> str:
        """Return the recorded text of what the workflow returned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An operation of the frontier.

    Attributes:
        key: Its identity.
        operation: What is asked for.
        record: What is recorded so far, if anything.
        unlocked_by: Key of the operation whose end led here; HEAD for the start of the run.
        ready_at: When that was.
    """

    key: str
    operation: Operation[Any]
    record: OpRecord | None
    unlocked_by: str
    ready_at: int

    @property
    def wake_at(self) -> int | None:
        """Return when the sleep ends or the next attempt is due; None if it may go on at once."""
        if self.record is not None:
            return self.record.wake_at
        call = self.operation.call
        return call.wake_at(self.ready_at) if isinstance(call, SleepCall) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """The workflow waits for these operations."""

    frontier: tuple[Pending, ...]

    @property
    def unrecorded(self) -> bool:
        """Say whether nothing is recorded of anything that is waited for."""
        return all(pending.record is None for pending in self.frontier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The workflow has finished; ``last`` is the operation whose end let it."""

    output: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The workflow has failed; ``last`` is the operation whose end let it."""

    error: ErrorInfo
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The code cannot go on from this history; ``keys`` are the records that contradict it."""

    error: ErrorInfo
    keys: frozenset[str] = frozenset()


Decision = Suspended | Returned | Raised | Broken


class Replay:
    """One pass over a workflow's code, at rest between ``resume`` calls.

    Attributes:
        decision: Where the pass stands.
        asked: Keys in the order in which the code asked for them.
    """

    def __init__(self, definition: Definition, history: History, *, live: bool = False) -> None:
        """Run the code as far as the history goes.

        Args:
            definition: The workflow version that the run is pinned to.
            history: Its head and records, every payload inline.
            live: Whether code before the first record runs for the first time.
        """
        head = history.head
        self._definition = definition
        self._records = dict(history.records)
        self._unclaimed = set(self._records)
        self.asked: list[str] = []
        self._occurrences: dict[str, int] = {}
        self._last = HEAD
        self._coroutine: Coroutine[Any, Any, object] | None = None
        self.session = Session(
            RunFacts(
                run_id=head.run_id,
                workflow=head.workflow,
                version=head.version,
                created_at=head.created_at,
            ),
            live=live and not self._records,
        )
        self.decision: Decision = self._begin(head.input.at_hand)

    def __enter__(self) -> Self:
        """Use the pass in a ``with`` block, so that it is let go at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the pass go."""
        self.close()

    @property
    def records(self) -> Mapping[str, OpRecord]:
        """Return the records that the pass has seen, those it was resumed with included."""
        return self._records

    def pending(self, key: str) -> Pending | None:
        """Return the operation of the frontier with this key, if it is there."""
        if not isinstance(self.decision, Suspended):
            return None
        return next((item for item in self.decision.frontier if item.key == key), None)

    def resume(self, record: OpRecord) -> Decision:
        """Go on with a record that was just written for an operation of the frontier."""
        pending = self.pending(record.key)
        if pending is None:
            message = f"{record.key} is not in the frontier"
            raise LookupError(message)
        self._records[record.key] = record
        self.session.live = True
        if record.status.final:
            self.decision = self._drive(self._answer(pending.operation, record))
        else:
            self.decision = self._suspend(pending.operation, record.key, record)
        return self.decision

    def close(self) -> None:
        """Let the suspended coroutine go; its cleanup code does nothing durable."""
        coroutine, self._coroutine = self._coroutine, None
        if coroutine is None:
            return
        self.session.phase = Phase.CLOSING
        self.session.live = False
        # What cleanup code raises here has nobody to hear it: the pass is over and decided.
        with no_event_loop(_nobody_listens):
            for _ in range(_FAREWELLS):
                try:
                    coroutine.close()
                except KeyboardInterrupt:
                    raise
                except BaseException:  # noqa: BLE001, S112 - also an exit: nothing ends here but the pass
                    continue
                self.session.phase = Phase.IDLE
                return

    def _begin(self, input_text: str) -> Decision:
        try:
            self._coroutine = self._definition.begin(self.session, input_text)
        except EverstepError as error:
            return Broken(error=describe(error))
        return self._drive(_Answer())

    def _drive(self, answer: _Answer) -> Decision:
        while True:
            if answer.broken is not None:
                return answer.broken
            outcome = self._advance(answer)
            if self.session.mistake is not None:
                return Broken(error=describe(self.session.mistake))
            if not isinstance(outcome, Operation):
                return outcome
            key = self._next_key(outcome.name)
            self.asked.append(key)
            record = self._records.get(key)
            disagreement = self._disagreement(outcome, key, record)
            if disagreement is not None:
                return disagreement
            if record is None or not record.status.final:
                return self._suspend(outcome, key, record)
            answer = self._answer(outcome, record)

    def _advance(self, answer: _Answer) -> Operation[Any] | Decision:
        """Resume the coroutine once; return what it awaits next, or how it ended."""
        coroutine = self._coroutine
        if coroutine is None:
            message = "this pass is closed"
            raise RuntimeError(message)
        try:
            asked = self._step_on(coroutine, answer)
        except StopIteration as stop:
            self.session.ended()
            return self._returned(stop.value)
        except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - whatever user code raises is its outcome
            return self._raised(error)
        except BaseException as error:
            if cancelled(error):
                return self._raised(error)
            raise
        if isinstance(asked, Operation) and asked.session is self.session:
            return asked
        return Broken(error=describe(foreign_yield(asked)))

    def _step_on(self, coroutine: Coroutine[Any, Any, object], answer: _Answer) -> object:
        # What an error still holds is dropped after this, and so counts for nothing.
        self.session.phase = Phase.DRIVING
        try:
            with no_event_loop(self.session.note):
                if answer.error is not None:
                    return coroutine.throw(answer.error)
                return coroutine.send(answer.value)
        finally:
            self.session.phase = Phase.IDLE

    def _answer(self, operation: Operation[Any], record: OpRecord) -> _Answer:
        """Return what a final record says to the code that awaits it."""
        self.session.now = max(self.session.now, record.ended_at or 0)
        self._last = record.key
        if record.status is OpStatus.FAILED:
            return _Answer(error=step_failed(record))
        call = operation.call
        if not isinstance(call, StepCall):
            return _Answer()
        try:
            return _Answer(
                value=call.result.decode(record.result.at_hand) if record.result else None
            )
        except SerializationError as error:
            return _Answer(
                broken=Broken(error=describe(error, record.key), keys=frozenset({record.key}))
            )

    def _returned(self, value: object) -> Decision:
        leftover = self._leftover()
        if leftover is not None:
            return leftover
        try:
            return Returned(output=self._definition.encode_output(value), last=self._last)
        except EverstepError as error:
            return Raised(error=describe(error), last=self._last)

    def _raised(self, error: BaseException) -> Decision:
        blocking = blocking_error(error)
        if blocking is not None:
            return Broken(error=describe(blocking))
        if isinstance(error, DefinitionError):
            # Such as a step that is called with wrong arguments: to be mended, not final.
            return Broken(error=describe(error))
        return self._leftover(error) or Raised(error=describe(error), last=self._last)

    def _suspend(self, operation: Operation[Any], key: str, record: OpRecord | None) -> Suspended:
        pending = Pending(
            key=key,
            operation=operation,
            record=record,
            unlocked_by=self._last,
            ready_at=self.session.now,
        )
        return Suspended(frontier=(pending,))

    def _next_key(self, name: str) -> str:
        occurrence = self._occurrences.get(name, 0) + 1
        self._occurrences[name] = occurrence
        return operation_key("", name, occurrence)

    def _disagreement(
        self, operation: Operation[Any], key: str, record: OpRecord | None
    ) -> Broken | None:
        """Compare what the code asks for with what is recorded."""
        if record is None:
            if not self._unclaimed:
                return None
            before = _listed(self._unclaimed)
            text = f"today's code asks for the new {key} where {before} stands recorded"
            return _broken(
                f"{text}: the one was inserted, or the other removed; {_INSERTED}",
                self._unclaimed,
            )
        self._unclaimed.discard(key)
        if record.kind is not operation.kind:
            text = f"{key} is recorded as a {record.kind}, today's code asks for a {operation.kind}"
            return _broken(f"{text}; give the new operation another name", {key})
        if record.input_hash != operation.input_hash:
            return _broken(f"{_difference(operation, key, record)}; {_CHANGED}", {key})
        return None

    def _leftover(self, error: BaseException | None = None) -> Broken | None:
        """Notice recorded operations that the code no longer asks for, because it ends before."""
        if not self._unclaimed:
            return None
        raises = error and f"raises {type(error).__name__} ({describe(error).message})"
        ends = raises or "ends"
        missing = f"without asking for {_listed(self._unclaimed)}, recorded already"
        return _broken(f"today's code {ends} {missing}; {_REMOVED}", self._unclaimed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What the coroutine is resumed with."""

    value: object = None
    error: Exception | None = None
    broken: Broken | None = None


# Cleanup code that awaits something while it is let go is sent on its way again.
_FAREWELLS = 5


def _nobody_listens(_mistake: EverstepError) -> None:
    """Hear of a mistake in cleanup code, and do nothing: the pass is over."""


_INSERTED = (
    "keep the old order for runs in flight (ctx.patched), or deploy the change as a new version"
)
_CHANGED = (
    "the arguments of a recorded operation must not change: compute them from the input and from "
    "recorded results (ctx.now, ctx.random, ctx.uuid), or deploy the change as a new version"
)
_REMOVED = "keep it for runs in flight (ctx.patched), or deploy the change as a new version"


def _broken(text: str, keys: set[str]) -> Broken:
    return Broken(error=describe(NonDeterminismError(text), min(keys)), keys=frozenset(keys))


def _listed(keys: set[str]) -> str:
    shown = sorted(keys)[:3]
    return ", ".join(shown) + (
        f" and {len(keys) - len(shown)} more" if len(keys) > len(shown) else ""
    )


def _difference(operation: Operation[Any], key: str, record: OpRecord) -> str:
    if isinstance(operation.call, StepCall):
        what = changed_arguments(record.input_hash, operation.input_hash)
    else:
        what = "the time"
    recorded = f"{key} was recorded with another input than today's code asks for"
    return (
        f"{recorded}: {what} differs ({record.input_hash} recorded, {operation.input_hash} asked)"
    )
