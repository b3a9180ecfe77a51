"""What processes keep from one message to the next, made wrong on purpose: see ``mutants``."""

from __future__ import annotations

from inspect import isfunction
from typing import TYPE_CHECKING, Final

from everstep.adapters.memory.store import MemoryStore
from everstep.app import kept
from everstep.app.kept import Passes

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from everstep.core.model import Head, OpRecord
    from everstep.core.replay import Replay


def a_kept_pass_goes_on_without_a_look_at_the_head(patch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Head | None] = {}
    original = MemoryStore.peek

    def peek(self: MemoryStore, run_id: str, key: str) -> tuple[Head | None, OpRecord | None]:
        head, record = original(self, run_id, key)
        return seen.setdefault(run_id, head), record

    patch.setattr(MemoryStore, "peek", peek)


def a_kept_pass_counts_as_up_to_date(patch: pytest.MonkeyPatch) -> None:
    original = MemoryStore.peek

    def peek(self: MemoryStore, run_id: str, key: str) -> tuple[Head | None, OpRecord | None]:
        return original(self, run_id, key)[0], None

    patch.setattr(MemoryStore, "peek", peek)
    patch.setattr(kept, "_knows", lambda _replay, _key: True)


def a_kept_pass_is_shared(patch: pytest.MonkeyPatch) -> None:
    def take(self: Passes, run_id: str) -> Replay | None:
        return self._passes.get(run_id)

    patch.setattr(Passes, "take", take)


def what_other_code_has_recorded_answers_a_kept_pass(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kept, "_answers", lambda _record, _pending: True)


MUTANTS: Final[tuple[Callable[[pytest.MonkeyPatch], None], ...]] = tuple(
    made
    for name, made in list(globals().items())
    if isfunction(made) and made.__module__ == __name__ and not name.startswith("_")
)
