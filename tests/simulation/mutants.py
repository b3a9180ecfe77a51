"""The engine made wrong on purpose, one rule at a time: what the simulation has to notice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from everstep.app import advance, control, dead_letter, fulfil, outbox, stall, sweep
from everstep.core import decide, transitions
from everstep.core.decide import Arm, Send
from everstep.core.decisions import Raised, Returned
from everstep.core.model import MessageKind, OpStatus, RunStatus
from everstep.core.transitions import Guard, HeadGuard

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from everstep.app.advance import Done
    from everstep.app.engine import Engine
    from everstep.core.decide import Effect
    from everstep.core.decisions import Broken, Decision
    from everstep.core.model import DueEntry, History, Message, OpRecord
    from everstep.core.replay import Replay

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

    def settle(self: Any, history: History, replay: Replay, done: Done) -> Done:  # noqa: ANN401
        kind = self.message.kind
        begins = kind in (MessageKind.START, MessageKind.RECOVER)
        if done is advance.Done.REPEATED and not begins:
            return done
        return original(self, history, replay, done)

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
        if not self.engine.runs.put(self.message.run_id, record, guard):
            return advance.Done.SUPERSEDED
        replay.resume(record)
        done: Done = self._settle(history.with_record(record), replay, advance.Done.ADVANCED)
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
        done: Done = self._settle(history.with_record(record), replay, advance.Done.ADVANCED)
        self.engine.runs.put(self.message.run_id, record, guard)
        return done

    patch.setattr(advance._Advance, "_commit", commit)


def a_repeat_never_ends_the_run(patch: pytest.MonkeyPatch) -> None:
    original = advance._Advance._settle

    def settle(self: Any, history: History, replay: Replay, done: Done) -> Done:  # noqa: ANN401
        ended = isinstance(replay.decision, Returned | Raised)
        if done is advance.Done.REPEATED and ended:
            return done
        return original(self, history, replay, done)

    patch.setattr(advance._Advance, "_settle", settle)


def the_sweeper_moves_a_timer_before_it_sends(patch: pytest.MonkeyPatch) -> None:
    def timer(engine: Engine, entry: DueEntry, swept: sweep.Swept) -> None:
        guard = transitions.timer_moved(entry.due_at)
        if engine.runs.move(entry.run_id, entry.key, None, guard):
            effect = sweep._effect(entry)
            outbox.send(engine, [outbox.message_for(engine, entry.run_id, effect)])
            swept.timers += 1

    patch.setattr(sweep, "_timer", timer)


def the_first_contradiction_stalls(patch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, _history: History, broken: Broken, *_: object) -> Done:  # noqa: ANN401
        stall.stall(self.engine, self.message.run_id, broken.error, by=self.message.token)
        return advance.Done.STALLED

    patch.setattr(advance._Advance, "_broken", broken)


def an_early_message_counts_as_due(patch: pytest.MonkeyPatch) -> None:
    original = advance._Advance._execute

    def act(self: Any, history: History, replay: Replay) -> Done:  # noqa: ANN401
        message: Message = self.message
        pending = replay.pending(message.op)
        if pending is None or advance.is_repeat(message, history.records.get(message.op)):
            return act_rightly(self, history, replay)
        return original(self, history, replay, pending)

    act_rightly = advance._Advance._act
    patch.setattr(advance._Advance, "_act", act)


def a_message_says_which_attempt_it_is(patch: pytest.MonkeyPatch) -> None:
    def unchanged_attempt(value: Any, **changes: Any) -> Any:  # noqa: ANN401
        changes.pop("attempt", None)
        return replace(value, **changes)

    patch.setattr(advance, "replace", unchanged_attempt)


def a_recovery_takes_nothing_over(patch: pytest.MonkeyPatch) -> None:
    original = decide.duties

    def duties(
        message: Message, decision: Decision, records: Mapping[str, OpRecord], now: int
    ) -> tuple[Effect, ...]:
        return original(replace(message, take=False), decision, records, now)

    patch.setattr(advance, "duties", duties)


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
