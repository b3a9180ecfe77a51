"""What a message may owe, as data: the application carries it out (see ``app.fulfil``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.model import HEAD
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from everstep.core.decisions import Pending, Raised, Returned
    from everstep.core.model import Event, MessageKind, OpRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send a message; it acts no earlier than ``due``."""

    kind: MessageKind
    op: str = HEAD
    attempt: int = 0
    due: int = 0
    take: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Record that something is waited for; with a long timer it enters the due index by that."""

    record: OpRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Rearm:
    """Give an awaited timer that lost it its place in the due index again."""

    key: str
    due_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """End the run with this outcome."""

    outcome: Returned | Raised


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Record that a group is closed, and which of its branches count."""

    record: OpRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Let a wait take an event."""

    pending: Pending
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Perform:
    """Do what an operation asks of the engine itself, and record it."""

    pending: Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """See whether the child run that is waited for has ended."""

    pending: Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupt:
    """Tell the code at an operation that the run is to end."""

    pending: Pending


@dataclass(frozen=True, slots=True, kw_only=True)
class EndChildren:
    """Have child runs end, too."""

    run_ids: tuple[str, ...]


Effect = Send | Arm | Rearm | End | Close | Take | Perform | Look | Interrupt | EndChildren
