"""The due index in memory: what is armed, by shard, in the order of time."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING
from zlib import crc32

from everstep.core.model import HEAD, DueEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from everstep.core.model import Head, OpRecord

# Where an item stands: the instant, the run, the operation or HEAD.
Place = tuple[int, str, str]


class DueIndex:
    """Places in order, so that what is due is found without looking at what is not.

    The first half of the shards holds what is to wake up, the other one what is to be removed.
    """

    def __init__(self, shards: int) -> None:
        """Start empty.

        Args:
            shards: How many shards each half has.
        """
        self._half = shards
        self._places: list[list[Place]] = [[] for _ in range(2 * shards)]
        self._stands: dict[tuple[str, str], tuple[int, int]] = {}

    @property
    def waking(self) -> int:
        """Return how many shards there are of what is to wake up."""
        return self._half

    @property
    def shards(self) -> int:
        """Return how many shards there are."""
        return len(self._places)

    def put(self, run_id: str, key: str, due_at: int | None, *, removal: bool = False) -> None:
        """Let an item stand at a place, and nowhere else; None for nowhere at all."""
        before = self._stands.pop((run_id, key), None)
        if before is not None:
            shard, instant = before
            places = self._places[shard]
            del places[bisect_left(places, (instant, run_id, key))]
        if due_at is not None:
            shard = crc32(run_id.encode()) % self._half + removal * self._half
            insort(self._places[shard], (due_at, run_id, key))
            self._stands[run_id, key] = shard, due_at

    def between(self, shard: int, since: int, until: int) -> Iterator[Place]:
        """Yield what stands in a shard from an instant to another, both included, in order."""
        places = self._places[shard]
        for position in range(bisect_left(places, (since, "", "")), len(places)):
            if places[position][0] > until:
                return
            yield places[position]

    def copied(self) -> DueIndex:
        """Return an index that holds the same now, and goes its own way from here."""
        copy = DueIndex(self._half)
        copy._places = [list(places) for places in self._places]
        copy._stands = dict(self._stands)
        return copy


def entry(
    place: Place, heads: Mapping[str, Head], records: Mapping[str, Mapping[str, OpRecord]]
) -> DueEntry | None:
    """Return what stands at a place; None if that was changed without telling the index."""
    due_at, run_id, key = place
    if key == HEAD:
        head = heads.get(run_id)
        if head is None or head.due_at != due_at:
            return None
        wake_at, ended = head.starts_at or 0, head.status.terminal
        return DueEntry(run_id=run_id, key=HEAD, due_at=due_at, wake_at=wake_at, ended=ended)
    record = records.get(run_id, {}).get(key)
    if record is None or record.due_at != due_at:
        return None
    return DueEntry(
        run_id=run_id,
        key=key,
        due_at=due_at,
        wake_at=record.wake_at or 0,
        attempt=record.attempt,
        status=record.status,
    )
