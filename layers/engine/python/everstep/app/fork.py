"""Make a new run that goes on from another one: a retry from where it failed, or a fork.

What is kept is written first, under the new run's id, and the head last: records without a head
are no run. With an idempotency key the id follows from the call, so the same call again, after
a crash anywhere, finds what it wrote and makes nothing twice.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, TypeVar, cast

from everstep.app.audit import link_of
from everstep.app.control import asked_for
from everstep.app.deadline import call_within
from everstep.app.observing import run_accepted
from everstep.app.options import check_key
from everstep.app.outbox import send
from everstep.app.payloads import load, move, pack, pack_secrets, unpack
from everstep.app.start import checked_input, recorded_input
from everstep.core.audit import Action, Note, following
from everstep.core.circumstances import Claim, How, Origin, Reference, effects_of
from everstep.core.codec import digest_text
from everstep.core.durations import SECOND
from everstep.core.errors import (
    IdempotencyConflictError,
    IllegalStateError,
    RunNotFoundError,
    StepTimeout,
    UnavailableError,
    WorkflowMissingError,
)
from everstep.core.forks import (
    check_agrees,
    cut_at_failure,
    cut_before,
    derived_run_id,
    kept_events,
    kept_record,
)
from everstep.core.hiding import hidden_of
from everstep.core.model import Head, History, Message, MessageKind, RunStatus
from everstep.core.records import dataclass, replace
from everstep.core.replay import Replay
from everstep.core.trace_context import Correlation
from everstep.core.trail import born
from everstep.core.transitions import KEPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.engine import Engine
    from everstep.core.audit import Asked
    from everstep.core.definition import Definition
    from everstep.core.forks import Cut
    from everstep.core.hiding import Hidden
    from everstep.core.model import Payload

T = TypeVar("T")

_RETRIED: Final = (RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.TIMED_OUT)
# Far more than a replay takes.
_PATIENCE: Final = 5 * SECOND
_CONTENTION: Final = 20
_HOW: Final = {Action.RETRIED: How.RETRY, Action.FORKED: How.FORK}


class Unchanged(Enum):
    """Says that a new run has the input of the one that it goes on from."""

    INPUT = "unchanged"


UNCHANGED: Final = Unchanged.INPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A run that goes on from another one.

    Attributes:
        run_id: The new run.
        origin: Where it goes on.
        status: Its status.
        created: Whether this call made it, as opposed to an earlier one with the same key.
    """

    run_id: str
    origin: Origin
    status: RunStatus
    created: bool


def retry(
    engine: Engine,
    run_id: str,
    *,
    who: str | None = None,
    why: str | None = None,
    idempotency_key: str | None = None,
) -> Made:
    """Make a run that goes on from the operation by which a run failed, or was ended.

    What was done stays done, also what was undone afterwards. Steps that are executed again have
    the idempotency keys that they had: a service that did the work already recognises them.

    Args:
        engine: The ports.
        run_id: A run that is FAILED, CANCELLED or TIMED_OUT.
        who: Who asks, for the audit.
        why: What for, for the audit.
        idempotency_key: The same key makes one run only.

    Raises:
        InvalidRequestError: An argument makes no sense.
        RunNotFoundError: There is no such run.
        IllegalStateError: The run has no failure to go on from, or its code does not allow it.
        UnavailableError: Nothing is known; the same call with the same key is harmless.
    """
    call = _Call(asked=asked_for(engine, Action.RETRIED, who, why), key=_checked(idempotency_key))
    history = _history(engine, run_id)
    head = history.head
    if head.status not in _RETRIED:
        raise IllegalStateError(
            f"run {run_id} is {head.status}; only a run that is {', '.join(_RETRIED)} is retried"
        )
    cut = _replayed(engine, head, lambda definition: cut_at_failure(definition, history))
    maker = _Maker(engine, call, history, cut)
    return maker.make(call.new_id(engine, head), head.input.at_hand, effects_of(head))


