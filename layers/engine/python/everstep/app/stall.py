"""Mark a run that cannot go on, with the reason, so that nobody has to guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.changes import RunStalled
from everstep.core.model import Stall
from everstep.core.observations import RunHalted
from everstep.core.transitions import RUN_STALLED

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.model import ErrorInfo


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
    """
    change = RunStalled(by=by, stall=Stall(reason=reason, at=engine.clock.now(), message=message))
    done = engine.runs.change(run_id, change, RUN_STALLED)
    if done:
        engine.observe(RunHalted(run_id=run_id, reason=reason.type))
    return done
