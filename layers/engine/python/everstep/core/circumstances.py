"""What else is recorded of a run: who started it, what it goes on from, why it is to end early."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from everstep.core.records import dataclass

if TYPE_CHECKING:
    from everstep.core.model import Head, RunStatus


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


def effects_of(head: Head) -> str:
    """Return the run whose idempotency keys the steps of a run have."""
    return head.origin.effects if head.origin else head.run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Who has a caller's own name for a run: at most one run of a workflow that has not ended.

    Attributes:
        workflow: The workflow.
        reference_id: The caller's own name.
        run_id: The run that has it, or is to have it.
        instead_of: The run from which a new one takes it over; None if nobody is to have it.
    """

    workflow: str
    reference_id: str
    run_id: str
    instead_of: str | None = None

    @property
    def name(self) -> tuple[str, str]:
        """Return what nobody else may have at the same time."""
        return self.workflow, self.reference_id

    def may_follow(self, holder: Reference | None) -> bool:
        """Say whether the run may have the name although this one has it, or nobody has."""
        return holder is None or holder.run_id == self.instead_of


class How(StrEnum):
    """How a run came to be."""

    TRIGGER = "trigger"
    CHILD = "child"
    CONTINUED = "continued"
    RETRY = "retry"
    FORK = "fork"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The place of a run's end among the entries of its audit.

    Attributes:
        number: Its number.
        link: The hash of what it says.
        after: How the hash of the entry before it begins.
        started_at: When the run's code began, which nobody wrote down before; None if it did not.
    """

    number: int
    link: str
    after: str
    started_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What a run's head holds of its audit, see ``audit``.

    Attributes:
        link: The hash of the last entry.
        how: How the run came to be; None of one that an earlier release has accepted.
        who: Who made it.
        why: What for.
        sealed: The number of its end; None before.
        after: How the hash of the entry before its end begins.
        started_at: When its code began, said at its end.
    """

    link: str
    how: How | None = None
    who: str | None = None
    why: str | None = None
    sealed: int | None = None
    after: str | None = None
    started_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who holds an idempotency key of a workflow: the run, and the hash of its input."""

    workflow: str
    key: str
    run_id: str
    input_hash: str
