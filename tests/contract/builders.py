"""Values to store: short to write, complete to compare."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from everstep.core.changes import RunEnded, RunPaused, RunResumed, RunStalled, RunWatched
from everstep.core.circumstances import Claim, Ending, How, Origin, Parent, Trail
from everstep.core.model import (
    ErrorInfo,
    Head,
    OpKind,
    OpRecord,
    OpStatus,
    Payload,
    RunStatus,
    Stall,
)
from everstep.core.trace_context import Correlation
from everstep.core.transitions import Guard, HeadGuard

if TYPE_CHECKING:
    from everstep.core.changes import HeadChange

NOW: Final = 1_760_000_000_000
ERROR: Final = ErrorInfo(type="ValueError", message="no such card", operation="charge#1", trace="")
PAYLOAD: Final = Payload(text='{"ok":true}', size=11)
SECRETS: Final = Payload(text='["hunter2ü"]', size=13)

ALWAYS: Final = Guard(absent=True, statuses=tuple(OpStatus))
"""Allows every write: to prepare what a test starts from."""

ALWAYS_HEAD: Final = HeadGuard(statuses=tuple(RunStatus))
"""Allows every change of a head."""

CHANGES: Final[dict[str, HeadChange]] = {
    "completed": RunEnded(
        status=RunStatus.COMPLETED, by="new", at=NOW, result=PAYLOAD, hidden=SECRETS
    ),
    "failed": RunEnded(status=RunStatus.FAILED, by="new", at=NOW, error=ERROR),
    "stalled": RunStalled(by="new", stall=Stall(reason=ERROR, at=NOW, message='{"run":"r"}')),
    "paused": RunPaused(by="new"),
    "resumed": RunResumed(by="new", at=NOW, due_at=NOW + 60_000),
    "watched": RunWatched(due_at=NOW + 120_000),
}


def make_head(run_id: str, workflow: str = "order") -> Head:
    """Return the head of a run that was accepted just now."""
    return Head(
        run_id=run_id,
        workflow=workflow,
        version="v1",
        status=RunStatus.RUNNING,
        input=Payload(text='{"amount":12}', size=13),
        created_at=NOW,
        by="trigger",
        due_at=NOW + 60_000,
    )


def make_full_head(run_id: str) -> Head:
    """Return a head with every field set."""
    return replace(
        make_head(run_id),
        input=Payload(ref="payloads/x", size=1_000_000),
        starts_at=NOW + 1,
        generation=3,
        ended_at=NOW + 5,
        result=PAYLOAD,
        error=ERROR,
        stall=Stall(reason=ERROR, at=NOW, message="body"),
        resumed_at=NOW + 4,
        idempotency_key="a#b/ü",
        secret="what tokens are made of",
        parent=Parent(run_id="parent", op="gather#1/0/call#1"),
        deadline=NOW + 90_000,
        ending=Ending(status=RunStatus.CANCELLED, at=NOW + 3, who="somebody", why="no longer"),
        origin=Origin(
            run_id="before", op="charge#2", root="first", root_created_at=NOW - 9, effects="first"
        ),
        reference_id="order/7 ü",
        tags={"empty": "", "customer": "ü", "a#b": "c"},
        retention=86_400_000,
        successor="next",
        hidden=SECRETS,
        correlation=Correlation(id="order/7 ü"),
        cost="D1W1",
        total="D4W2",
        past="D8W4",
        budget=10_000_000,
        trail=Trail(
            link="hash",
            how=How.RETRY,
            who="ann",
            why="mended",
            sealed=4,
            after="the one before",
            started_at=NOW + 2,
        ),
    )


def make_claim(head: Head, key: str) -> Claim:
    """Return the claim of a run on a key."""
    return Claim(workflow=head.workflow, key=key, run_id=head.run_id, input_hash="hash")


def make_record(key: str = "charge#1", status: OpStatus = OpStatus.DONE) -> OpRecord:
    """Return the record of a step."""
    return OpRecord(
        key=key,
        kind=OpKind.STEP,
        status=status,
        by="token",
        input_hash="hash",
        attempt=1,
        started_at=NOW,
        ended_at=NOW + 12,
    )


def make_full_record(key: str) -> OpRecord:
    """Return a record with every field set, whether or not that makes sense."""
    return replace(
        make_record(key),
        wake_at=NOW + 13,
        patches=("tax@", "ü@gather#1/0"),
        hidden=SECRETS,
        due_at=NOW + 14,
        result=PAYLOAD,
        error=ERROR,
        event=7,
        child="child",
        outcome=RunStatus.TIMED_OUT,
        cost="D1W1",
    )


def make_timer(key: str, due_at: int | None) -> OpRecord:
    """Return the record of a long sleep that ends when it is due."""
    return OpRecord(
        key=key,
        kind=OpKind.SLEEP,
        status=OpStatus.WAITING,
        by="token",
        input_hash="hash",
        started_at=NOW,
        wake_at=due_at,
        due_at=due_at,
    )
