"""Why a run does not move, as data: what ``core.diagnose`` finds and ``everstep doctor`` shows."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.core.audit import AuditEntry
    from everstep.core.model import Head, MessageKind, OpKind, RunStatus


class Cause(StrEnum):
    """Why a run does not move, or that it does."""

    ENDED = "ended"
    BEGINS_LATER = "begins-later"
    PAUSED = "paused"
    STALLED = "stalled"
    VERSION_MISSING = "version-missing"
    CODE_DISAGREES = "code-disagrees"
    IS_TO_END = "is-to-end"
    TIME_IS_UP = "time-is-up"
    STARTING = "starting"
    FINISHING = "finishing"
    UNDER_WAY = "under-way"
    RETRYING = "retrying"
    WAITING = "waiting"
    SLEEPING = "sleeping"
    MESSAGE_LOST = "message-lost"
    NOT_WATCHED = "not-watched"


class Window(StrEnum):
    """Which failure window it is, in the words of docs/architecture.md."""

    FIRST_SEND = "between write and first send"
    RESUME_SEND = "resume dies before its send"
    LAST_COMMIT = "between last commit and end"
    MESSAGE = "what was begun has lost its message"
    LONG_TIMER = "long timer's message lost"
    VERSION = "version not deployed, or its module cannot be imported"
    CODE = "code disagrees with history"
    UNKNOWN = "its probe cannot tell"
    NEVER_FINISHED = (
        "message never finished: code that crashes each time outside a step, "
        "a service away for long"
    )


class Repair(StrEnum):
    """What an operator may do about it; each is safe at any time, by conditional writes.

    Values:
        RESUME: Let a run that stands still go on.
        RECOVER: Have a message take over whatever the run owes, as the watchdog would: it sends
            again what got lost, arms timers that are in no index, and lets the sweeper watch it.
    """

    RESUME = "resume"
    RECOVER = "recover"


class State(StrEnum):
    """How something is that a run waits for."""

    UNDER_WAY = "under way"
    WAITING = "waiting"
    SLEEPING = "sleeping"
    RETRYING = "retrying"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """One thing that a run waits for.

    Attributes:
        key: The operation.
        kind: What it does.
        state: How it is.
        says: The same, in words.
        since: Since when it is so.
        until: When it ends by itself, if it does.
        window: Which failure window this is, if it is one.
    """

    key: str
    kind: OpKind
    state: State
    says: str
    since: int | None = None
    until: int | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What the sweeper will do by itself: the message that it sends, and when at the latest."""

    kind: MessageKind
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What else is known when a run is looked at.

    Attributes:
        watchdog: How long a run may show no progress before it is taken over, in milliseconds.
        grace: How long a message may take to leave a trace, in milliseconds.
        last: What was asked of the run last.
        children: Runs that it waits for, as they are now; None for one that is not kept any more.
        missing: Why there is no code to look at, if there is none.
    """

    watchdog: int
    grace: int
    last: AuditEntry | None = None
    children: Mapping[str, Head | None] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Why a run does not move, what will happen by itself, and what may be done.

    Attributes:
        run_id: The run.
        status: Its status, looked at closely.
        cause: Why it does not move.
        says: The same, in words.
        since: Since when.
        until: When that ends by itself, if it does.
        window: Which failure window it is, if it is one.
        awaited: What it waits for, in the order of its code.
        foreseen: What the sweeper will do, if it will.
        repair: What would help now, and is safe.
        advice: What else there is to do.
        due_at: Where it stands in the due index: a repair is for the run as it was seen.
    """

    run_id: str
    status: RunStatus
    cause: Cause
    says: str
    since: int | None = None
    until: int | None = None
    window: Window | None = None
    awaited: tuple[Awaited, ...] = ()
    foreseen: Foreseen | None = None
    repair: Repair | None = None
    advice: str = ""
    due_at: int | None = None
