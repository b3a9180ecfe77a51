"""Process one message: load, replay, make at most one attempt, commit, send on.

Every write is conditional and names the message that made it; every send happens after the
write that justifies it. Wherever the process dies, the queue delivers the message again, and the
second pass finds by the records' tokens what the first still owed.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from everstep.app.attempt import begin, run_attempt
from everstep.app.beginnings import put_off
from everstep.app.burst import Burst, goes_on
from everstep.app.cancel import tell_in_time
from everstep.app.continuation import close_down
from everstep.app.fulfil import fulfil
from everstep.app.interruption import settle_interrupted
from everstep.app.kept import put_back, taken_up
from everstep.app.observing import committed, replayed
from everstep.app.outbox import send
from everstep.app.outcomes import Done
from everstep.app.owing import STALLS, owed_by
from everstep.app.payloads import load
from everstep.app.recording import record_op
from everstep.app.stall import stall
from everstep.app.witnesses import witnesses
from everstep.authoring.capture import hearing_prints
from everstep.core.decisions import Broken, Suspended
from everstep.core.effects import Interrupt, Look
from everstep.core.errors import (
    UnreadablePayloadError,
    WorkflowMissingError,
)
from everstep.core.failures import describe, masked
from everstep.core.hiding import at_work, work_on
from everstep.core.model import MessageKind, OpRecord, OpStatus, RunStatus
from everstep.core.observations import RunAtHand
from everstep.core.operations import CallbackCall, StepCall, WaitCall
from everstep.core.records import dataclass, replace
from everstep.core.repeats import ABOUT_ONE, has_begun, is_anothers, is_looked_after, is_repeat
from everstep.core.transitions import (
    LONG_SLEEP_ENDED,
    REARMED,
    SHORT_SLEEP_ENDED,
    WAIT_ENDED,
    step_ended,
    step_retried,
    step_settled,
    step_started,
    wait_prolonged,
)
from everstep.core.waits import given_up_at, is_long, next_event, timed_out, waiting, woken

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.engine import Engine
    from everstep.core.decisions import Pending
    from everstep.core.effects import Effect
    from everstep.core.model import ErrorInfo, Head, History, Message
    from everstep.core.replay import Replay
    from everstep.core.transitions import Guard
    from everstep.core.witnesses import Seen


def advance(
    engine: Engine,
    message: Message,
    time_left: Callable[[], int] | None = None,
    *,
    receives: int = 1,
    following: str = "",
) -> Done:
    """Process one message; processing it again, or at the same time elsewhere, is harmless.

    Args:
        engine: The ports.
        message: What the queue delivered.
        time_left: Tells the milliseconds that the function may still run.
        receives: How often the message was delivered, this time included: whether somebody may
            have died of it before.
        following: The body of the message that this process gets next, if that is known.

    Raises:
        UnavailableError: A service did not answer; deliver the message again.
        OutOfTimeError: No time for an attempt; deliver the message again.
    """
    with hearing_prints():
        burst = Burst(engine, message, time_left, receives)
        return _Advance(engine, message, time_left, burst, receives, following).run()


@dataclass(frozen=True, slots=True)
class _Advance:
    engine: Engine
    message: Message
    time_left: Callable[[], int] | None
    burst: Burst
    receives: int = 1
    following: str = ""
    seen: list[Seen] = field(default_factory=list)
    onward: list[tuple[Pending, History]] = field(default_factory=list)
    fresh: set[str] = field(default_factory=set)
    looked: set[str] = field(default_factory=set)
    passes: list[Replay] = field(default_factory=list)

    def run(self) -> Done:
        work_on(None)
        try:
            return self._with_what_was_kept() or self._from_the_beginning()
        except UnreadablePayloadError as error:
            return self._stalled(describe(error))

    def _with_what_was_kept(self) -> Done | None:
        """Go on with the pass that this process has kept of the run; None if it cannot."""
        found = taken_up(self.engine, self.message, self.receives)
        if found is None:
            return None
        replay, history = found
        self.engine.observe(RunAtHand(head=history.head))
        self.burst.saw_head(history.read_at)
        return self._attend(history, replay)

    def _from_the_beginning(self) -> Done:
        history = self._load()
        if history is None:
            return Done.UNKNOWN_RUN
        self.engine.observe(RunAtHand(head=history.head))
        if history.head.status.terminal:
            return self._after_the_end(history)
        if history.head.status is not RunStatus.RUNNING:
            # Its due entries are left alone: they are taken over later.
            return Done.STANDS_STILL
        if self.message.kind is MessageKind.CANCEL and history.head.ending is None:
            return self._when_time_is_up(history.head)
        return Done.EARLY if put_off(self.engine, self.message, history) else self._process(history)

    def _load(self) -> History | None:
        self.burst.saw_head()
        return load(self.engine, self.message.run_id)

    def _after_the_end(self, history: History) -> Done:
        """Do what is left to do, if whoever ended the run may have died before it did."""
        close_down(self.engine, self.message, history)
        self._disarm()
        return Done.ENDED_BEFORE

    def _when_time_is_up(self, head: Head) -> Done:
        """Have the run end if its time is up; this message was sent for that."""
        if (done := tell_in_time(self.engine, self.message, head)) is not None:
            return done
        history = self._still_running()
        return Done.SUPERSEDED if history is None else self._process(history)

    def _process(self, history: History, seen: frozenset[str] = frozenset()) -> Done:
        try:
            definition = self.engine.registry.to_continue(
                history.head.workflow, history.head.version
            )
        except WorkflowMissingError as error:
            return self._stalled(describe(error))
        live = self.message.kind is MessageKind.START
        fresh = frozenset(self.fresh)
        replay = replayed(self.engine, definition, history, live=live, fresh=fresh)
        # In a further pass of this message the code after them is replayed: it logs once.
        self.fresh.clear()
        return self._attend(history, replay, seen)

    def _attend(self, history: History, replay: Replay, seen: frozenset[str] = frozenset()) -> Done:
        """Act on a pass, and keep it for the run's next message, unless another took its place."""
        self.passes.append(replay)
        work_on(replay.session.hidden)
        done = None
        try:
            if isinstance(replay.decision, Broken):
                done = self._broken(history, replay.decision, seen)
            else:
                done = self._act(history, replay)
            while self.onward:
                done = self._go_on(replay, *self.onward.pop())
            return done
        finally:
            if done is None or self.passes[-1:] != [replay]:
                replay.close()
            else:
                put_back(self.engine, self.message, replay, history, done, self.seen)

    def _go_on(self, replay: Replay, pending: Pending, history: History) -> Done:
        """Carry out the next step as if this message had been sent for it."""
        message = replace(self.message, kind=MessageKind.STEP, op=pending.key, attempt=1, due=0)
        return replace(self, message=message)._execute(history, replay, pending)  # noqa: SLF001

    def _act(self, history: History, replay: Replay) -> Done:
        message = self.message
        record = history.records.get(message.op)
        if message.kind not in ABOUT_ONE or is_repeat(message, record):
            if self.burst.leaves_it(message, history, replay):
                return Done.REPEATED
            return self._settle(history, replay, Done.REPEATED)
        pending = replay.pending(message.op)
        if pending is None or (is_long(pending) and record is None):
            return self._not_awaited(history, replay)
        if is_anothers(message, record):
            return Done.SUPERSEDED
        # Also where an attempt was begun: until then whoever has begun it may be at work.
        due = max(message.due, pending.wake_at or 0)
        if due > self.engine.clock.now():
            if is_looked_after(message, pending):
                return Done.SUPERSEDED
            # The same message, token included: it goes on owing what a duplicate of it, on a
            # clock that runs ahead, may just have committed.
            send(self.engine, [replace(message, due=due)])
            return Done.EARLY
        return self._execute(history, replay, pending)

    def _not_awaited(self, history: History, replay: Replay) -> Done:
        """Do what the code waits for instead of what the message was sent for.

        An operation that was sent for and has no record was asked for by code that has changed
        since (or it was a short sleep then and is a long one now). Whoever sent it owed the run
        its next message, and this one stands in for it.
        """
        decision = replay.decision
        # What is recorded and not awaited is a callback whose branch lost: it may be awaited again.
        if replay.abandoned(self.message.op) or self.message.op in replay.records:
            self._disarm()
            return Done.SUPERSEDED
        if not isinstance(decision, Suspended) or decision.unrecorded:
            heir = replace(self.message, take=True)
            return self._settle(history, replay, Done.SUPERSEDED, heir)
        return Done.SUPERSEDED

    def _execute(self, history: History, replay: Replay, pending: Pending) -> Done:
        call = pending.operation.call
        told = history.head.ending is None or pending.interrupted
        # Of an attempt that was begun the code is told first what became of it, to undo it.
        if not told and not has_begun(pending):
            fulfil(self.engine, self.message, [Interrupt(pending=pending)], history.head, replay)
            self.fresh.add(pending.key)
            return self._again(Done.ADVANCED)
        if isinstance(call, StepCall):
            return self._attempt(history, replay, pending, call)
        if isinstance(call, WaitCall | CallbackCall):
            if next_event(pending, history.events, history.records) is not None:
                return self._settle(history, replay, Done.ADVANCED)
            record, guard = self._given_up(pending, history)
        else:
            record = woken(pending, self.message.token, self.engine.clock.now())
            guard = LONG_SLEEP_ENDED if is_long(pending) else SHORT_SLEEP_ENDED
        return self._commit(history, replay, record, guard)

    def _attempt(self, history: History, replay: Replay, pending: Pending, call: StepCall) -> Done:
        """Make the next attempt of a step, or settle one that was begun and left no result."""
        before, begun = pending.record, has_begun(pending)
        # One more than recorded, which differs from what the message says only if the table was
        # restored to a time before the message was sent.
        number = (before.attempt if before else 0) + (not begun)
        as_sent = self.message.attempt == number
        message = self.message if as_sent else replace(self.message, attempt=number)
        attempt = begin(self.engine, message, pending, call, history.head, self.time_left)
        if begun:
            record = settle_interrupted(self.engine, attempt)
            return self._commit(history, replay, record, step_settled(number))
        # Whoever had this message before may have died in the attempt, and would again.
        says_so = call.terms.at_most_once or self.receives > 1
        if says_so and not self._put(replay, attempt.started, step_started(number)):
            return self._afresh()
        record = run_attempt(self.engine, attempt)
        retried = record.status is OpStatus.RETRY
        guard = step_retried(number) if retried else step_ended(number)
        guard = step_settled(number) if call.terms.at_most_once else guard
        return self._commit(history, replay, record, guard)

    def _put(self, replay: Replay, record: OpRecord, guard: Guard) -> OpRecord | None:
        return record_op(self.engine, self.message.run_id, record, guard, replay)

    def _afresh(self) -> Done:
        """Find out what is to be done now that somebody else has recorded something."""
        now = self._still_running()
        return Done.SUPERSEDED if now is None else self._process(now)

    def _given_up(self, pending: Pending, history: History) -> tuple[OpRecord, Guard]:
        """Return how a wait ends whose time is up; or goes on, after a sign of life."""
        now, seen = self.engine.clock.now(), pending.wake_at or 0
        if (given_up_at(pending, history.events) or 0) > max(now, seen):
            record = waiting(pending, self.message.token, history.events)
            return record, wait_prolonged(seen)
        return timed_out(pending, self.message.token, now), WAIT_ENDED

    def _commit(self, history: History, replay: Replay, record: OpRecord, guard: Guard) -> Done:
        if put := self._put(replay, record, guard):
            committed(self.engine, history, put)
            self.burst.has_recorded()
            replay.resume(put)
            if replay.ended_branch:
                seen = witnesses(self.engine, history.head, replay, self.following)
                self.seen.extend(seen)
                return Done.ADVANCED if seen else self._again(Done.ADVANCED)
            history = replace(history, records=replay.ledger.records)
            return self._settle(history, replay, Done.ADVANCED, latest=not self.message.take)
        # Somebody wrote first. If it was this very message (a duplicate of it, or an answer that
        # got lost), its consequences are owed here too; if not, they are somebody else's.
        now = self._still_running()
        written = now.records.get(record.key) if now else None
        mine = written is not None and (written.by == self.message.token or self.message.take)
        # That one may be dead, and not come again if it did more than it was sent for.
        looks = mine or goes_on(self.engine, replay)
        return self._process(now) if now and looks else Done.SUPERSEDED

    def _settle(
        self,
        history: History,
        replay: Replay,
        done: Done,
        heir: Message | None = None,
        *,
        latest: bool = False,
    ) -> Done:
        """Carry out what the message (or its heir) owes, given where the workflow stands now.

        A message that has just recorded something owes nothing but what that has led to.
        """
        if isinstance(replay.latest, Broken):
            return self._broken(history, replay.latest)
        try:
            owed = self._owed(history, replay, heir or self.message, latest=latest)
            if step := self.burst.next_step(owed, history.head, self.passes):
                self.onward.append((step, history))
                return Done.ADVANCED
            changed = self._fulfil(history, replay, owed, heir or self.message)
        except STALLS as error:
            return self._stalled(describe(error))
        if not changed:
            return done
        # What was decided is what is recorded, by this message or by another just before.
        self.burst.has_recorded()
        self.fresh.update(changed)
        return self._again(done)

    def _owed(
        self, history: History, replay: Replay, message: Message, *, latest: bool = False
    ) -> tuple[Effect, ...]:
        return owed_by(self.engine, message, history, replay, self.looked, latest=latest)

    def _fulfil(
        self, history: History, replay: Replay, owed: tuple[Effect, ...], message: Message
    ) -> set[str]:
        """Carry out what is owed, once nothing is left to look at before."""
        while True:
            changed = fulfil(self.engine, self.message, owed, history.head, replay)
            looked = {effect.pending.key for effect in owed if isinstance(effect, Look)}
            if changed or not looked:
                return changed
            self.looked.update(looked)
            owed = self._owed(history, replay, message)

    def _again(self, done: Done) -> Done:
        """Go on from a fresh history, which also shows what others have recorded meanwhile."""
        now = self._still_running()
        again = None if now is None else self._process(now)
        return again if again is Done.STALLED else done

    def _still_running(self) -> History | None:
        """Return the run as it is now; if it does not go on, do what is left to do of it."""
        now = self._load()
        if now is not None and now.head.status.terminal:
            # Whoever has ended it with this message may have died before it was done with it.
            self._after_the_end(now)
        if now is not None and now.head.status is RunStatus.RUNNING:
            return now
        self.passes.clear()
        return None

    def _broken(self, history: History, broken: Broken, seen: frozenset[str] = frozenset()) -> Done:
        """Stall the run if it is truly broken.

        A query is no snapshot: it can show a record and miss an earlier one that was written
        while it read. So a contradiction counts only for records that an earlier read showed.
        """
        if broken.keys and not broken.keys & seen:
            now = self._still_running()
            return self._process(now, frozenset(history.records)) if now else Done.SUPERSEDED
        return self._stalled(broken.error)

    def _stalled(self, reason: ErrorInfo) -> Done:
        masking = self.engine.masking.with_values(at_work())
        run_id, token = self.message.run_id, self.message.token
        stall(self.engine, run_id, masked(reason, masking), by=token)
        self.passes.clear()
        return Done.STALLED

    def _disarm(self) -> None:
        """Take a timer that nobody awaits any more out of the due index."""
        if self.message.kind is MessageKind.TIMER:
            self.engine.runs.move(self.message.run_id, self.message.op, None, REARMED)
