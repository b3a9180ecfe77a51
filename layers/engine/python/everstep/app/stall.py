"""Mark a run that cannot go on, with the reason, so that nobody has to guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.app.control import change_once
from everstep.app.options import LONGEST_WHY
from everstep.core.audit import ENGINE, Action, Asked
from everstep.core.changes import RunStalled
from everstep.core.errors import UnavailableError
from everstep.core.model import RunStatus, Stall
from everstep.core.observations import RunHalted
from everstep.core.transitions import RUN_STALLED

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.model import ErrorInfo

_CONTENTION: Final = 20


def stall(
    engine: Engine, run_id: str, reason: ErrorInfo, *, by: str, message: str | None = None
) -> bool:
    """Mark the run STALLED if it is running; say whether this call did.

    Args:
        engine: The ports.
        run_id: The run.
        reason: Why it cannot go on, and how to mend it.
        by: Token of the message that found out.
        message: The message itself, if it could not be processed.

    Raises:
        UnavailableError: Nothing is known; doing it again is harmless.
    """
    now = engine.clock.now()
    change = RunStalled(by=by, stall=Stall(reason=reason, at=now, message=message))
    why = f"{reason.type}: {reason.message}"[:LONGEST_WHY]
    asked = Asked(action=Action.STALLED, who=ENGINE, why=why)
    for _ in range(_CONTENTION):
        head = engine.runs.head(run_id)
        if head is None or not RUN_STALLED.allows(head):
            # Whoever did not hear that it has done so finds it done.
            return head is not None and (head.status, head.by) == (RunStatus.STALLED, by)
        if change_once(engine, head, change, RUN_STALLED, asked):
            engine.observe(RunHalted(run_id=run_id, reason=reason.type))
            return True
    raise UnavailableError(f"run {run_id} is changed by many at the same time: try again")
