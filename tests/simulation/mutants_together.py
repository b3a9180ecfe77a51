"""What keeps branches and events together, made wrong on purpose: see ``mutants``."""

from __future__ import annotations

from inspect import isfunction
from typing import TYPE_CHECKING, Any, Final

from everstep.app import advance, events, fulfil
from everstep.app.outcomes import Done
from everstep.app.recording import record_op
from everstep.core.model import Event, OpStatus, Payload
from everstep.core.transitions import Guard

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from everstep.app.engine import Engine
    from everstep.app.events import Kept
    from everstep.core.model import History, OpRecord
    from everstep.core.replay import Replay

_ANY_RECORD: Final = Guard(absent=True, statuses=tuple(OpStatus))
_COUNTER: Final = "counter"


# --- Joins


def a_join_is_closed_unconditionally(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(fulfil, "JOIN_CLOSED", _ANY_RECORD)


def a_counter_says_who_closes_a_join(patch: pytest.MonkeyPatch) -> None:
    original = fulfil._Fulfilment._close

    def close(self: Any, record: OpRecord) -> str | None:  # noqa: ANN401
        return (
            original(self, record) if _counted(self.engine, self.run_id, record.key) == 1 else None
        )

    patch.setattr(fulfil._Fulfilment, "_close", close)


def _counted(engine: Engine, run_id: str, key: str) -> int:
    """Count one up in the table, whoever asks how often; return the number."""
    name = f"{_COUNTER} of {key}"
    while True:
        history = engine.runs.load(run_id)
        counted = [event for event in history.events if event.name == name] if history else []
        number = len(counted) + 1
        event = Event(name=name, number=number, payload=Payload(text="null", size=4), at=0)
        if engine.runs.put_event(run_id, event):
            return number


def who_ends_a_branch_goes_on_from_what_it_saw_before(patch: pytest.MonkeyPatch) -> None:
    def commit(
        self: Any,  # noqa: ANN401
        history: History,
        replay: Replay,
        record: OpRecord,
        guard: Guard,
    ) -> Done:
        if record_op(self.engine, self.message.run_id, record, guard, replay):
            replay.resume(record)
            done: Done = self._settle(history.with_record(record), replay, Done.ADVANCED)
            return done
        return original(self, history, replay, record, guard)

    original = advance._Advance._commit
    patch.setattr(advance._Advance, "_commit", commit)


# --- Events


def two_waits_may_take_one_event(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(fulfil, "needs_claim", lambda _: False)


def a_wait_does_not_look_for_events_after_it_is_recorded(patch: pytest.MonkeyPatch) -> None:
    original = fulfil._Fulfilment._arm

    def arm(self: Any, record: OpRecord) -> None:  # noqa: ANN401
        original(self, record)

    patch.setattr(fulfil._Fulfilment, "_arm", arm)


def an_event_is_told_before_it_is_kept(patch: pytest.MonkeyPatch) -> None:
    original, tell = events.keep_event, events.tell

    def keep_event(engine: Engine, run_id: str, *args: Any) -> Kept:  # noqa: ANN401
        tell(engine, run_id)
        return original(engine, run_id, *args)

    patch.setattr(events, "tell", lambda *_: None)
    patch.setattr(events, "keep_event", keep_event)


MUTANTS: Final[tuple[Callable[[pytest.MonkeyPatch], None], ...]] = tuple(
    made
    for name, made in list(globals().items())
    if isfunction(made) and made.__module__ == __name__ and not name.startswith("_")
)
