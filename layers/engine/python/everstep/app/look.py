"""Replay the code of a run in order to look at it, without going on with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from everstep.app.deadline import call_within
from everstep.core.durations import SECOND
from everstep.core.errors import StepTimeout, WorkflowMissingError
from everstep.core.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.engine import Engine
    from everstep.core.model import History

T = TypeVar("T")

# Far more than a replay takes, and little beside the time that the functions have.
_PATIENCE = 5 * SECOND


def look(engine: Engine, history: History, see: Callable[[Replay], T]) -> T | None:
    """Return what is seen of a run's replay.

    The code of one run may never come to rest. That must not keep the sweeper from the other
    runs, nor people from seeing why the run stands still.

    Args:
        engine: The ports.
        history: The run's head and records, every payload at hand.
        see: Takes what it wants from the replay.

    Returns:
        What ``see`` gave; None if the run's version is not deployed, or took too long.
    """
    try:
        definition = engine.registry.to_continue(history.head.workflow, history.head.version)
    except WorkflowMissingError:
        return None

    def seen() -> T:
        with Replay(definition, history, masking=engine.masking) as replay:
            return see(replay)

    try:
        return cast("T", call_within(seen, _PATIENCE))
    except StepTimeout:
        return None
