"""A world in which nothing that is wrong gets lost.

The sweeper goes on with the next run whatever happens at one. So what a check finds at one of its
writes, and what nobody meant, would end up in its report of runs that it could not look at.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from typing_extensions import override

from everstep.app.sweep import IncompleteSweepError
from everstep.core.errors import UnavailableError
from everstep.core.invariants import ViolationError
from everstep.testing.simulation.world import World

if TYPE_CHECKING:
    from everstep.core.model import History
    from everstep.testing.simulation.faults import Call, FaultKind
    from everstep.testing.simulation.tasks import Task


class StrictWorld(World):
    """A world whose sweepers end at the first violation and at errors that nobody meant.

    Attributes:
        met: What has gone wrong at port calls, and how often.
    """

    @cached_property
    def met(self) -> Counter[FaultKind]:
        """Count faults as they happen."""
        return Counter()

    @override
    def _note(self, call: Call, fault: FaultKind | None) -> None:
        super()._note(call, fault)
        if fault is not None:
            self.met[fault] += 1

    @override
    def _check_write(self, before: History | None, after: History | None) -> None:
        try:
            self._held(before, after)
        except ViolationError as error:
            self.violation = error
            if self._current is None:
                raise
            raise self._current.die() from error

    def _held(self, before: History | None, after: History | None) -> None:
        """Check one write."""
        super()._check_write(before, after)

    @override
    def _ended(self, task: Task) -> None:
        swept = task.error if isinstance(task.error, IncompleteSweepError) else None
        cause = swept.__cause__ if swept else None
        if isinstance(cause, Exception) and not isinstance(cause, UnavailableError):
            task.error = cause
        super()._ended(task)
