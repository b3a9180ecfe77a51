"""What workflow code can ask for: operations, as awaitable values.

An operation does nothing by itself. ``await`` hands it to the pass that drives the workflow
(see ``session``), which answers with what is recorded or suspends the workflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from everstep.core.durations import LAST_INSTANT
from everstep.core.model import OpKind
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Sequence

    from everstep.core.completion import Completion, Reason
    from everstep.core.retry import Retry
    from everstep.core.session import Session
    from everstep.core.shapes import Shape

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTerms:
    """What all calls of a step have in common: the function, and how it is tried.

    ``probe`` takes the same arguments; it finds out what became of an attempt that left no result.
    Where ``retry`` or ``timeout`` is None the deployment decides, for each attempt anew: a replay
    asks for neither.
    """

    fn: Callable[..., object]
    retry: Retry | None
    timeout: int | None
    result: Shape[Any]
    at_most_once: bool = False
    probe: Callable[..., object] | None = None


@dataclass(slots=True)
class StepCall:
    """One call of a step: on which terms, and what it is called with.

    ``arguments`` names what ``args`` and ``kwargs`` hold, so that it does not matter which way
    an argument is given.
    """

    terms: StepTerms
    args: tuple[object, ...]
    kwargs: dict[str, object]
    arguments: dict[str, object]

    @property
    def result(self) -> Shape[Any]:
        """Return what it returns."""
        return self.terms.result


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepCall:
    """One durable sleep: for so many milliseconds, or until an instant."""

    duration: int | None = None
    until: int | None = None

    @property
    def verb(self) -> str:
        """Return the method of ``ctx`` that asks for it."""
        return "sleep"

    def wake_at(self, now: int) -> int:
        """Return when a sleep that begins now ends."""
        until = self.until if self.until is not None else now + (self.duration or 0)
        # What has passed ends at once, and no datetime can express what comes after the last.
        return max(now, min(until, LAST_INSTANT))


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitCall:
    """One wait for an event: its name, how long at most in milliseconds, and what it carries."""

    event: str
    timeout: int | None
    result: Shape[Any]

    @property
    def verb(self) -> str:
        """Return the method of ``ctx`` that asks for it."""
        return "wait_for_event"

    def wake_at(self, now: int) -> int | None:
        """Return when a wait that begins now is given up; None for never."""
        return None if self.timeout is None else min(now + self.timeout, LAST_INSTANT)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackCall:
    """One wait for whoever holds a token.

    Attributes:
        created_at: When the token was made, from which on its time counts.
        timeout: How long at most in milliseconds; None for no limit.
        heartbeat: How long at most without a sign of life; None for no limit.
        result: What it is completed with.
    """

    created_at: int
    timeout: int | None
    heartbeat: int | None
    result: Shape[Any]

    @property
    def verb(self) -> str:
        """Return the method of ``ctx`` that asks for it."""
        return "callback"

    def wake_at(self, now: int) -> int | None:
        """Return when a wait that begins now is given up, without a sign of life; None: never."""
        return self.given_up_at(now, self.created_at)

    def given_up_at(self, now: int, last_sign: int) -> int | None:
        """Return when the wait is given up, but not before now; None for never."""
        limits = [
            since + limit
            for since, limit in ((self.created_at, self.timeout), (last_sign, self.heartbeat))
            if limit is not None
        ]
        return max(now, min(*limits, LAST_INSTANT)) if limits else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCall:
    """The start of a child run.

    Attributes:
        workflow: Name of its workflow.
        input: Recorded text of its input.
        reference_id: The caller's own name for it.
        answer: Makes the operation's result of the child's id and the operation's key.
    """

    workflow: str
    input: str
    reference_id: str | None
    answer: Callable[[str, str], object]

    @property
    def verb(self) -> str:
        """Return the method of ``ctx`` that asks for it."""
        return "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCall:
    """One wait for the end of a child run.

    Attributes:
        start: How it is started by the wait itself; None if it runs already.
        child: The run; None if the wait itself starts it.
        started_by: Key of the operation that started it; None if that is the wait itself.
        result: What it returns.
    """

    start: StartCall | None = None
    child: str | None = None
    started_by: str | None = None
    result: Shape[Any]

    @property
    def verb(self) -> str:
        """Return the method of ``ctx`` that asks for it."""
        return "call" if self.start else "start(…).result"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCall:
    """An event for a run: its name, and its payload as recorded text."""

    run_id: str
    event: str
    payload: str

    @property
    def verb(self) -> str:
        """Return the method of ``ctx`` that asks for it."""
        return "send_event"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCall:
    """The wish that a child run ends."""

    run_id: str

    @property
    def verb(self) -> str:
        """Return the method of ``ctx`` that asks for it."""
        return "start(…).cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueCall:
    """The wish that another run of the workflow goes on, with this recorded text as its input."""

    input: str

    @property
    def verb(self) -> str:
        """Return the method of ``ctx`` that asks for it."""
        return "continue_as_new"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCall:
    """Branches that run side by side, each with a key space of its own.

    Attributes:
        verb: The method of ``ctx`` that asks for it.
        begin: Makes the coroutine of a branch, by its index; called once per pass at most.
        total: How many branches there are.
        completion: What the group waits for.
        lanes: How many branches run at the same time at most; None for all.
        answer: Makes the group's result of why it was closed, how many branches were begun, and
            what the branches that count came to, in the order in which they ended.
    """

    verb: str
    begin: Callable[[int], Coroutine[Any, Any, object]]
    total: int
    completion: Completion
    lanes: int | None = None
    answer: Callable[[Reason, int, Sequence[BranchEnd]], object]

    @property
    def width(self) -> int:
        """Return how many branches run at the same time at most."""
        return self.total if self.lanes is None else min(self.lanes, self.total)


@dataclass(slots=True)
class BranchEnd:
    """What a branch has come to: its value, or what it raised."""

    index: int
    value: object = None
    error: BaseException | None = None


Call = (
    StepCall
    | SleepCall
    | WaitCall
    | CallbackCall
    | StartCall
    | ChildCall
    | SendCall
    | CancelCall
    | ContinueCall
    | GroupCall
)
TIMED: Final = (SleepCall, WaitCall, CallbackCall)
"""Calls that a timer may end."""


class Operation(Generic[T]):
    """A durable operation; ``await`` it for its result.

    Attributes:
        name: Name within its scope.
        call: What is asked for.
        input_hash: Hash of what is asked for.
        key: Its identity, if it has one before it is awaited.
    """

    __slots__ = (
        *("__weakref__", "adopted", "awaited", "call", "input_hash"),
        *("key", "name", "session"),
    )

    def __init__(
        self, session: Session, name: str, call: Call, input_hash: str, key: str | None = None
    ) -> None:
        """Bind the operation to the pass that it was created in."""
        self.key = key
        self.session = session
        self.name = name
        self.call = call
        self.input_hash = input_hash
        self.awaited = False
        self.adopted = False
        session.created(self)

    @property
    def kind(self) -> OpKind:
        """Return the kind under which the operation is recorded."""
        return _KINDS[type(self.call)]

    def __await__(self) -> Generator[Any, Any, T]:
        """Ask the driving pass for the result; once only, as with any coroutine."""
        again, self.awaited = self.awaited, True
        self.session.begin_to_await(self)
        if again:
            self.session.refuse_again(self)
        given: T = yield self
        return given

    def __del__(self) -> None:
        """Tell the pass when nobody awaited the operation: nothing is silently skipped."""
        if not self.awaited and not self.adopted:
            self.session.dropped(self)

    def adopt(self) -> None:
        """Leave it to a group to await the operation, or not to."""
        self.session.settled(self)
        self.adopted = True

    def __repr__(self) -> str:
        """Name the operation."""
        return told(self.name, self.call)


def kind_of(call: Call) -> OpKind:
    """Return the kind under which an operation is recorded that asks for this."""
    return _KINDS[type(call)]


def shown(name: str, call: Call) -> str:
    """Return the call that makes an operation, as one writes it after ``ctx.``."""
    return f"step({name}, …)" if isinstance(call, StepCall) else f"{call.verb}(…)"


def told(name: str, call: Call) -> str:
    """Return how an operation is called in errors."""
    return f"<{kind_of(call)} {name}>"


_KINDS: Final[dict[type, OpKind]] = {
    StepCall: OpKind.STEP,
    SleepCall: OpKind.SLEEP,
    WaitCall: OpKind.WAIT,
    CallbackCall: OpKind.CALLBACK,
    StartCall: OpKind.START,
    ChildCall: OpKind.CHILD,
    SendCall: OpKind.SEND,
    CancelCall: OpKind.CANCEL,
    ContinueCall: OpKind.CONTINUE,
    GroupCall: OpKind.JOIN,
}
