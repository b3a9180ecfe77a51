"""Go on with the next step in the same invocation, instead of sending a message for it.

Every step is committed before the next one begins, and every record names the token of the one
message that is at work. So that message is what a crash leaves: delivered again, it finds the
records that it has made by their token, owes what follows the last of them, and sends a message
for that. It goes on by itself only the first time that it is delivered: whoever dies repeatedly
is to hurt nobody but the step that it dies of.

One thing is different. A duplicate that arrives while the message is at work finds records of its
own, and cannot know whether whoever made them is alive. If it sent a message for what follows, the
step that is under way would be executed twice. So it has somebody look later, under its own token,
and acknowledges both. Whoever finds its step done by another message does the same under that
one's token: it may be all that is left (``leaves_it``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.app.outbox import send
from everstep.app.owing import owed_by
from everstep.core.durations import FRESH, LONGEST_DELAY, SECOND
from everstep.core.effects import Send
from everstep.core.model import MessageKind
from everstep.core.operations import StepCall
from everstep.core.records import replace
from everstep.core.repeats import ABOUT_ONE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from everstep.app.engine import Engine
    from everstep.core.decisions import Pending
    from everstep.core.effects import Effect
    from everstep.core.model import Head, History, Message, OpRecord
    from everstep.core.replay import Replay

# The others look around, or take over what somebody else may be at work on.
_GOES_ON: Final = frozenset(
    {
        MessageKind.START,
        MessageKind.STEP,
        MessageKind.TIMER,
        MessageKind.EVENT,
        MessageKind.CHILD,
    }
)
# Committing the last result and sending on take a part of the time that is left, too.
_MARGIN: Final = 2 * SECOND
# Passes from the beginning that one message makes: each is called by the one before.
_PASSES: Final = 8


class Burst:
    """How far one message may go on by itself; spent as it does."""

    __slots__ = (
        "_begins",
        "_engine",
        "_enough",
        "_goes_on",
        "_recorded",
        "_seen_at",
        "_steps",
        "_time_left",
    )

    def __init__(
        self,
        engine: Engine,
        message: Message,
        time_left: Callable[[], int] | None,
        receives: int,
    ) -> None:
        """Begin with what the message brings itself.

        Args:
            engine: The ports.
            message: What is processed.
            time_left: Tells the milliseconds that the function may still run.
            receives: How often the message was delivered, this time included.
        """
        self._engine = engine
        self._goes_on = receives == 1 and not message.take and message.kind in _GOES_ON
        self._steps = int(message.kind is MessageKind.STEP)
        self._time_left = time_left
        # Of a step that does not say how long it takes: as long as all before it together.
        self._enough = time_left() // 2 if time_left is not None and self._goes_on else 0
        self._seen_at = 0
        self._begins = message.kind is MessageKind.START
        self._recorded = False

    def has_recorded(self) -> None:
        """Note that the message has recorded something, and is no mere repeat."""
        self._recorded = True

    def saw_head(self, at: int | None = None) -> None:
        """Note that the head was read, just now if not before."""
        self._seen_at = self._engine.clock.now() if at is None else at

    def next_step(
        self, owed: Sequence[Effect], head: Head, passes: Sequence[Replay]
    ) -> Pending | None:
        """Return the step to go on with; None to send what is owed, as ever.

        Args:
            owed: What the message owes now, of which a first attempt of one step must be all.
            head: The run, as it was read last.
            passes: The passes that the message has made; the last one stands before the step.
        """
        replay = passes[-1]
        most = _most(self._engine, replay)
        if most == 1 or self._steps >= most or len(passes) > _PASSES or head.ending is not None:
            return None
        # What a repeat of a message still owes, somebody else may be at work on.
        alone = self._goes_on and (self._recorded or self._begins)
        pending = _only_step(owed, replay) if alone else None
        if pending is None or not self._has_time(pending) or not self._is_as_it_was(head):
            return None
        self._steps += 1
        return pending

    def leaves_it(self, message: Message, history: History, replay: Replay) -> bool:
        """Say whether a message leaves what follows to whoever has done what it asks for.

        Somebody then looks later whether that one has gone on. The look inherits what that one
        owes, by its token, and finds nothing to do if all is well.
        """
        if message.take or not goes_on(self._engine, replay):
            return False
        record = history.records.get(message.op)
        if record is not None and record.by != message.token and message.kind in ABOUT_ONE:
            _look_later(self._engine, message, record, history, replay)
            return False
        own = self._recorded_elsewhere(message, history)
        if own is not None:
            _look_later(self._engine, message, own, history, replay)
        return own is not None

    def _recorded_elsewhere(self, message: Message, history: History) -> OpRecord | None:
        """Return what somebody else has recorded for this very message, if anybody has."""
        if self._recorded or not self._goes_on:
            return None
        # A run that goes on from another begins with what is kept of that, in its start's name.
        if self._begins and history.head.origin is not None:
            return None
        if not self._begins:
            return history.records.get(message.op) if message.kind in ABOUT_ONE else None
        return next((each for each in history.records.values() if each.by == message.token), None)

    def _has_time(self, pending: Pending) -> bool:
        if self._time_left is None:
            return True
        call = pending.operation.call
        timeout = call.terms.timeout if isinstance(call, StepCall) else None
        timeout = self._engine.limits.step_timeout if timeout is None else timeout
        needed = self._enough if timeout is None else timeout
        return self._time_left() >= needed + _MARGIN

    def _is_as_it_was(self, head: Head) -> bool:
        """Say whether the head, read again if that was a while ago, still says the same."""
        if self._engine.clock.now() - self._seen_at <= FRESH:
            return True
        self.saw_head()
        return self._engine.runs.head(head.run_id) == head


def _only_step(owed: Sequence[Effect], replay: Replay) -> Pending | None:
    """Return the step of which a first attempt is owed, if nothing else is, and it may be tried.

    A step that may begin once only has a message of its own, which settles it if it dies.
    """
    send = owed[0] if len(owed) == 1 else None
    if not isinstance(send, Send):
        return None
    if send.kind is not MessageKind.STEP or send.attempt != 1 or send.take:
        return None
    pending = replay.pending(send.op)
    return pending if pending is not None and _may_begin_again(pending) else None


def _may_begin_again(pending: Pending) -> bool:
    call = pending.operation.call
    return isinstance(call, StepCall) and not call.terms.at_most_once


def _look_later(
    engine: Engine, message: Message, done: OpRecord, history: History, replay: Replay
) -> None:
    due = engine.clock.now() + LONGEST_DELAY
    look = replace(message, kind=MessageKind.CHECK, op=done.key, token=done.by, attempt=0, due=due)
    if owed_by(engine, look, history, replay, ()):
        send(engine, [look])


def goes_on(engine: Engine, replay: Replay) -> bool:
    """Say whether messages of a run may carry out several steps."""
    return _most(engine, replay) > 1


def _most(engine: Engine, replay: Replay) -> int:
    return replay.definition.steps_per_message or engine.limits.steps_per_message
