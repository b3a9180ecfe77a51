"""The state of one pass over a workflow's code.

A pass begins with the first line of the workflow function and ends where the code finishes or
where the history ends. Everything that user code touches through its context lives here.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from contextvars import ContextVar
from dataclasses import field
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from everstep.core.errors import AwaitedTwiceError, EverstepError, UnawaitedOperationError
from everstep.core.hiding import Hidden
from everstep.core.keys import operation_key
from everstep.core.operations import shown, told
from everstep.core.records import dataclass
from everstep.core.run_logs import Said
from everstep.core.telling import whole
from everstep.core.tokens import make_token

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from everstep.core.model import Head
    from everstep.core.operations import Call, Operation
    from everstep.core.run_logs import LogLine

# After so many refusals a coroutine that swallows everything is left suspended instead.
_PATIENCE: Final = 100


def _nobody(_key: str) -> None:
    """Hear of an operation, and do nothing."""


class Phase(Enum):
    """What the pass is doing while somebody calls into it."""

    IDLE = auto()
    DRIVING = auto()
    CLOSING = auto()


_DRIVING: Final = Phase.DRIVING


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What workflow code may know about its run.

    Attributes:
        run_id: Its identity.
        workflow: Name of the workflow.
        version: Its version.
        created_at: The time with which its code begins.
        secret: What its callback tokens are made of.
        seed: The run whose identity seeds what code draws; empty for itself.
        began: When the run was made: later than its code begins if it goes on from another one.
    """

    run_id: str
    workflow: str
    version: str
    created_at: int
    secret: str = ""
    seed: str = ""
    began: int = 0


def facts_of(head: Head) -> RunFacts:
    """Return the facts of a run."""
    origin = head.origin
    return RunFacts(
        run_id=head.run_id,
        workflow=head.workflow,
        version=head.version,
        created_at=origin.root_created_at if origin else head.begins_at,
        secret=head.secret,
        seed=origin.root if origin else "",
        began=head.begins_at,
    )


@dataclass(slots=True, eq=False)
class Frame:
    """Where a coroutine of the pass stands.

    Attributes:
        scope: Its key space; empty for the workflow itself.
        now: Its time: when the last operation that it awaited ended.
        live: Whether its code runs here for the first time, as opposed to being replayed.
        occurrences: How many operations of each name its code has asked for.
        patches: Marks of the changes that its code has come by, and those around it.
        heard: What its code has said since what it asked for last; None if it never said anything.
    """

    scope: str
    now: int
    live: bool
    occurrences: dict[str, int] = field(default_factory=dict)
    patches: tuple[str, ...] = ()
    heard: Said | None = None

    def branch(self, scope: str, now: int) -> Frame:
        """Return where a branch begins that this coroutine waits for."""
        return Frame(scope, now, self.live, {}, self.patches)

    @property
    def said(self) -> Said:
        """Return what its code has said since what it asked for last, to add to it."""
        if self.heard is None:
            self.heard = Said()
        return self.heard

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """Return the lines of what its code has said since what it asked for last."""
        return self.heard.all() if self.heard is not None else ()

    def next_key(self, name: str) -> str:
        """Return the key of one more operation of this name."""
        self.occurrences[name] = occurrence = self.occurrences.get(name, 0) + 1
        return operation_key(self.scope, name, occurrence)


