"""What running something has taken, in the units that AWS bills: counted, never estimated.

With every record stands, as a short text, what was taken for it: ``D2R2W1Q1I70Tv`` is two requests
to DynamoDB, two half read units, a write unit, a request to SQS, a tenth of an invocation and
31 milliseconds. Numbers have the base 36: the text is read along with every record. Two texts one
after the other are their sum, and what is zero is left out.

====  ====================================================================
mark  what
====  ====================================================================
D     requests to DynamoDB
R     half read units: an eventually consistent read takes one for 4 KB
W     write units of the table
X     write units of its indexes
Q     requests to SQS, by 64 KB
P, G  objects of S3 that were written, and read
A     requests to the API
I     2520ths of an invocation: each message of a batch has its share
T     milliseconds of execution
M     megabytes times milliseconds, as far as there are more than 256 MB
====  ====================================================================
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

INVOCATION: Final = 2520
"""Parts of an invocation: the least number that batches of any size from 1 to 10 divide."""
NANOS: Final = 1_000_000_000
"""Budgets are told in whole billionths of a dollar."""
USUAL_MEMORY: Final = 256
"""Megabytes that need not be said."""
PER_SEND: Final = 10
"""Messages that one request to SQS carries at most; together they are far below 64 KB."""

_MOST_DOLLARS: Final = 1_000_000
_MARKS: Final = "DRWXQPGAITM"
MARKS: Final = len(_MARKS)
_PART: Final = re.compile(r"([A-Z])(-?[0-9a-z]+)")
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE: Final = len(_DIGITS)


@dataclass(frozen=True, slots=True)
class Spent:
    """What was taken; all of it are whole numbers, which add up whatever the order.

    Attributes:
        requests: To DynamoDB.
        half_reads: Half read units.
        writes: Write units of the table.
        index_writes: Write units of its indexes.
        sends: Requests to SQS that send, by 64 KB.
        puts: Objects of S3 that were written.
        gets: Objects of S3 that were read.
        calls: Requests to the API.
        share: Parts of an invocation, see ``INVOCATION``.
        millis: Milliseconds of execution.
        extra: Megabytes times milliseconds, beyond what ``USUAL_MEMORY`` makes of ``millis``.
    """

    requests: int = 0
    half_reads: int = 0
    writes: int = 0
    index_writes: int = 0
    sends: int = 0
    puts: int = 0
    gets: int = 0
    calls: int = 0
    share: int = 0
    millis: int = 0
    extra: int = 0

    @classmethod
    def read(cls, text: str) -> Spent:
        """Return what a text says; marks of a later release are passed by."""
        return cls(*parts_of(text)) if text else NOTHING

    @property
    def text(self) -> str:
        """Return the short text."""
        return text_of(self.parts)

    @property
    def parts(self) -> tuple[int, ...]:
        """Return the numbers, in the order of their marks."""
        return (
            self.requests,
            self.half_reads,
            self.writes,
            self.index_writes,
            self.sends,
            self.puts,
            self.gets,
            self.calls,
            self.share,
            self.millis,
            self.extra,
        )

    def __add__(self, other: Spent) -> Spent:
        """Return both together."""
        return Spent(*map(int.__add__, self.parts, other.parts))

    def __sub__(self, other: Spent) -> Spent:
        """Return what is left without the other."""
        return Spent(*map(int.__sub__, self.parts, other.parts))

    def __bool__(self) -> bool:
        """Say whether it is anything."""
        return any(self.parts)

    def within(self, other: Spent) -> bool:
        """Say whether the other is at least as much in every respect."""
        return all(map(int.__le__, self.parts, other.parts))

    @property
    def read_units(self) -> float:
        """Return read units; one is 4 KB, strongly consistent."""
        return self.half_reads / 2

    @property
    def invocations(self) -> float:
        """Return how many invocations it took."""
        return self.share / INVOCATION

    @property
    def polls(self) -> float:
        """Return the requests of Lambda's poller: a receive and a delete for each batch.

        What was called by the API came from no queue.
        """
        return 2 * (self.share / INVOCATION - self.calls)

    @property
    def gb_seconds(self) -> float:
        """Return gigabytes of memory times seconds."""
        return (self.millis * USUAL_MEMORY + self.extra) / 1024 / 1000


NOTHING: Final = Spent()


# What steps take is much the same for all of them.
@lru_cache(maxsize=1024)
def parts_of(text: str) -> tuple[int, ...]:
    """Return the numbers that a text says, in the order of their marks."""
    sums = dict.fromkeys(_MARKS, 0)
    for mark, number in _PART.findall(text):
        if mark in sums:
            sums[mark] += int(number, _BASE)
    return tuple(sums.values())


def together(texts: Iterable[str]) -> Spent:
    """Return the sum of what texts say."""
    sums = [0] * len(_MARKS)
    for text in texts:
        if text:
            sums = list(map(int.__add__, sums, parts_of(text)))
    return Spent(*sums)


def text_of(parts: Iterable[int]) -> str:
    """Return the short text of numbers in the order of their marks."""
    return "".join(
        [
            mark + digits(n)
            for mark, n in zip(_MARKS, parts)  # noqa: B905 - fast
            if n
        ]
    )


@lru_cache(maxsize=1024)
def digits(number: int) -> str:
    """Return a number with the base 36."""
    if 0 <= number < _BASE:
        return _DIGITS[number]
    if number < 0:
        return f"-{digits(-number)}"
    before, last = divmod(number, _BASE)
    return digits(before) + _DIGITS[last]


def sends_for(messages: int) -> int:
    """Return how many requests it takes to send so many messages."""
    return -(-messages // PER_SEND)


def to_nanos(budget: object) -> int:
    """Return a budget in dollars as it is recorded.

    Raises:
        ValueError: It is no amount of dollars above zero.
    """
    amount = budget if isinstance(budget, int | float) and not isinstance(budget, bool) else 0
    if not 1 / NANOS <= amount <= _MOST_DOLLARS:
        raise ValueError(
            f"budget must be dollars above 0 and up to {_MOST_DOLLARS}, not {budget!r}"
        )
    return round(amount * NANOS)


def written(units: int, index_units: int) -> str:
    """Return what a write adds to what it records."""
    index = f"X{digits(index_units)}" if index_units else ""
    return f"W{digits(units)}{index}"
