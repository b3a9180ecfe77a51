"""The engine made wrong on purpose, one rule at a time: what the simulation has to notice."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from inspect import isfunction
from typing import TYPE_CHECKING, Any, Final

from everstep.adapters.memory import store
from everstep.app import (
    advance,
    attempt,
    control,
    dead_letter,
    fulfil,
    outbox,
    stall,
    start,
    sweep,
)
from everstep.app.outcomes import Done
from everstep.app.recording import record_op
from everstep.core import changes, decide, transitions
from everstep.core import watch as watching
from everstep.core.decisions import Raised, Returned
from everstep.core.effects import Arm, Send
from everstep.core.errors import UnavailableError
from everstep.core.model import Head, Message, MessageKind, OpStatus, Payload, RunStatus
from everstep.core.places import place
from everstep.core.repeats import is_repeat
from everstep.core.retry import Retry
from everstep.core.transitions import Guard, HeadGuard
from everstep.testing.simulation import actors
from tests.simulation import (
    mutants_burst,
    mutants_kept,
    mutants_once,
    mutants_recovering,
    mutants_together,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from everstep.app.engine import Engine
    from everstep.app.start import Accepted
    from everstep.core.audit import AuditEntry
    from everstep.core.decisions import Broken
    from everstep.core.effects import Effect
    from everstep.core.model import DueEntry, History, OpRecord
    from everstep.core.replay import Replay
    from everstep.core.watch import Watch

_ANY_RECORD: Final = Guard(absent=True, statuses=tuple(OpStatus))
_ANY_HEAD: Final = HeadGuard(statuses=tuple(RunStatus))


def any_result_replaces_another(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(advance, "step_ended", lambda _attempt: _ANY_RECORD)


def a_failed_attempt_replaces_a_later_record(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(advance, "step_retried", lambda _attempt: _ANY_RECORD)


def a_sleep_ends_more_than_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(advance, "SHORT_SLEEP_ENDED", _ANY_RECORD)
    patch.setattr(advance, "LONG_SLEEP_ENDED", _ANY_RECORD)


def a_sleep_is_armed_over_its_result(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(fulfil, "ARMED", _ANY_RECORD)


def the_run_ends_unconditionally(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(fulfil, "RUN_ENDED", _ANY_HEAD)


def the_run_stalls_unconditionally(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(stall, "RUN_STALLED", _ANY_HEAD)


def whatever_has_ended_can_be_resumed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(control, "RUN_RESUMED", _ANY_HEAD)


def a_repeat_owes_nothing(patch: pytest.MonkeyPatch) -> None:
    original = advance._Advance._settle

    def settle(self: Any, history: Any, replay: Replay, done: Done, **how: Any) -> Done:  # noqa: ANN401
        kind = self.message.kind
        begins = kind in (MessageKind.START, MessageKind.RECOVER)
        if done is Done.REPEATED and not begins:
            return done
        return original(self, history, replay, done, **how)

    patch.setattr(advance._Advance, "_settle", settle)


def every_repeat_sends_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "_owns", lambda *_: True)


def a_lost_condition_owes_nothing(patch: pytest.MonkeyPatch) -> None:
    def commit(
        self: Any,  # noqa: ANN401
        history: History,
        replay: Replay,
        record: OpRecord,
        guard: Guard,
    ) -> Done:
        if not record_op(self.engine, self.message.run_id, record, guard, replay):
            return Done.SUPERSEDED
        replay.resume(record)
        done: Done = self._settle(history.with_record(record), replay, Done.ADVANCED)
        return done

    patch.setattr(advance._Advance, "_commit", commit)


def what_follows_is_sent_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    def commit(
        self: Any,  # noqa: ANN401
        history: History,
        replay: Replay,
        record: OpRecord,
        guard: Guard,
    ) -> Done:
        replay.resume(record)
        done: Done = self._settle(history.with_record(record), replay, Done.ADVANCED)
        record_op(self.engine, self.message.run_id, record, guard, replay)
        return done

    patch.setattr(advance._Advance, "_commit", commit)


def a_repeat_never_ends_the_run(patch: pytest.MonkeyPatch) -> None:
    original = advance._Advance._settle

    def settle(self: Any, history: Any, replay: Replay, done: Done, **how: Any) -> Done:  # noqa: ANN401
        ended = isinstance(replay.decision, Returned | Raised)
        if done is Done.REPEATED and ended:
            return done
        return original(self, history, replay, done, **how)

    patch.setattr(advance._Advance, "_settle", settle)


def the_sweeper_moves_a_timer_before_it_sends(patch: pytest.MonkeyPatch) -> None:
    def timers(engine: Engine, entries: Sequence[DueEntry], _swept: sweep.Swept) -> None:
        for entry in entries:
            guard = transitions.timer_moved(entry.due_at)
            if engine.runs.move(entry.run_id, entry.key, None, guard):
                effect = sweep._effect(entry)
                outbox.send(engine, [outbox.message_for(engine, entry.run_id, effect)])

    patch.setattr(sweep, "_send_timers", timers)


def the_first_contradiction_stalls(patch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, _history: History, broken: Broken, *_: object) -> Done:  # noqa: ANN401
        stall.stall(self.engine, self.message.run_id, broken.error, by=self.message.token)
        return Done.STALLED

    patch.setattr(advance._Advance, "_broken", broken)


def an_early_message_counts_as_due(patch: pytest.MonkeyPatch) -> None:
    original = advance._Advance._execute

    def act(self: Any, history: History, replay: Replay) -> Done:  # noqa: ANN401
        message: Message = self.message
        pending = replay.pending(message.op)
        if pending is None or is_repeat(message, history.records.get(message.op)):
            return act_rightly(self, history, replay)
        return original(self, history, replay, pending)

    act_rightly = advance._Advance._act
    patch.setattr(advance._Advance, "_act", act)


def a_message_says_which_attempt_it_is(patch: pytest.MonkeyPatch) -> None:
    def unchanged_attempt(value: Any, **changes: Any) -> Any:  # noqa: ANN401
        changes.pop("attempt", None)
        return replace(value, **changes)

    patch.setattr(advance, "replace", unchanged_attempt)


def a_long_sleep_is_never_armed(patch: pytest.MonkeyPatch) -> None:
    original = decide._first

    def first(message: Message, pending: Any) -> Effect:  # noqa: ANN401
        effect = original(message, pending)
        if isinstance(effect, Arm):
            return Send(kind=MessageKind.TIMER, op=pending.key, due=effect.record.wake_at or 0)
        return effect

    patch.setattr(decide, "_first", first)


def a_dead_letter_is_dropped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dead_letter, "_still_owes", lambda *_: False)


def every_dead_letter_stalls(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dead_letter, "_still_owes", lambda *_: True)


def no_message_is_recognised_as_a_repeat(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(advance, "is_repeat", lambda *_: False)


def everything_is_sent_twice(patch: pytest.MonkeyPatch) -> None:
    original = outbox.send

    def send(engine: Engine, messages: list[Message]) -> None:
        original(engine, [*messages, *(replace(each, token=f"{each.token}'") for each in messages)])

    patch.setattr(fulfil, "send", send)


# --- Triggers


def no_idempotency_key_is_claimed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(start, "_claim", lambda *_: None)


def a_trigger_that_comes_second_is_told_a_run_of_its_own(patch: pytest.MonkeyPatch) -> None:
    original = start.start

    def told(engine: Engine, *args: Any, **kwargs: Any) -> Accepted:  # noqa: ANN401
        accepted = original(engine, *args, **kwargs)
        return accepted if accepted.created else replace(accepted, run_id=engine.ids.run_id())

    patch.setattr(actors, "start", told)


def the_trigger_sends_before_it_records(patch: pytest.MonkeyPatch) -> None:
    original = start.start

    class SendsFirst:
        def __init__(self, engine: Engine) -> None:
            self.engine = engine

        def create(self, head: Head, *held: Any, **more: Any) -> object:  # noqa: ANN401
            send_first(self.engine, head)
            return self.engine.runs.create(head, *held, **more)

    def begin(engine: Engine, *args: Any, **kwargs: Any) -> Accepted:  # noqa: ANN401
        changed: Any = SendsFirst(engine)
        return original(replace(engine, runs=changed), *args, **kwargs)

    send_first = start._send_first
    patch.setattr(start, "_send_first", lambda *_: True)
    patch.setattr(actors, "start", begin)


def a_run_is_recorded_unwatched(patch: pytest.MonkeyPatch) -> None:
    def unwatched(**fields: Any) -> Head:  # noqa: ANN401
        return Head(**{**fields, "due_at": None})

    patch.setattr(start, "Head", unwatched)


# --- Executors


def an_early_message_gets_another_token(patch: pytest.MonkeyPatch) -> None:
    original = outbox.send

    def send(engine: Engine, messages: list[Message]) -> None:
        original(engine, [replace(each, token=engine.ids.token()) for each in messages])

    patch.setattr(advance, "send", send)


def an_early_message_is_dropped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(advance, "send", lambda *_: None)


def a_failed_send_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    original = outbox.send

    def send(engine: Engine, messages: list[Message]) -> None:
        with suppress(UnavailableError):
            original(engine, messages)

    patch.setattr(fulfil, "send", send)


def a_payload_is_kept_after_the_commit(patch: pytest.MonkeyPatch) -> None:
    original = advance._Advance._commit

    def pack(engine: Engine, run_id: str, text: str, _what: str) -> Payload:
        large = len(text) > engine.limits.inline
        ref = place(run_id, text.encode()) if large else None
        return Payload(text=text, ref=ref, size=len(text))

    def commit(
        self: Any,  # noqa: ANN401
        history: History,
        replay: Replay,
        record: OpRecord,
        guard: Guard,
    ) -> Done:
        done = original(self, history, replay, record, guard)
        if record.result is not None and record.result.ref is not None:
            self.engine.blobs.put(self.message.run_id, record.result.at_hand)
        return done

    patch.setattr(attempt, "pack", pack)
    patch.setattr(advance._Advance, "_commit", commit)


def a_step_is_tried_once_more_than_allowed(patch: pytest.MonkeyPatch) -> None:
    original = Retry.delay_after

    def delay_after(self: Retry, error: BaseException, number: int, seed: str) -> int | None:
        return original(self, error, number - 1, seed)

    patch.setattr(Retry, "delay_after", delay_after)


# --- Sweepers


def the_sweeper_comes_back_to_a_timer_at_once(patch: pytest.MonkeyPatch) -> None:
    original = sweep._come_back

    def come_back(engine: Engine, entry: DueEntry) -> None:
        original(replace(engine, limits=replace(engine.limits, grace=0)), entry)

    patch.setattr(sweep, "_come_back", come_back)


def a_timer_is_moved_whatever_is_recorded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sweep, "timer_moved", lambda _due_at: _ANY_RECORD)
    patch.setattr(advance, "REARMED", _ANY_RECORD)
    patch.setattr(fulfil, "REARMED", _ANY_RECORD)


def a_run_is_watched_after_its_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sweep, "watch_moved", lambda _due_at: _ANY_HEAD)


def a_first_message_is_never_sent_again(patch: pytest.MonkeyPatch) -> None:
    original = watching.watch

    def watch(*args: Any, **kwargs: Any) -> Watch:  # noqa: ANN401
        verdict = original(*args, **kwargs)
        begins = verdict.send is not None and verdict.send.kind is MessageKind.START
        return replace(verdict, send=None) if begins else verdict

    patch.setattr(sweep, "watch", watch)


def a_run_that_sleeps_counts_as_stuck(patch: pytest.MonkeyPatch) -> None:
    original = watching.watch

    def watch(history: History, _decision: object, now: int, **limits: Any) -> Watch:  # noqa: ANN401
        awake = {key: each for key, each in history.records.items() if each.status.final}
        return original(replace(history, records=awake), None, now, **limits)

    patch.setattr(sweep, "watch", watch)


# --- Operators


def a_resumption_takes_nothing_over(patch: pytest.MonkeyPatch) -> None:
    def message(**fields: Any) -> Message:  # noqa: ANN401
        return Message(**{**fields, "take": False})

    patch.setattr(control, "Message", message)


def a_resumption_does_not_count(patch: pytest.MonkeyPatch) -> None:
    def apply(head: Head, change: changes.HeadChange, _audit: AuditEntry | None = None) -> Head:
        return changes.apply(head, change)

    patch.setattr(store, "apply", apply)


MUTANTS: Final[tuple[Callable[[pytest.MonkeyPatch], None], ...]] = (
    *(
        each
        for each in list(globals().values())
        if isfunction(each) and each.__module__ == __name__
    ),
    *mutants_together.MUTANTS,
    *mutants_kept.MUTANTS,
    *mutants_once.MUTANTS,
    *mutants_recovering.MUTANTS,
    *mutants_burst.MUTANTS,
)
