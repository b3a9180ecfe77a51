"""What can go wrong at a port call, and who decides that it does.

Calls are numbered in the order in which they happen, so a fault is a number and a kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from everstep.core.model import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from everstep.testing.simulation.choices import Choices


class FaultKind(StrEnum):
    """What goes wrong at one call."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    ANSWER_LOST = "answer lost"
    UNAVAILABLE = "unavailable"
    PARTIAL = "applied in part"
    TWIN = "twin at once"
    STANDS_STILL = "stands still"
    TWICE = "twice"
    AGAIN_LATER = "again later"
    LATE = "late"
    EARLY = "early"


READS: Final = frozenset(
    {"runs.load", "runs.rest", "runs.head", "timers.due", "blobs.get", "lists.newest"}
    | {"runs.reference", "runs.claim", "runs.record", "runs.peek", "runs.between"}
    | {"lists.count"}
)
EXECUTIONS: Final = frozenset({"attempt", "effect", "probe"})
# Where it makes a difference that somebody else does something just before the call.
_SHARED: Final = frozenset(
    {"attempt", "runs.create", "runs.put", "runs.move", "runs.change", "queue.send"}
    | {"runs.put_event", "runs.replace_event", "runs.claim_event"}
    | {"runs.release", "runs.clear", "blobs.clear"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One port call: its number within the schedule, and what it is about.

    Attributes:
        number: Its number within the schedule, from 1.
        name: The port and what it is asked for.
        detail: Run, operation and so on.
        task: Who calls.
        op: The operation it is about; HEAD for the run itself.
        ways: Other ways in which just this call can be carried out.
    """

    number: int
    name: str
    detail: str
    task: str
    op: str = HEAD
    ways: tuple[FaultKind, ...] = ()

    @property
    def failures(self) -> tuple[FaultKind, ...]:
        """Return the faults of the caller and of the called.

        A lost read is a refused read, and dying after it is dying before the next call. User
        code does not answer, so only the process can die there.
        """
        if self.name in READS:
            return (FaultKind.CRASH_BEFORE, FaultKind.UNAVAILABLE)
        if self.name in EXECUTIONS:
            return (FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER)
        return (
            FaultKind.CRASH_BEFORE,
            FaultKind.CRASH_AFTER,
            FaultKind.ANSWER_LOST,
            FaultKind.UNAVAILABLE,
        )

    @property
    def kinds(self) -> tuple[FaultKind, ...]:
        """Return everything that makes a difference here.

        Beside failures this is what others do meanwhile, and what becomes of a message.
        """
        meanwhile = (FaultKind.TWIN, FaultKind.STANDS_STILL) if self.name in _SHARED else ()
        return (*self.failures, *meanwhile, *self.ways)

    def __str__(self) -> str:
        return f"{self.number:>4} {self.task}: {self.name} {self.detail}"


class Faults(Protocol):
    """Decides at which call what goes wrong."""

    def at(self, call: Call) -> FaultKind | None:
        """Return what goes wrong at this call, if anything."""


@dataclass(frozen=True, slots=True)
class Planned:
    """Faults at numbered calls; no numbers, no faults."""

    plan: Mapping[int, FaultKind] = field(default_factory=dict)

    def at(self, call: Call) -> FaultKind | None:
        """Return what the plan says."""
        return self.plan.get(call.number)


@dataclass(slots=True)
class Once:
    """One fault, at the first (or n-th) call of a name."""

    name: str
    kind: FaultKind
    nth: int = 1
    detail: str = ""
    _seen: int = 0

    def at(self, call: Call) -> FaultKind | None:
        """Return the fault when its call has come."""
        if call.name != self.name or self.detail not in call.detail:
            return None
        self._seen += 1
        return self.kind if self._seen == self.nth else None


@dataclass(slots=True)
class Always:
    """The same fault at every call of some names, as long as it is switched on."""

    names: frozenset[str]
    kind: FaultKind
    on: bool = True

    def at(self, call: Call) -> FaultKind | None:
        """Return the fault while it lasts."""
        return self.kind if self.on and call.name in self.names else None


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """No fault: something that happens just before a numbered call."""

    number: int
    act: Callable[[], object]

    def at(self, call: Call) -> FaultKind | None:
        """Let it happen when its call has come."""
        if call.number == self.number:
            self.act()
        return None


@dataclass(slots=True)
class Chance:
    """Failures by choice, up to a number of them.

    What others do meanwhile, and what becomes of messages, is for the policy to choose.
    """

    choices: Choices
    odds: float
    budget: int

    def at(self, call: Call) -> FaultKind | None:
        """Return what the choices say."""
        if self.budget == 0:
            return None
        options = call.failures + tuple(way for way in call.ways if way is FaultKind.PARTIAL)
        chosen = self.choices.pick("fault", len(options) + 1, self.odds)
        if chosen == 0:
            return None
        self.budget -= 1
        return options[chosen - 1]
