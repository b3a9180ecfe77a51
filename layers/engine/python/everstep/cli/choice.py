"""Which runs are meant, by what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import merge
from typing import TYPE_CHECKING

from everstep.core.durations import to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from everstep.client import Client, RunSummary
    from everstep.core.model import RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which runs are meant; times are milliseconds since 1970.

    Attributes:
        workflow: Those of this workflow; of every one if not given.
        statuses: Those with one of these statuses; any if there are none.
        tags: Those with all of these tags.
        reference_id: The one with this reference id.
        since: Those that were started then or later.
        until: Those that were started before.
    """

    workflow: str | None = None
    statuses: tuple[RunStatus, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    reference_id: str | None = None
    since: int | None = None
    until: int | None = None

    def runs(self, client: Client) -> Iterator[RunSummary]:
        """Yield the runs, newest first, asking for more as they are taken."""
        asked = [self._of(client, each) for each in self.statuses or (None,)]
        seen = ""
        for run in merge(*asked, key=lambda run: run.id, reverse=True):
            # Between two questions a run may have gone on from one status to another.
            if run.id != seen:
                seen = run.id
                yield run

    def _of(self, client: Client, status: RunStatus | None) -> Iterator[RunSummary]:
        return client.runs(
            workflow=self.workflow,
            status=status,
            tag=self.tags,
            reference_id=self.reference_id,
            since=None if self.since is None else to_datetime(self.since),
            until=None if self.until is None else to_datetime(self.until),
        )
