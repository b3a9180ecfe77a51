"""The machine's clock, and identifiers made from it and from chance."""

from __future__ import annotations

import time
from binascii import b2a_base64
from os import urandom
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ulid import ULIDGenerator

_NANOS_PER_MILLI = 1_000_000
_NANOS_PER_MICRO = 1_000
_TOKEN_BYTES = 12
_SECRET_BYTES = 16
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class SystemClock:
    """Tell the machine's time. It may jump: nothing's safety depends on it."""

    def now(self) -> int:
        """Return milliseconds since 1970 in UTC."""
        return time.time_ns() // _NANOS_PER_MILLI

    def ticks(self) -> int:
        """Return microseconds since some instant."""
        return time.perf_counter_ns() // _NANOS_PER_MICRO


class SystemIds:
    """Make run ids and message tokens that nobody else makes."""

    def __init__(self) -> None:
        self._ulids: ULIDGenerator | None = None

    def run_id(self) -> str:
        """Return a ULID of 26 characters.

        Ids sort by the millisecond they were made in; within one millisecond those of one
        process also sort by the order they were made in, those of several processes do not.
        """
        if self._ulids is None:
            # Imported late: only the trigger makes runs.
            from ulid import LaxMonotonicPolicy, ULIDGenerator

            self._ulids = ULIDGenerator(policy=LaxMonotonicPolicy())
        return str(self._ulids.generate())

    def token(self) -> str:
        """Return 96 random bits as 16 URL-safe characters."""
        return b2a_base64(urandom(_TOKEN_BYTES), newline=False).translate(_URL_SAFE).decode()

    def secret(self) -> str:
        """Return 128 random bits as 32 hexadecimal digits."""
        return urandom(_SECRET_BYTES).hex()
