"""What is counted while something is done: adapters count, and use cases record it.

Whoever does something for a run sets a meter for as long as that takes; adapters add to the one
that is set where they are called. Nobody's meter counts what no run is charged with.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from everstep.core.spending import INVOCATION, NOTHING, USUAL_MEMORY, Spent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_READ_UNIT: Final = 4096
_MICROS: Final = 1000


class Meter:
    """Counts what is taken for one run, since it was recorded last.

    Attributes:
        run_id: The run; empty where nobody's bill is kept.
    """

    __slots__ = (
        "_brought",
        "_calls",
        "_gets",
        "_given",
        "_half_reads",
        "_index_writes",
        "_kept",
        "_last",
        "_memory",
        "_puts",
        "_requests",
        "_sends",
        "_share",
        "_since",
        "_writes",
        "run_id",
    )

    def __init__(self, run_id: str = "", *, memory: int = 0, since: int = 0) -> None:
        """Begin to count.

        Args:
            run_id: The run; empty where nobody's bill is kept.
            memory: Megabytes of this process; 0 where its time is not the run's.
            since: The clock's microseconds now.
        """
        self.run_id = run_id
        self._brought = ("", "", "")
        self._memory = memory
        self._since = since
        self._kept = NOTHING
        self._given = NOTHING
        self._last = NOTHING
        self._requests = self._half_reads = self._writes = self._index_writes = 0
        self._sends = self._puts = self._gets = self._calls = self._share = 0

    # --- What adapters count

    def read(self, size: int, *, consistent: bool = True) -> None:
        """Count a request that reads items of so many bytes together."""
        units = -(-size // _READ_UNIT) or 1
        self._requests += 1
        self._half_reads += 2 * units if consistent else units

    def read_each(self, sizes: Iterable[int]) -> None:
        """Count a request that reads items one by one, strongly consistent; 0 for none there."""
        self._requests += 1
        self._half_reads += 2 * sum([-(-size // _READ_UNIT) or 1 for size in sizes])

    def write(self, units: int, index_units: int) -> None:
        """Count a request that writes."""
        self._requests += 1
        self._writes += units
        self._index_writes += index_units
        self._last = Spent(1, 0, units, index_units)

    def send(self, requests: int) -> None:
        """Count requests that send messages."""
        self._sends += requests

    def put_blob(self) -> None:
        """Count an object that is written."""
        self._puts += 1

    def get_blob(self) -> None:
        """Count an object that is read."""
        self._gets += 1

    # --- What use cases record

    def invoked(self, messages: int = 1, *, by_api: bool = False) -> None:
        """Count the share of an invocation that brings so many messages."""
        self._share += INVOCATION // messages
        self._calls += by_api

    def take(self, now: int) -> Spent:
        """Return what was taken since the last time, to be recorded.

        Args:
            now: The clock's microseconds.
        """
        millis = max(0, now - self._since) // _MICROS if self._memory else 0
        self._since += millis * _MICROS
        taken = Spent(
            self._requests,
            self._half_reads,
            self._writes,
            self._index_writes,
            self._sends,
            self._puts,
            self._gets,
            self._calls,
            self._share,
            millis,
            millis * (self._memory - USUAL_MEMORY),
        )
        if self._kept:
            taken += self._kept
            self._kept = NOTHING
        self._given = taken
        self._last = NOTHING
        self._requests = self._half_reads = self._writes = self._index_writes = 0
        self._sends = self._puts = self._gets = self._calls = self._share = 0
        return taken

    def keep(self, spent: Spent) -> None:
        """Count what was taken before and could not be recorded then."""
        self._kept += spent

    def refused(self) -> None:
        """Count again what was to be recorded last: it was not."""
        self._kept += self._given
        self._given = NOTHING

    def recorded(self) -> Spent:
        """Leave out the write that has recorded what was taken, and itself; return what it took."""
        self._requests -= self._last.requests
        self._writes -= self._last.writes
        self._index_writes -= self._last.index_writes
        return self._last

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


class _Nobody(Meter):
    """Counts nothing that anybody asks for."""

    __slots__ = ()

    def take(self, now: int) -> Spent:
        """Return nothing."""
        super().take(now)
        return NOTHING


_METER: Final[ContextVar[Meter]] = ContextVar("everstep_meter", default=_Nobody())  # noqa: B039 - nobody asks it

meter = _METER.get
"""Returns the meter that is set."""


@contextmanager
def metered(by: Meter) -> Iterator[Meter]:
    """Let everything count with this meter during the block."""
    token = _METER.set(by)
    try:
        yield by
    finally:
        _METER.reset(token)
