"""Somebody who watches runs and remembers every result that was ever to be seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from everstep.core.model import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random
    from threading import Event

    from everstep.app.engine import Engine
    from everstep.core.model import Head, OpRecord

PAUSE_SECONDS: Final = 0.1


class Witness:
    """Sees to it that results and outcomes, once recorded, never change and never go.

    Attributes:
        looks: How often it looked at a run.
    """

    def __init__(self, engine: Engine, started: Callable[[], Sequence[str]]) -> None:
        self.looks = 0
        self._engine = engine
        self._started = started
        self._facts: dict[str, dict[str, Head | OpRecord]] = {}

    def run(self, over: Event, rng: Random) -> None:
        """Look at some run again and again, until it is over."""
        while not over.wait(PAUSE_SECONDS):
            started = self._started()
            if started:
                self.look(rng.choice(started))

    def look(self, run_id: str) -> None:
        """Compare what is recorded of a run with what was seen before, and remember the rest."""
        self.looks += 1
        history = self._engine.runs.load(run_id)
        assert history is not None, f"run {run_id} was accepted and is gone"
        # An entry of the due index is no part of a result, and may go.
        now: dict[str, Head | OpRecord] = {
            record.key: replace(record, due_at=None)
            for record in history.records.values()
            if record.status.final
        }
        if history.head.status.terminal:
            now[HEAD] = history.head
        before = self._facts.setdefault(run_id, now)
        changed = {
            key: (fact, now.get(key)) for key, fact in before.items() if now.get(key) != fact
        }
        assert not changed, f"recorded facts of {run_id} changed: {changed}"
        self._facts[run_id] = now
