"""Rules of what may run once only, and of deaths that count, broken on purpose: see ``mutants``."""

from __future__ import annotations

from dataclasses import replace
from inspect import isfunction
from typing import TYPE_CHECKING, Any, Final

from everstep.app import advance, attempt
from everstep.app.interruption import settle_interrupted
from everstep.app.receive import receive
from everstep.core import decide
from everstep.core.model import MessageKind, OpStatus
from everstep.core.transitions import Guard, step_ended, step_retried
from everstep.testing.simulation import actors

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from everstep.app.outcomes import Done
    from everstep.core.decisions import Pending
    from everstep.core.effects import Effect
    from everstep.core.model import History, Message, OpRecord
    from everstep.core.operations import StepCall
    from everstep.core.replay import Replay


def what_was_begun_begins_again(patch: pytest.MonkeyPatch) -> None:
    anything = Guard(absent=True, statuses=tuple(OpStatus))
    patch.setattr(advance, "step_started", lambda _attempt: anything)


def what_was_interrupted_is_just_run_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(advance, "settle_interrupted", attempt.run_attempt)


def what_has_just_begun_counts_as_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(attempt, "_longest", lambda *_: 0)


def what_was_begun_counts_as_made(patch: pytest.MonkeyPatch) -> None:
    def is_repeat(message: Message, record: OpRecord | None) -> bool:
        made = record is not None and record.attempt >= message.attempt
        return made and message.kind is MessageKind.STEP

    patch.setattr(advance, "is_repeat", is_repeat)


def a_recovery_leaves_alone_what_was_begun(patch: pytest.MonkeyPatch) -> None:
    original = decide._Duties._owed

    def owed(self: Any, pending: Pending) -> Effect | None:  # noqa: ANN401
        begun = pending.record is not None and pending.record.status is OpStatus.STARTED
        return None if begun else original(self, pending)

    patch.setattr(decide._Duties, "_owed", owed)


def every_beginning_is_recorded(patch: pytest.MonkeyPatch) -> None:
    _count_receives_as(patch, 2)


def no_death_counts(patch: pytest.MonkeyPatch) -> None:
    _count_receives_as(patch, 1)


def _count_receives_as(patch: pytest.MonkeyPatch, receives: int) -> None:
    def as_often(*args: Any, **_: object) -> Done:  # noqa: ANN401
        return receive(*args, receives=receives)

    patch.setattr(actors, "receive", as_often)


def a_delivery_counts_as_a_death(patch: pytest.MonkeyPatch) -> None:
    original = advance._Advance._attempt

    def make(
        self: Any,  # noqa: ANN401
        history: History,
        replay: Replay,
        pending: Pending,
        call: StepCall,
    ) -> Done:
        if self.receives == 1:
            return original(self, history, replay, pending, call)
        number = 1 + (pending.record.attempt if pending.record else 0)
        message = replace(self.message, attempt=number)
        begun = attempt.begin(self.engine, message, pending, call, history.head, self.time_left)
        record = settle_interrupted(self.engine, begun)
        guard = step_retried if record.status is OpStatus.RETRY else step_ended
        done: Done = self._commit(history, replay, record, guard(number))
        return done

    patch.setattr(advance._Advance, "_attempt", make)


def _is_mutant(made: object) -> bool:
    return isfunction(made) and made.__module__ == __name__ and not made.__name__.startswith("_")


MUTANTS: Final[tuple[Callable[[pytest.MonkeyPatch], None], ...]] = tuple(
    made for made in list(globals().values()) if _is_mutant(made)
)