def fork(  # noqa: PLR0913 - each by its name
    engine: Engine,
    run_id: str,
    *,
    from_step: str,
    input: object = UNCHANGED,  # noqa: A002 - the name in workflows
    who: str | None = None,
    why: str | None = None,
    idempotency_key: str | None = None,
    from_json: bool = True,
) -> Made:
    """Make a run that keeps what a run had recorded before an operation, and executes the rest.

    Its steps have idempotency keys of their own: they are to have their effects once more.

    Args:
        engine: The ports.
        run_id: A run, whether or not it has ended.
        from_step: Key of the first operation to execute again, for example ``charge#1``.
        input: Its input; that of the run if not given.
        who: Who asks, for the audit.
        why: What for, for the audit.
        idempotency_key: The same key makes one run only.
        from_json: Whether the input is JSON data from outside, as opposed to a Python value.

    Raises:
        InvalidRequestError: An argument makes no sense, or names no operation of the run.
        InvalidInputError: The input does not fit the workflow's annotation.
        RunNotFoundError: There is no such run.
        IllegalStateError: The run's code does not go on from there.
        IdempotencyConflictError: The key was used before with another input.
        UnavailableError: Nothing is known; the same call with the same key is harmless.
    """
    asked = asked_for(engine, Action.FORKED, who, why)
    call = _Call(asked=asked, op=from_step, key=_checked(idempotency_key))
    history = _history(engine, run_id)
    head = history.head
    cut = _replayed(engine, head, lambda definition: cut_before(definition, history, from_step))
    given = _input(engine, head, input, from_json=from_json)
    new_id = call.new_id(engine, head)
    return _Maker(engine, call, history, cut).make(new_id, given, new_id)


def _checked(key: str | None) -> str | None:
    check_key(key)
    return key


def _history(engine: Engine, run_id: str) -> History:
    history = load(engine, run_id)
    if history is None:
        raise RunNotFoundError(run_id)
    return history


def _replayed(engine: Engine, head: Head, look: Callable[[Definition], T]) -> T:
    """Return what a look at a run's code gives; the code may never come to rest.

    Raises:
        IllegalStateError: There is no code, or it does not come to rest.
    """
    try:
        definition = engine.registry.to_continue(head.workflow, head.version)
        return cast("T", call_within(lambda: look(definition), _PATIENCE))
    except WorkflowMissingError as error:
        raise IllegalStateError(str(error)) from error
    except StepTimeout as error:
        raise IllegalStateError(f"the code of run {head.run_id} does not come to rest") from error


