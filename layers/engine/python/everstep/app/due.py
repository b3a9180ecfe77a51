"""Read the due index page by page, while what was read is moved; shards take turns."""

from __future__ import annotations

from collections import deque
from dataclasses import field
from typing import TYPE_CHECKING, Final, cast

from everstep.core.records import dataclass
from everstep.core.unreadable import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from everstep.core.model import DueEntry
    from everstep.core.unreadable import Unreadable
    from everstep.ports import TimerIndex

PAGE: Final = 100


@dataclass(slots=True, kw_only=True)
class Reader:
    """Goes through a shard in the order of time, and never back to what it has read.

    Attributes:
        shard: Which shard.
        since: From when on; it goes up from page to page.
        until: Up to when.
        over: Whether nothing is left.
    """

    shard: int
    since: int
    until: int
    over: bool = False
    _limit: int = PAGE
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def page(self, timers: TimerIndex, note: Callable[[Unreadable], None]) -> list[DueEntry]:
        """Return the next entries that it has not returned; note those that cannot be read."""
        found, unreadable = self._read(timers)
        fresh = [each for each in found if not self._knows(each)]
        self.over = len(found) + len(unreadable) < self._limit
        for item in unreadable:
            if (item.run_id, item.key) not in self._seen:
                note(item)
        # Where a page holds nothing new, everything else of that instant stands behind it.
        self._limit = PAGE if fresh else 2 * self._limit
        if found and found[-1].due_at > self.since:
            self.since = found[-1].due_at
            self._seen.clear()
        self._seen.update((each.run_id, each.key) for each in found if each.due_at == self.since)
        self._seen.update((each.run_id, each.key) for each in unreadable)
        return fresh

    def _knows(self, entry: DueEntry) -> bool:
        return entry.due_at == self.since and (entry.run_id, entry.key) in self._seen

    def _read(self, timers: TimerIndex) -> tuple[Sequence[DueEntry], Sequence[Unreadable]]:
        try:
            return timers.due(self.shard, self.until, self._limit, self.since), ()
        except UnreadableError as error:
            return cast("Sequence[DueEntry]", error.found), error.items


def in_turns(
    timers: TimerIndex,
    readers: Iterable[Reader],
    note: Callable[[Unreadable], None],
    size: int,
) -> Iterator[list[DueEntry]]:
    """Yield what readers find, a page of each in turn, in batches of a size."""
    waiting = deque(readers)
    while waiting:
        reader = waiting.popleft()
        page = reader.page(timers, note)
        yield from (page[start : start + size] for start in range(0, len(page), size))
        if not reader.over:
            waiting.append(reader)
