"""Remove a run once it was kept for as long as was asked for.

What it held goes first, so that the key and the name are free; then its large payloads, which
nobody else refers to; then what is recorded of it, batch by batch; the head last. The head stands
in the due index until then, so whoever dies in between, or runs out of time, is followed by a
sweep that goes on. A run without a head is no run: nothing that is left, comes late or comes
twice revives it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.engine import Engine


class Removal(StrEnum):
    """What came of an attempt to remove a run."""

    GONE = "gone"
    UNFINISHED = "unfinished"
    NOT_DUE = "not due"


def remove(engine: Engine, run_id: str, out_of_time: Callable[[], bool]) -> Removal:
    """Remove a run that has ended, if its time has come; repeating this is harmless.

    Args:
        engine: The ports.
        run_id: The run.
        out_of_time: Asked between batches; says when to leave the rest to the next sweep.
    """
    head = engine.runs.head(run_id)
    # The index lags behind: this may have been done, or not be to be done yet.
    if head is None or not head.status.terminal or head.due_at is None:
        return Removal.NOT_DUE
    if engine.clock.now() < head.due_at:
        return Removal.NOT_DUE
    engine.runs.release(head)
    while not engine.blobs.clear(run_id):
        if out_of_time():
            return Removal.UNFINISHED
    while not engine.runs.clear(run_id, head.due_at):
        if out_of_time():
            return Removal.UNFINISHED
    return Removal.GONE