def _input(engine: Engine, head: Head, given: object, *, from_json: bool) -> str:
    """Return the recorded text of the input."""
    if given is UNCHANGED:
        return head.input.at_hand
    workflow = engine.registry.to_continue(head.workflow, head.version)
    return recorded_input(workflow, checked_input(workflow, given, from_json=from_json))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """A call, as it is recognised when it is repeated: what is asked, where, under which key."""

    asked: Asked
    op: str = ""
    key: str | None

    def new_id(self, engine: Engine, head: Head) -> str:
        """Return the id of the run that the call makes."""
        if self.key is None:
            return engine.ids.run_id()
        return derived_run_id(head, self.asked.action, self.op, self.key)

    def claim(self, new: Head, run_id: str) -> Claim | None:
        """Return the claim on the call's idempotency key."""
        if self.key is None:
            return None
        # A line end keeps it apart from every key that a trigger can be called with.
        key = f"{self.asked.action}\n{run_id}\n{self.op}\n{self.key}"
        # Of a text that is not sealed; what seals it may do so differently each time.
        said = new.input.at_hand if new.input.sealed else new.input.ref or new.input.at_hand
        given = digest_text(said)
        return Claim(workflow=new.workflow, key=key, run_id=new.run_id, input_hash=given)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes a run that goes on from another one."""

    engine: Engine
    call: _Call
    history: History
    cut: Cut

    @property
    def hidden(self) -> Hidden:
        """Return the secrets of the run that it goes on from."""
        return hidden_of(self.history, self.engine.masking)

    def make(self, new_id: str, text: str, effects: str) -> Made:
        """Write what is kept, then the head, and the old run's audit entry; let the run begin."""
        existing = self.engine.runs.head(new_id)
        if existing is not None and self.call.key is not None:
            self._check_same(existing, text, self.call.key)
        if existing is not None and existing.origin is not None:
            if existing.status is RunStatus.RUNNING:
                # Whoever made it may have died before the message was sent.
                self._send_first(new_id)
            return Made(
                run_id=new_id, origin=existing.origin, status=existing.status, created=False
            )
        origin = self._origin(effects)
        given = pack(self.engine, new_id, text, f"the input of {self.history.head.workflow}")
        head = self._head(new_id, given, origin)
        _replayed(self.engine, head, lambda definition: self._check(definition, head))
        self._keep(head)
        self._create(head)
        self._send_first(new_id)
        # The same call at the same time makes the same run; its secret says which one has made it.
        made = self.engine.runs.head(new_id)
        if made is not None and made.secret == head.secret:
            run_accepted(self.engine, head)
        return Made(run_id=new_id, origin=origin, status=head.status, created=True)

    def _check_same(self, existing: Head, text: str, key: str) -> None:
        if unpack(self.engine, existing.run_id, existing.input).at_hand != text:
            raise IdempotencyConflictError(key, existing.run_id)

    def _send_first(self, run_id: str) -> None:
        # With the token of everything that is kept, whose consequences are its own; sent again it
        # is the same message again.
        first = Message(run_id=run_id, kind=MessageKind.START, token=run_id)
        try:
            send(self.engine, [first])
        except UnavailableError:
            # The run is recorded and in the due index: the sweeper sends what this could not.
            return

    def _create(self, head: Head) -> None:
        """Write the head, and in the audit of the old run that it was made.

        It has the caller's own name if that is the ended run's, or nobody's.
        """
        engine, old = self.engine, self.history.head
        claim, reference = self.call.claim(head, old.run_id), self._reference(head.run_id)
        head = replace(head, input=head.input.recorded)
        for _ in range(_CONTENTION):
            named = head if reference is None else replace(head, reference_id=old.reference_id)
            asked = self.call.asked
            made = born(named, _HOW[asked.action], asked.who, asked.why)
            note = self._note(head)
            found = engine.runs.create(made, claim, note, reference)
            if isinstance(found, Reference):
                reference = None
            elif not isinstance(found, Note):
                return
        raise UnavailableError(f"run {old.run_id} is changed by many at the same time: try again")

    def _note(self, head: Head) -> Note:
        run_id = self.history.head.run_id
        old = self.engine.runs.head(run_id)
        if old is None:
            raise RunNotFoundError(run_id)
        link = link_of(self.engine, old)
        details = {"run_id": head.run_id, "from_step": self.cut.op}
        said = {name: value for name, value in details.items() if value}
        entry = following(old.generation, link, self.call.asked, head.created_at, said)
        return Note(run_id=run_id, entry=entry)

    def _reference(self, run_id: str) -> Reference | None:
        old = self.history.head
        if old.reference_id is None or not old.status.terminal:
            return None
        return Reference(
            workflow=old.workflow,
            reference_id=old.reference_id,
            run_id=run_id,
            instead_of=old.run_id,
        )

    def _origin(self, effects: str) -> Origin:
        old = self.history.head
        return Origin(
            run_id=old.run_id,
            op=self.cut.op,
            root=old.origin.root if old.origin else old.run_id,
            root_created_at=old.origin.root_created_at if old.origin else old.begins_at,
            effects=effects,
        )

    def _head(self, run_id: str, given: Payload, origin: Origin) -> Head:
        old, now = self.history.head, self.engine.clock.now()
        return Head(
            run_id=run_id,
            workflow=old.workflow,
            version=old.version,
            status=RunStatus.RUNNING,
            input=given,
            created_at=now,
            by=run_id,
            due_at=now + self.engine.limits.grace,
            # As after a resumption: what is recorded is older, and somebody has to take it over.
            resumed_at=now,
            secret=self.engine.ids.secret(),
            deadline=None if old.deadline is None else now + old.deadline - old.begins_at,
            origin=origin,
            tags=old.tags,
            retention=old.retention,
            budget=old.budget,
            hidden=pack_secrets(self.engine, run_id, self.hidden.known),
            correlation=self._correlation(),
        )

    def _correlation(self) -> Correlation | None:
        """Return the caller's mark on the old run; the new one has a trace of its own."""
        old, trace = self.history.head.correlation, self.engine.called_in()
        given = None if old is None else old.id
        return None if given is None and trace is None else Correlation(trace=trace, id=given)

    def _check(self, definition: Definition, head: Head) -> None:
        """Make sure that the code goes on from what is kept, before anything is written."""
        whole = replace(head, hidden=None)
        records = {key: kept_record(each, head.by) for key, each in self.cut.records.items()}
        with Replay(definition, History(head=whole, records=records)) as replay:
            check_agrees(self.history, replay.decision, self.hidden.masking)

    def _keep(self, head: Head) -> None:
        for record in self.cut.records.values():
            kept = kept_record(record, head.by)
            moved = replace(
                kept,
                result=kept.result and self._moved(kept.result, head.run_id),
                hidden=kept.hidden and self._moved(kept.hidden, head.run_id),
            )
            self.engine.runs.put(head.run_id, moved, KEPT)
        for event in kept_events(self.history, self.cut):
            payload = self._moved(event.payload, head.run_id)
            self.engine.runs.put_event(head.run_id, replace(event, payload=payload))

    def _moved(self, payload: Payload, run_id: str) -> Payload:
        return move(self.engine, payload, self.history.head.run_id, run_id)
