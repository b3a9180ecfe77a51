"""A run and its audit, grown entry by entry as the engine grows them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from everstep.core.audit import Action, Asked, AuditEntry, acceptance, following, seal
from everstep.core.changes import RunEnded, RunNoted, RunPaused, apply
from everstep.core.circumstances import Ending, How
from everstep.core.model import ErrorInfo, Payload, RunStatus
from everstep.core.trail import born, sealed
from tests.unit.core.builders import NOW, make_head

if TYPE_CHECKING:
    from everstep.core.model import Head

PAUSE = Asked(action=Action.PAUSED, who="ann", why="lunch")
NOTE = Asked(action=Action.RETRIED, who="bob", why="mended")


def born_head() -> Head:
    """Return the head of a run that was just accepted."""
    return born(make_head(given={"order": 1}), How.TRIGGER, "eve")


@dataclass(slots=True)
class Story:
    """A run's head, and the entries that are stored for it."""

    head: Head = field(default_factory=born_head)
    entries: list[AuditEntry] = field(default_factory=list)

    def asked(self, times: int = 1) -> Story:
        """Let somebody ask something of the run."""
        for _ in range(times):
            entry = self._next(PAUSE)
            self.head = apply(self.head, RunPaused(by=f"token {entry.number}"), entry)
            self.entries.append(entry)
        return self

    def ended(
        self, status: RunStatus = RunStatus.COMPLETED, *, by_force: bool = False, old: bool = False
    ) -> Story:
        """Let the run end; an earlier release says less of that."""
        done = status is RunStatus.COMPLETED
        change = RunEnded(
            status=status,
            by="last",
            at=NOW + 99,
            result=Payload(text="7", size=1) if done else None,
            error=None if done else ErrorInfo(type="Boom", message="no"),
        )
        if status is RunStatus.CANCELLED:
            told = Ending(status=status, at=NOW + 98, who="ann", why="late")
            self.head = replace(self.head, ending=told)
        entry = self._next(PAUSE) if by_force else None
        if not old:
            change = sealed(self.head, change, self.link, NOW + 1, entry)
        self.head = apply(self.head, change, entry)
        self.entries += [] if entry is None else [entry]
        return self

    def noted(self) -> Story:
        """Let another run go on from this one."""
        entry = self._next(NOTE)
        self.head = apply(self.head, RunNoted(), entry)
        self.entries.append(entry)
        return self

    @property
    def link(self) -> str:
        """Return the hash of the last entry."""
        trail = self.head.trail
        if trail is not None:
            return trail.link
        return seal(self.entries[-1] if self.entries else acceptance(self.head))

    def _next(self, asked: Asked) -> AuditEntry:
        at = NOW + 10 + len(self.entries)
        return following(self.head.generation, self.link, asked, at, {"run_id": "other"})


def of_an_earlier_release() -> Story:
    """Return a run that was accepted before births were entries."""
    return Story(head=make_head(given={"order": 1}))
