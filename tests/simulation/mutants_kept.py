"""What processes keep from one message to the next, made wrong on purpose: see ``mutants``."""

from __future__ import annotations

from dataclasses import replace
from inspect import isfunction
from typing import TYPE_CHECKING, Any, Final

from everstep.adapters.memory.store import MemoryStore
from everstep.app import advance, kept, witnesses
from everstep.app.advance import _Advance
from everstep.app.kept import Passes
from everstep.app.witnesses import _Look
from everstep.core import witnesses as rules
from everstep.core.model import OpStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pytest

    from everstep.app.engine import Engine
    from everstep.app.kept import Kept
    from everstep.app.outcomes import Done
    from everstep.core.fibers import Branch, Group
    from everstep.core.model import Head, History, Message, OpRecord
    from everstep.core.replay import Replay
    from everstep.core.transitions import Guard
    from everstep.core.witnesses import Seen

Peeked = tuple["Head | None", "Mapping[str, OpRecord]"]


def a_kept_pass_goes_on_without_a_look_at_the_head(patch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Head | None] = {}
    original = MemoryStore.peek

    def peek(self: MemoryStore, run_id: str, keys: Sequence[str]) -> Peeked:
        head, records = original(self, run_id, keys)
        return seen.setdefault(run_id, head), records

    patch.setattr(MemoryStore, "peek", peek)


def a_kept_pass_counts_as_up_to_date(patch: pytest.MonkeyPatch) -> None:
    original = MemoryStore.peek

    def peek(self: MemoryStore, run_id: str, keys: Sequence[str]) -> Peeked:
        return original(self, run_id, keys)[0], {}

    patch.setattr(MemoryStore, "peek", peek)
    patch.setattr(kept, "_knows", lambda _replay, _key: True)


def a_kept_pass_is_shared(patch: pytest.MonkeyPatch) -> None:
    def take(self: Passes, run_id: str) -> Kept | None:
        return self._passes.get(run_id, (None, 0))[0]

    patch.setattr(Passes, "take", take)


def what_other_code_has_recorded_answers_a_kept_pass(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kept, "answers", lambda _record, _pending: True)


def what_was_read_once_stays_fresh(patch: pytest.MonkeyPatch) -> None:
    original = kept.put_back

    def put_back(
        engine: Engine,
        message: Message,
        replay: Replay,
        history: History,
        done: Done,
        seen: Iterable[Seen],
    ) -> None:
        now = replace(history, read_at=engine.clock.now())
        original(engine, message, replay, now, done, seen)

    patch.setattr(advance, "put_back", put_back)


def nobody_looks_whether_the_group_is_closed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kept, "_joins", lambda _replay, _pending: frozenset())


def who_repeats_the_end_of_a_branch_knows_enough(patch: pytest.MonkeyPatch) -> None:
    original = kept._seen

    def seen(engine: Engine, message: Message, replay: Replay, looks: int) -> History | None:
        found = original(engine, message, replay, looks)
        if found is not None or replay.pending(message.op) is None:
            return found
        head, records = engine.runs.peek(message.run_id, [message.op])
        record = records.get(message.op)
        if head is None or record is None or record.status is not OpStatus.DONE:
            return None
        replay.resume(record, fresh=False)
        return kept._history(head, replay, 0)

    patch.setattr(kept, "_seen", seen)


def a_branch_that_has_ended_goes_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_Look, "goes_on", lambda _self, scopes, _seen: len(scopes))


def what_was_not_read_any_more_has_no_record(patch: pytest.MonkeyPatch) -> None:
    original = MemoryStore.between

    def between(
        self: MemoryStore, run_id: str, first: str, last: str, _most: int
    ) -> tuple[Sequence[OpRecord], bool]:
        return original(self, run_id, first, last, 2)[0], False

    patch.setattr(MemoryStore, "between", between)


def one_branch_that_goes_on_is_always_enough(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(witnesses, "needed", lambda _group, _ended: 1)


def a_failure_matters_to_nobody_else(patch: pytest.MonkeyPatch) -> None:
    original = rules.needed

    def needed(group: Group, ended: list[Branch]) -> int | None:
        if group.verdict() is not None:
            return None
        return original(group, [each for each in ended if each.end.error is None]) or 1

    patch.setattr(witnesses, "needed", needed)


class _Before:
    """The records of a run as they were before the last one was written."""

    def __init__(self, records: Mapping[str, OpRecord]) -> None:
        self._records = records

    def between(
        self, _run_id: str, first: str, last: str, _most: int
    ) -> tuple[Sequence[OpRecord], bool]:
        found = [self._records[key] for key in sorted(self._records) if first <= key <= last]
        return found, False


def a_branch_is_seen_to_go_on_before_the_record_is_written(patch: pytest.MonkeyPatch) -> None:
    before: dict[int, _Before] = {}
    original_put, original = _Advance._put, witnesses.witnesses

    def put(self: _Advance, replay: Replay, record: OpRecord, guard: Guard) -> OpRecord | None:
        history = self.engine.runs.load(self.message.run_id)
        before[id(replay)] = _Before({} if history is None else history.records)
        return original_put(self, replay, record, guard)

    def asked(engine: Engine, head: Head, replay: Replay, following: str) -> tuple[Seen, ...]:
        runs: Any = before[id(replay)]
        return original(replace(engine, runs=runs), head, replay, following)

    patch.setattr(_Advance, "_put", put)
    patch.setattr(advance, "witnesses", asked)


MUTANTS: Final[tuple[Callable[[pytest.MonkeyPatch], None], ...]] = tuple(
    made
    for name, made in list(globals().items())
    if isfunction(made) and made.__module__ == __name__ and not name.startswith("_")
)
