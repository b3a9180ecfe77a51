"""What is counted while something is done: adapters count, and use cases record it.

Whoever does something for a run sets a meter for as long as that takes; adapters add to the one
that is set where they are called. Nobody's meter counts what no run is charged with.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from everstep.core.scoped import scoped
from everstep.core.spending import (
    INVOCATION,
    MARKS,
    NOTHING,
    USUAL_MEMORY,
    Spent,
    parts_of,
    text_of,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_READ_UNIT: Final = 4096
_MICROS: Final = 1000
_NO_WRITE: Final = (0, 0)
REQUESTS, HALF_READS, WRITES, INDEX_WRITES, SENDS, PUTS, GETS, CALLS, SHARE, MILLIS, EXTRA = range(
    MARKS
)


class Meter:
    """Counts what is taken for one run, since it was recorded last.

    Attributes:
        run_id: The run; empty where nobody's bill is kept.
    """

    __slots__ = ("_brought", "_charges", "_given", "_last", "_memory", "_since", "_taken", "run_id")

    def __init__(
        self, run_id: str = "", *, memory: int = 0, since: int = 0, charges: bool = True
    ) -> None:
        """Begin to count.

        Args:
            run_id: The run; empty where nobody's bill is kept.
            memory: Megabytes of this process; 0 where its time is not the run's.
            since: The clock's microseconds now.
            charges: Whether it tells of what it has counted.
        """
        self._charges = charges
        self.run_id = run_id
        self._memory = memory
        self._since = since
        self._brought = ("", "", "")
        # In the order of the marks.
        self._taken = [0] * MARKS
        self._given = NOTHING.parts
        self._last = _NO_WRITE

    # --- What adapters count

    def read(self, size: int, *, consistent: bool = True) -> None:
        """Count a request that reads items of so many bytes together."""
        units = -(-size // _READ_UNIT) or 1
        self._taken[REQUESTS] += 1
        self._taken[HALF_READS] += 2 * units if consistent else units

    def read_each(self, sizes: Iterable[int]) -> None:
        """Count a request that reads items one by one, strongly consistent; 0 for none there."""
        self._taken[REQUESTS] += 1
        self._taken[HALF_READS] += 2 * sum([-(-size // _READ_UNIT) or 1 for size in sizes])

    def write(self, units: int, index_units: int) -> None:
        """Count a request that writes."""
        self._taken[REQUESTS] += 1
        self._taken[WRITES] += units
        self._taken[INDEX_WRITES] += index_units
        self._last = (units, index_units)

    def send(self, requests: int) -> None:
        """Count requests that send messages."""
        self._taken[SENDS] += requests

    def put_blob(self) -> None:
        """Count an object that is written."""
        self._taken[PUTS] += 1

    def get_blob(self) -> None:
        """Count an object that is read."""
        self._taken[GETS] += 1

    # --- What use cases record

    def invoked(self, messages: int = 1, *, by_api: bool = False) -> None:
        """Count the share of an invocation that brings so many messages."""
        self._taken[SHARE] += INVOCATION // messages
        self._taken[CALLS] += by_api

    def take(self, now: int, *before: str, requests: int = 0, sends: int = 0) -> str:
        """Return what was taken since the last time, to be recorded, and begin anew.

        Args:
            now: The clock's microseconds.
            before: What is recorded along with it: what was taken earlier.
            requests: Requests to the table that follow, and are to be told of, too.
            sends: Requests to the queue that do.
        """
        taken = self._take(now)
        taken[REQUESTS] += requests
        taken[SENDS] += sends
        for text in before:
            if text:
                taken = list(map(int.__add__, taken, parts_of(text)))
        return text_of(taken)

    def left(self, now: int) -> Spent:
        """Return what was taken since the last time, and nobody has recorded."""
        taken = self._take(now)
        return Spent(*taken) if any(taken) else NOTHING

    def _take(self, now: int) -> list[int]:
        taken = self._taken
        if self._memory:
            millis = max(0, now - self._since) // _MICROS
            self._since += millis * _MICROS
            taken[MILLIS] += millis
            taken[EXTRA] += millis * (self._memory - USUAL_MEMORY)
        self._given = tuple(taken)
        self._taken = [0] * MARKS
        self._last = _NO_WRITE
        return taken if self._charges else [0] * MARKS

    def keep(self, spent: Iterable[int]) -> None:
        """Count what was taken before and could not be recorded then."""
        self._taken = list(map(int.__add__, self._taken, spent))

    def refused(self) -> None:
        """Count again what was to be recorded last: it was not."""
        self.keep(self._given)

    def recorded(self) -> str:
        """Leave out the write that has recorded what was taken, and itself.

        Returns:
            What it has added to the record of what was taken.
        """
        units, index_units = self._last
        if not units:
            return ""
        self._last = _NO_WRITE
        self._taken[REQUESTS] -= 1
        self._taken[WRITES] -= units
        self._taken[INDEX_WRITES] -= index_units
        return written(units, index_units)

    def bring(self, key: str, token: str, cost: str) -> None:
        """Keep what a message has brought for the record of its operation."""
        self._brought = (key, token, cost)

    def brought(self, key: str, by: str | None) -> str:
        """Return what the message has brought, if it is for this record; at most once.

        Args:
            key: The record's operation.
            by: The message that has written the record that is replaced.
        """
        of, token, cost = self._brought
        if of != key:
            return ""
        self._brought = ("", "", "")
        # Another pass over this message, or a duplicate of it, has recorded that before.
        return "" if by == token else cost


METER: Final[ContextVar[Meter]] = ContextVar("everstep_meter", default=Meter(charges=False))  # noqa: B039 - nobody asks it

meter = METER.get
"""Returns the meter that is set."""


def called(memory: int, since: int) -> scoped[Meter]:
    """Count what a call of the API takes during the block.

    Args:
        memory: Megabytes of this process.
        since: The clock's microseconds now.
    """
    counts = Meter(memory=memory, since=since)
    counts.invoked(by_api=True)
    return metered(counts)


def metered(by: Meter) -> scoped[Meter]:
    """Let everything count with this meter during the block."""
    return scoped(METER, by)
