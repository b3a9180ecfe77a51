"""What else is recorded of a run: who started it, what it goes on from, why it is to end early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from everstep.core.model import RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The run, and its operation, that started a child run."""

    run_id: str
    op: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why a run is to come to its end before its code does.

    Attributes:
        status: What it ends as if its code lets it: CANCELLED or TIMED_OUT.
        at: When that was asked for.
        who: Who asked for it.
        why: What for.
    """

    status: RunStatus
    at: int
    who: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a run that goes on from another one comes from.

    Attributes:
        run_id: The run that it goes on from.
        op: The operation from which on it executes again.
        root: The run whose identity seeds what code draws.
        root_created_at: When that was accepted: the time with which its code begins.
        effects: The run whose idempotency keys its steps have: itself, if they are to have their
            effects once more.
    """

    run_id: str
    op: str
    root: str
    root_created_at: int
    effects: str
