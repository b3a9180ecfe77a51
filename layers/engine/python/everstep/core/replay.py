"""Drive a workflow's coroutines against its history: the pure core of the engine.

There is no event loop. A coroutine is resumed with ``send``; whatever it awaits comes out as an
``Operation``, which gets its key, is compared with the record under that key, and is answered
if the record is final. What has no final record is the frontier. A coroutine that waits stays
where it is; it can be resumed when the record arrives (``resume``), and is let go at the end of
the pass (``close``).

Branches of a group are coroutines of their own, each with its own key space and its own time.
All are resumed in the order of the recorded times, so that code sees what happened in the order
in which it happened. A group goes on when its join is recorded, with the branches that the join
counts, whatever the others are doing: in later passes those are not even begun.

Letting go is not an exception that user code could mistake for one of its own: the decision is
made before, nothing that cleanup code does can change it, operations are refused and the
workflow's logger is silent.

The same pass over the same history always gives the same decision. When code and history
disagree the decision is ``Broken``: nothing is skipped, nothing is answered with somebody
else's result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from everstep.core import disagreements
from everstep.core.answers import EMPTY, answer
from everstep.core.blocking import foreign_yield, is_outcome, no_event_loop, no_generator_hooks
from everstep.core.collecting import uncollected
from everstep.core.completion import Reason
from everstep.core.course import Course
from everstep.core.decisions import Broken, Closable, Raised, Returned, Suspended
from everstep.core.errors import EverstepError, RunCancelled
from everstep.core.failures import describe
from everstep.core.farewell import let_go
from everstep.core.fibers import Branch, Fiber, Group, given_by
from everstep.core.frontier import Frontier
from everstep.core.hiding import hidden_of
from everstep.core.joins import read_join
from everstep.core.keys import scope_of
from everstep.core.ledger import Ledger, mistake_of
from everstep.core.masking import NOTHING
from everstep.core.model import OpKind, OpStatus
from everstep.core.operations import BranchEnd, GroupCall, Operation
from everstep.core.session import Phase, Session, driving, facts_of
from everstep.core.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.core.answers import Answer
    from everstep.core.decisions import Decision, Pending
    from everstep.core.definition import Definition
    from everstep.core.joins import Join
    from everstep.core.masking import Masking
    from everstep.core.model import History, OpRecord

# To ask an enum for a member takes long, where that is done for every operation.
_IDLE: Final = Phase.IDLE
_DRIVING: Final = Phase.DRIVING
_CALLBACK: Final = OpKind.CALLBACK
_CANCELLED: Final = OpStatus.CANCELLED


class Replay:
    """One pass over a workflow's code, at rest between ``resume`` calls.

    Attributes:
        definition: The code.
        ledger: What is recorded.
        frontier: What the pass waits for, if it does.
        asked: Keys in the order in which the code asked for them.
        course: When it did, and by what it failed.
        ended_branch: Whether ``resume`` has ended a branch, after which other messages may see
            the same group complete: what follows has to be decided from a fresh history.
        ended: The branches that it has ended, each with its group.
        open_groups: How many groups of branches run side by side.
    """

    def __init__(
        self,
        definition: Definition,
        history: History,
        *,
        live: bool = False,
        fresh: frozenset[str] = frozenset(),
        masking: Masking = NOTHING,
    ) -> None:
        """Run the code as far as the history goes.

        Args:
            definition: The workflow version that the run is pinned to.
            history: Its head and records, every payload inline.
            live: Whether code before the first record runs for the first time.
            fresh: Records that were written just now: code after them runs for the first time.
            masking: What is masked in errors, beside the run's own secrets.
        """
        head = history.head
        self.definition = definition
        self.ledger = Ledger(history.records, fresh)
        self.asked: list[str] = []
        self.course = Course()
        self.ended_branch = False
        self.ended: list[tuple[Group, Branch]] = []
        self._closed = False
        self._ready = Turns()
        self._fibers: list[Fiber] = []
        self.frontier = Frontier(head.begins_at)
        self._groups: dict[str, Group] = {}
        self.open_groups = 0
        self._closers: dict[str, tuple[str, ...]] = {}
        live = live and not history.records
        hidden = hidden_of(history, masking)
        self.session = Session(facts_of(head), live=live, claim=self.ledger.claim, hidden=hidden)
        self.session.is_new = self.ledger.is_new
        self._no_loop = no_event_loop(self.session.note)
        # None if the pass waits, and nobody has asked for what: a long list may be long to make.
        with uncollected(len(history.records)):
            self._decision = self._begin(head.input.at_hand)

    def __enter__(self) -> Self:
        """Use the pass in a ``with`` block, so that it is let go at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the pass go."""
        self.close()

    @property
    def records(self) -> Mapping[str, OpRecord]:
        """Return the records that the pass has seen, those it was resumed with included."""
        return self.ledger.records

    @property
    def decision(self) -> Decision:
        """Return where the pass stands."""
        if self._decision is None:
            self._decision = self._standing()
        return self._decision

    @property
    def latest(self) -> Decision:
        """Return where the pass stands, with what the last ``resume`` has led to, and no more."""
        if self._decision is None and self.open_groups:
            return Suspended(frontier=tuple(self.frontier.news), closers=self._closers)
        return self.decision

    @property
    def waits(self) -> bool:
        """Say whether the pass waits for something, as far as that is known without looking."""
        return self._decision is None or isinstance(self._decision, Suspended)

    def pending(self, key: str) -> Pending | None:
        """Return the operation of the frontier with this key, if it is there."""
        return self.frontier.get(key) if self.waits else None

    def abandoned(self, key: str) -> bool:
        """Say whether a key lies in a branch that its group no longer waits for."""
        return any(group.abandons(key) for group in self._groups.values())

    def resume(self, record: OpRecord, *, fresh: bool = True) -> None:
        """Go on with a record of an operation of the frontier.

        What it takes does not depend on how many others are waited for.

        Args:
            record: What is recorded now.
            fresh: Whether it was written just now: code after it runs for the first time.
        """
        self.ended_branch = False
        self.ended = []
        self.frontier.tell()
        if self._closed:
            raise RuntimeError("this pass is closed")
        if self.pending(record.key) is None:
            raise LookupError(f"{record.key} is not in the frontier")
        fiber, pending = self.frontier.remove(record.key)
        self._decision = None
        self.ledger.add(record, fresh=fresh)
        self.session.hidden.add(record)
        fiber.frame.live = fiber.frame.live and fresh
        if record.status.final:
            self._decision = self._answered(fiber, pending.operation, record) or self._drive()
        else:
            self.frontier.add(fiber, pending.operation, record.key, record)

    def close(self) -> None:
        """Let the suspended coroutines go; their cleanup code does nothing durable."""
        self._closed = True
        let_go(self.session, self._fibers)
        self._fibers = []

    # --- Driving

    def _begin(self, input_text: str) -> Decision | None:
        try:
            coroutine = self.definition.begin(self.session, input_text)
        except EverstepError as error:
            return Broken(error=describe(error))
        root = Fiber(coroutine, self.session.frame)
        self._fibers.append(root)
        self._ready.add(root, EMPTY)
        return self._drive()

    def _drive(self) -> Decision | None:
        """Run every coroutine that can go on, until none can; return a decision unless it waits."""
        ready, session = self._ready, self.session
        self._no_loop.look()
        with driving(session), no_generator_hooks():
            while ready:
                fiber, given = ready.next()
                ended = self._go_on(fiber, given)
                if session.mistake is not None:
                    return Broken(error=describe(session.mistake))
                if ended is not None:
                    return ended
        return None

    def _standing(self) -> Decision:
        closable: tuple[Closable, ...] = ()
        if self._groups:
            found = (group.closable() for group in self._groups.values())
            closable = tuple(group for group in found if group is not None)
        if not self.frontier and not closable:
            # A join counts branches of which this history does not show the end.
            waiting = [group.key for group in self._groups.values() if not group.answered]
            return Broken(error=disagreements.missing_branches(waiting), keys=frozenset(waiting))
        return Suspended(
            frontier=self.frontier.all(),
            closable=closable,
            closers=self._closers,
            children=self.ledger.children,
        )

    def _go_on(self, fiber: Fiber, given: Answer) -> Decision | None:
        """Resume a coroutine once; return a decision if that ends the pass."""
        session, loop = self.session, self._no_loop
        session.frame, session.phase = fiber.frame, _DRIVING
        # Not between resumptions: validators of users' models run there, and may use a loop.
        if loop.put is not None:
            loop.put(loop.stand_in)
        try:
            try:
                if given.error is None:
                    asked = fiber.coroutine.send(given.value)
                else:
                    asked = fiber.coroutine.throw(given.error)
            finally:
                # What an error still holds is dropped after this, and so counts for nothing.
                if loop.put is not None:
                    loop.put(loop.before)
                session.phase = _IDLE
        except StopIteration as stop:
            return self._ended(fiber, stop.value, None)
        except BaseException as error:
            if is_outcome(error):
                return self._ended(fiber, None, error)
            raise
        if isinstance(asked, Operation) and asked.session is session:
            return self._asked(fiber, asked)
        return Broken(error=describe(foreign_yield(asked)))

    # --- What code asks for

    def _asked(self, fiber: Fiber, operation: Operation[Any]) -> Decision | None:
        frame, key = fiber.frame, operation.key
        scope = frame.scope if key is None else scope_of(key)
        key = key or frame.next_key(operation.name)
        self.asked.append(key)
        self.course.asked(key, frame.now)
        record = self.ledger.records.get(key)
        disagreement = self.ledger.disagreement(operation, key, scope, record)
        if disagreement is not None:
            return disagreement
        if isinstance(operation.call, GroupCall):
            return self._open(fiber, operation, operation.call, key)
        if record is None or not record.status.final:
            self.frontier.add(fiber, operation, key, record)
            return None
        return self._answered(fiber, operation, record)

    def _answered(
        self, fiber: Fiber, operation: Operation[Any], record: OpRecord
    ) -> Decision | None:
        given = answer(operation, record)
        if given.broken is not None:
            return given.broken
        if given.error is not None:
            self.course.given(given.error, record.key)
        if fiber.frame.heard is not None:
            fiber.frame.heard.clear()
        if record.child:
            self.ledger.note_child(record.child, record.kind, interrupted=fiber.interrupted)
        self._pass(fiber, record)
        if record.status is _CANCELLED:
            fiber.hear()
        self._ready.add(fiber, given)
        return None

    def _pass(self, fiber: Fiber, record: OpRecord) -> None:
        """Note that a fiber has come to where a record leads."""
        frame, ended_at = fiber.frame, record.ended_at or 0
        if record.kind is not _CALLBACK or not self.ledger.is_passed_by(record, frame.now):
            fiber.last = record.key
        frame.now = max(frame.now, ended_at)
        frame.live = frame.live or record.key in self.ledger.fresh

    # --- Groups

    def _open(
        self, fiber: Fiber, operation: Operation[Any], call: GroupCall, key: str
    ) -> Decision | None:
        """Begin the branches of a group: all that count, or the first of each lane."""
        group = Group(key, operation, call, fiber)
        self._groups[key] = group
        self.open_groups += 1
        record = self.records.get(key)
        if record is not None and record.result is not None:
            group.join = read_join(record.result.at_hand)
            group.begun = group.join.begun
            if group.join.picked is not None:
                self.ledger.forget(key, map(group.scope, group.join.picked))
        for index in group.first():
            self._begin_branch(group, index, fiber.last, fiber.frame.now)
        if not call.total:
            group.answered, self.open_groups = True, self.open_groups - 1
            self._ready.add(fiber, given_by(group, Reason.ALL_COMPLETED, []))
        return None

    def _begin_branch(self, group: Group, index: int, last: str, at: int) -> None:
        self.session.frame = group.parent.frame.branch(group.scope(index), at)
        fiber = group.begin(index, self.session.frame, last)
        self._fibers.append(fiber)
        self._ready.add(fiber, EMPTY)

    def _branch_ended(
        self, fiber: Fiber, group: Group, value: object, error: BaseException | None
    ) -> None:
        end = BranchEnd(fiber.index, value, error)
        branch = Branch(end, fiber.last, fiber.frame, fiber.interrupted)
        group.end(branch)
        self.ended.append((group, branch))
        if error is not None:
            self.course.raised_in(group.key, error)
        following = group.next_in_lane(fiber.index)
        goes_on = following is not None and group.goes_on()
        # Other messages may see the group complete, too, unless this lane goes on.
        self.ended_branch = self.ended_branch or not goes_on
        if group.join is not None:
            self._close_if_complete(group, group.join)
        elif following is not None and goes_on:
            self._begin_branch(group, following, fiber.last, fiber.frame.now)

    def _close_if_complete(self, group: Group, join: Join) -> None:
        """Let a group's fiber go on, once everything that its join counts has ended."""
        counted = group.counted(join)
        if counted is None:
            return
        record = self.records[group.key]
        self._closers[group.key] = group.closers()
        group.answered, self.open_groups = True, self.open_groups - 1
        self._pass(group.parent, record)
        group.hand_on_lines(counted)
        given = given_by(group, join.reason, [each.end for each in counted])
        if isinstance(given.error, RunCancelled):
            group.parent.interrupted = True
        self._ready.add(group.parent, given)

    # --- How code ends

    def _ended(self, fiber: Fiber, value: object, error: BaseException | None) -> Decision | None:
        mistake = None if error is None else mistake_of(error)
        mistake = mistake or self.ledger.leftover(fiber.frame.scope, error)
        if mistake is not None:
            return mistake
        if error is None and not self.session.ended(fiber.frame.scope):
            return None
        if fiber.group is not None:
            self._branch_ended(fiber, fiber.group, value, error)
            return None
        if error is not None:
            return self._raised(fiber, error)
        try:
            output = self.definition.encode_output(value)
        except EverstepError as refusal:
            return self._raised(fiber, refusal)
        said = fiber.frame.lines
        return Returned(output=output, last=fiber.last, closers=self._closers, lines=said)

    def _raised(self, fiber: Fiber, error: BaseException) -> Raised:
        self.course.raised(error)
        return Raised(
            error=describe(error, masking=self.session.hidden.masking),
            last=fiber.last,
            closers=self._closers,
            interrupted=isinstance(error, RunCancelled),
            children=self.ledger.children if fiber.interrupted else (),
            lines=fiber.frame.lines,
        )
