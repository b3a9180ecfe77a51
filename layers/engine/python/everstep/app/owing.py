"""What a message owes, given where a run and a pass over its code stand at present."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.app.budget import BudgetExceeded, check_budget
from everstep.core.decide import duties
from everstep.core.durations import LONGEST_DELAY
from everstep.core.errors import InvalidInputError, PayloadTooLargeError, UnknownWorkflowError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.app.engine import Engine
    from everstep.core.effects import Effect
    from everstep.core.model import Head, History, Message
    from everstep.core.replay import Replay

STALLS: Final = (
    BudgetExceeded,
    InvalidInputError,
    PayloadTooLargeError,
    UnknownWorkflowError,
)
"""What says that a run cannot go on as it is."""


def owed_by(
    engine: Engine,
    message: Message,
    history: History,
    replay: Replay,
    looked: Iterable[str],
    *,
    latest: bool = False,
) -> tuple[Effect, ...]:
    """Return what the message owes.

    Args:
        engine: The ports.
        message: The message.
        history: The run.
        replay: The pass.
        looked: Waits for child runs that the message has looked at already.
        latest: Whether that can only be what the pass has come to last: the message, which takes
            over nothing, has recorded something just before.

    Raises:
        BudgetExceeded: The run has cost more than it may, and was to go on.
    """
    check_budget(engine, history.head, replay)
    return duties(
        message,
        replay.latest if latest else replay.decision,
        replay.ledger.records,
        engine.clock.now(),
        history.events,
        ending=history.head.ending,
        looked=frozenset(looked),
        deadline=_deadline_at_hand(engine, history.head),
    )


def _deadline_at_hand(engine: Engine, head: Head) -> int | None:
    """Return when the run's time is up, if that is before the sweeper could see to it."""
    if head.deadline is None or head.ending is not None:
        return None
    reach = engine.clock.now() + engine.limits.grace + LONGEST_DELAY
    return head.deadline if head.deadline <= reach else None
