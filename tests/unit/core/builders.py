"""Histories, passes and messages for tests of the core: short to write, complete to compare."""

from collections.abc import Callable, Coroutine, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from everstep import Context, Workflow
from everstep.core.codec import encode
from everstep.core.decisions import Broken, Decision, Pending, Raised, Returned, Suspended
from everstep.core.model import (
    HEAD,
    ErrorInfo,
    Head,
    History,
    Message,
    MessageKind,
    OpKind,
    OpRecord,
    OpStatus,
    Payload,
    RunStatus,
)
from everstep.core.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW: Final = 1_767_225_600_000
"""When every run in these tests was accepted: 1 January 2026."""

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
DAY: Final = 24 * 60 * MINUTE

Body = Callable[..., Coroutine[Any, Any, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The outcome of a step that failed for good."""

    type: str = "ValueError"
    message: str = "no"


def make_head(*, given: object = None, status: RunStatus = RunStatus.RUNNING) -> Head:
    """Return the head of a run that was accepted at NOW."""
    return Head(
        run_id="run-1",
        workflow="order",
        version="1",
        status=status,
        input=Payload(text=encode(given)),
        created_at=NOW,
        by="trigger",
    )


def make_history(*records: OpRecord, given: object = None) -> History:
    """Return a history with these records."""
    return History(head=make_head(given=given), records={each.key: each for each in records})


def definition(body: Body) -> Workflow[Any, Any]:
    """Return the workflow of a plain ``async def``."""
    return Workflow(body, name="order")


def ended(
    pending: Pending, outcome: object = None, *, by: str = "token", took: int = SECOND
) -> OpRecord:
    """Return the final record of an operation that a pass waits for."""
    failed = isinstance(outcome, Failure)
    return OpRecord(
        key=pending.key,
        kind=pending.operation.kind,
        status=OpStatus.FAILED if failed else OpStatus.DONE,
        by=by,
        input_hash=pending.operation.input_hash,
        attempt=1 if pending.operation.kind == "step" else 0,
        started_at=pending.ready_at,
        ended_at=max(pending.ready_at + took, pending.wake_at or 0),
        result=None if failed else Payload(text=encode(outcome)),
        error=ErrorInfo(type=outcome.type, message=outcome.message)
        if isinstance(outcome, Failure)
        else None,
    )


def record(
    key: str,
    status: OpStatus = OpStatus.DONE,
    *,
    by: str = "token",
    **fields: Any,  # noqa: ANN401 - whatever a record has
) -> OpRecord:
    """Return a record, by default of a step that has ended a second after the start."""
    base = OpRecord(
        key=key,
        kind=OpKind.STEP,
        status=status,
        by=by,
        input_hash="",
        attempt=1,
        started_at=NOW,
        ended_at=NOW + SECOND,
    )
    return replace(base, **fields)


def inserted_record(body: Body, history: History, unfinished: OpRecord) -> OpRecord:
    """Return a record with the input hash that the workflow asks for at that point."""
    with one_pass(body, history, live=False) as replay:
        pending = replay.pending(unfinished.key)
        assert pending is not None
        return replace(unfinished, input_hash=pending.operation.input_hash)


@contextmanager
def one_pass(
    body: Body, history: History | None = None, *, live: bool = True
) -> "Iterator[Replay]":
    """Run a workflow's code as far as a history goes; let the pass go afterwards."""
    with Replay(definition(body), history or make_history(), live=live) as replay:
        yield replay


def decide(body: Body, history: History | None = None) -> Decision:
    """Return what a fresh pass over a history decides."""
    with one_pass(body, history) as replay:
        return replay.decision


def history_of(body: Body, outcomes: Mapping[str, object], *, given: object = None) -> History:
    """Return the history of a run in which these operations have ended so, one after another.

    Outcomes are by key; the run stops at the first operation without one.
    """
    history = make_history(given=given)
    while True:
        with one_pass(body, history, live=False) as replay:
            decision = replay.decision
            if not isinstance(decision, Suspended):
                return history
            (pending,) = decision.frontier
        if pending.key not in outcomes:
            return history
        history = history.with_record(ended(pending, outcomes[pending.key]))


def frontier(decision: Decision) -> list[str]:
    """Return the keys of what a pass waits for."""
    assert isinstance(decision, Suspended), decision
    return [pending.key for pending in decision.frontier]


def returned(decision: Decision) -> str:
    """Return the recorded text of what a workflow returned."""
    assert isinstance(decision, Returned), decision
    return decision.output


def raised(decision: Decision) -> ErrorInfo:
    """Return the error that a workflow failed with."""
    assert isinstance(decision, Raised), decision
    return decision.error


def broken(decision: Decision) -> ErrorInfo:
    """Return why code and history cannot go together."""
    assert isinstance(decision, Broken), decision
    return decision.error


def message(
    kind: MessageKind,
    op: str = HEAD,
    *,
    token: str = "token",  # noqa: S107 - a message's, not a password
    attempt: int = 0,
    take: bool = False,
) -> Message:
    """Return a message to the run."""
    return Message(run_id="run-1", kind=kind, token=token, op=op, attempt=attempt, take=take)


def add(a: int, b: int = 0) -> int:
    """Return a sum: a step for tests."""
    return a + b


async def add_twice(ctx: Context) -> int:
    """Run two steps, one after another: a workflow for tests."""
    first = await ctx.step(add, 1)
    return await ctx.step(add, first, 2)
