"""How many runs may be there at once: a soft limit, counted by the list index.

The index lags a little, and whoever counts at the same time counts the same, so a burst of starts
can go over a limit by as many as come within that moment. Nothing is locked and nothing written:
where no limit is set nothing is asked, and where one is set a start costs some queries that read
no more entries of the index than the limit, and no attribute of them.

Only new runs from outside are refused. What belongs to a run that was accepted goes on: a parent
that waits for a child which waits for room that only the parent's end makes would never end, and
the same holds for a continuation. A retry or a fork is somebody's decision about a run that is
here already, often to make room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.errors import RequestError
from everstep.core.model import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.app.engine import Engine

OTHERS: Final = "*"
"""Stands for every workflow that has no limit of its own."""

RETRY_AFTER: Final = 10
"""Seconds after which to ask again: nobody knows when a run will end."""

# PENDING, SLEEPING and WAITING are recorded as RUNNING.
_NOT_ENDED: Final = (RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.STALLED)


class TooManyRunsError(RequestError):
    """Say that a run was not accepted because too many have not ended.

    Attributes:
        setting: Name of the setting that limits them.
        limit: Its value.
        workflow: The workflow whose runs it limits; None for those of all.
        retry_after: Seconds after which it is worth another try.
    """

    def __init__(self, setting: str, limit: int, workflow: str | None, retry_after: int) -> None:
        """Name the limit and what it limits."""
        self.setting = setting
        self.limit = limit
        self.workflow = workflow
        self.retry_after = retry_after
        runs = "runs" if workflow is None else f"runs of {workflow}"
        super().__init__(
            f"{limit} {runs} have not ended, and {setting} allows no more; "
            f"try again in {retry_after} seconds, or later"
        )


def over_capacity(engine: Engine, workflow: str) -> TooManyRunsError | None:
    """Return why no new run of a workflow is to be accepted now; None if there is room."""
    limits = engine.limits
    own = limits.runs_of.get(workflow, limits.runs_of.get(OTHERS, 0))
    if own and _reaches(engine, [workflow], own):
        return TooManyRunsError("EVERSTEP_MAX_CONCURRENT_RUNS_OF", own, workflow, RETRY_AFTER)
    if limits.runs and _reaches(engine, engine.registry.names, limits.runs):
        return TooManyRunsError("EVERSTEP_MAX_CONCURRENT_RUNS", limits.runs, None, RETRY_AFTER)
    return None


def _reaches(engine: Engine, workflows: Iterable[str], limit: int) -> bool:
    """Say whether so many runs of some workflows have not ended."""
    left = limit
    for workflow in workflows:
        for status in _NOT_ENDED:
            left -= engine.lists.count(workflow, status, left)
            if left <= 0:
                return True
    return False