class Session:
    """One pass: the run's facts, the workflow's time, its random streams, and its mistakes.

    Attributes:
        run: The run's facts.
        frame: Where the code stands that runs at the moment.
        phase: What the driver is doing.
        mistake: The first misuse that was noticed, whatever user code made of it.
        kept: Coroutines that were handed to a group, to be let go at the end of the pass.
        claim: Told of operations that the code knows of before it awaits them.
        hidden: The run's secrets.
        is_new: Says whether a run comes by a change for the first time, of a scope and a mark.
    """

    def __init__(
        self,
        run: RunFacts,
        *,
        live: bool,
        claim: Callable[[str], None] = _nobody,
        hidden: Hidden | None = None,
    ) -> None:
        """Begin a pass at the instant when the run was accepted, or was to begin."""
        self.hidden = hidden or Hidden()
        self.run = run
        self.claim = claim
        self.frame = Frame(scope="", now=run.created_at, live=live)
        self.phase = Phase.IDLE
        self.mistake: EverstepError | None = None
        self.is_new: Callable[[str, str], bool] = lambda _scope, _mark: True
        self._patched: dict[str, bool] = {}
        self._streams: dict[str, random.Random] = {}
        self._refused = 0
        self.kept: list[Coroutine[Any, Any, object]] = []
        self._unawaited: dict[int, tuple[str, str, Call]] = {}
        self._made_up: list[str] = []

    def token(self, key: str) -> str:
        """Return the token of a callback; without the run's secret one that only looks like it."""
        token = make_token(self.run.run_id, key, self.run.secret)
        if not self.run.secret:
            self._made_up.append(token)
        return token

    def knows(self, call: object) -> bool:
        """Say whether a call asks here what it asks where the run is.

        A history that was exported has not got the run's secret, and cannot tell what a callback's
        token was.
        """
        asked = whole(call) if self._made_up else ""
        return not any(token in asked for token in self._made_up)

    @property
    def now(self) -> int:
        """Return the time of the code that runs at the moment."""
        return self.frame.now

    @property
    def live(self) -> bool:
        """Say whether the code that runs at the moment runs for the first time."""
        return self.frame.live

    def stream(self, what: str) -> random.Random:
        """Return the random stream of this key space for a purpose; the same in every pass."""
        purpose = f"{self.frame.scope}/{what}" if self.frame.scope else what
        if purpose not in self._streams:
            source = self.run.seed or self.run.run_id
            seed = hashlib.sha256(f"{source}/{purpose}".encode()).digest()
            self._streams[purpose] = random.Random(seed)  # noqa: S311 - reproducible on purpose
        return self._streams[purpose]

    def uuid(self) -> uuid.UUID:
        """Return the next UUID of the run's own stream."""
        return uuid.UUID(int=self.stream("uuid").getrandbits(128), version=4)

    def patched(self, change_id: str) -> bool:
        """Say whether the code that runs at the moment comes by a change of it as new code.

        The first answer in a key space counts for all of the pass. Whatever is asked for after a
        yes is recorded with a mark, so that later passes come to the same answer.
        """
        frame = self.frame
        mark = f"{change_id}@{frame.scope}"
        if mark not in self._patched:
            self._patched[mark] = self.is_new(frame.scope, mark)
        if self._patched[mark] and mark not in frame.patches:
            frame.patches = (*frame.patches, mark)
        return self._patched[mark]

    def note(self, mistake: EverstepError) -> None:
        """Remember a misuse; the first one counts."""
        self.mistake = self.mistake or mistake

    def created(self, operation: Operation[Any]) -> None:
        """Expect an operation to be awaited before the workflow ends."""
        self._unawaited[id(operation)] = self.frame.scope, operation.name, operation.call

    def settled(self, operation: Operation[Any]) -> None:
        """Expect nothing more of an operation."""
        self._unawaited.pop(id(operation), None)

    def dropped(self, operation: Operation[Any]) -> None:
        """Note an operation that nobody awaited; one that a suspended pass lets go of is fine."""
        if self.phase is Phase.DRIVING:
            self.note(_never_awaited(operation.name, operation.call))
        self.settled(operation)

    def ended(self, scope: str) -> bool:
        """Note an operation of a key space that is held, but that nobody can await any more.

        Returns:
            Whether the code that has ended has made no mistake.
        """
        for within, name, call in self._unawaited.values():
            if within == scope:
                self.note(_never_awaited(name, call))
        return self.mistake is None

    def refuse_again(self, operation: Operation[Any]) -> None:
        """Refuse an operation that was awaited before, as a coroutine would.

        Raises:
            AwaitedTwiceError: Always.
        """
        mistake = AwaitedTwiceError(
            f"{operation!r} was awaited twice: keep its result in a variable, or call ctx again "
            "for an operation of its own"
        )
        self.note(mistake)
        raise mistake

    def begin_to_await(self, operation: Operation[Any]) -> None:
        """Let an operation through only while the driver runs the workflow's own code.

        Raises:
            GeneratorExit: The suspended workflow is being let go; its cleanup code must do
                nothing durable, so it is sent on its way out.
            EverstepError: Awaited somewhere else, for example inside a step.
        """
        self._unawaited.pop(id(operation), None)
        if self.phase is _DRIVING:
            return
        if self.phase is Phase.IDLE:
            raise EverstepError(
                f"{operation!r} was awaited outside its workflow function: "
                "steps cannot use the workflow's ctx"
            )
        self._refused += 1
        if self._refused < _PATIENCE:
            raise GeneratorExit


def _never_awaited(name: str, call: Call) -> UnawaitedOperationError:
    return UnawaitedOperationError(
        f"{told(name, call)} was created but never awaited: write await ctx.{shown(name, call)}"
    )


DRIVEN: Final[ContextVar[Session | None]] = ContextVar("everstep_session", default=None)
"""The pass that is driven at the moment, in a thread or task: ask ``driven``."""


class driving:  # noqa: N801 - used as a function is
    """Let code that runs in the block learn which pass it belongs to (``driven``)."""

    __slots__ = ("_before", "_session")

    def __init__(self, session: Session) -> None:
        """Say which."""
        self._session = session

    def __enter__(self) -> None:
        """Begin."""
        self._before = DRIVEN.set(self._session)

    def __exit__(self, *_: object) -> None:
        """Let it belong to whatever it did before."""
        DRIVEN.reset(self._before)


def driven() -> Session | None:
    """Return the pass whose code runs at the moment; None if it is the engine's, or a step's."""
    session = DRIVEN.get()
    # Between one coroutine and the next run validators of users' models, which are no workflow.
    return None if session is None or session.phase is Phase.IDLE else session
