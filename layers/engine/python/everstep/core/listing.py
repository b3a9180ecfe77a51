"""Runs as lists show them."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.core.model import Head, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A run as lists show it, without payloads."""

    run_id: str
    workflow: str
    version: str
    status: RunStatus
    created_at: int
    ended_at: int | None = None
    starts_at: int | None = None
    reference_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def listed(head: Head) -> Listed:
    """Return a run as lists show it."""
    return Listed(
        run_id=head.run_id,
        workflow=head.workflow,
        version=head.version,
        status=head.status,
        created_at=head.created_at,
        ended_at=head.ended_at,
        starts_at=head.starts_at,
        reference_id=head.reference_id,
        tags=head.tags,
    )
