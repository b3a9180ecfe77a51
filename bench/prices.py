"""What the counted work costs, by the one table of prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from everstep.app.prices import load_prices

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Assumption", "Bill", "bill", "load_prices"]

_MB_PER_GB: Final = 1024
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """What no emulator can measure, stated.

    Attributes:
        memory_mb: Memory size of the functions.
        billed_ms: Billed time of an executor for one message, on AWS, without the time that the
            step's own work takes: one query, one write, one send, and replay.
        batch: Messages in a batch; all batches are taken to be full.
        polls_per_batch: Requests of Lambda's poller: one receive, one delete.
    """

    memory_mb: int
    billed_ms: float
    batch: int = 1
    polls_per_batch: int = 2


ASSUMED_MS: Final[Mapping[int, float]] = {128: 60, 256: 30}
"""Assumed billed time per message by memory size: processor time doubles with half the memory."""


SWEEPS_PER_MONTH: Final = 60 * 24 * 30
SWEEP_MS: Final = 100
"""Assumed billed time of a sweep that finds nothing, at `SWEEP_MB`."""
SWEEP_MB: Final = 256
IDLE_POLLERS: Final = 5
"""Assumed: Lambda keeps so many pollers on a queue that is empty, each waiting 20 s."""
POLLS_PER_MINUTE: Final = 3
QUEUES: Final = 2
ALARMS: Final = 24
"""Metrics that alarms look at, which is what is charged for: one of them adds four up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Dollars per million of something, by what is paid for."""

    writes: float
    index_writes: float
    reads: float
    messages: float
    requests: float
    compute: float
    api: float = 0.0
    payloads: float = 0.0

    @property
    def total(self) -> float:
        """Return the sum."""
        parts = (self.writes, self.index_writes, self.reads, self.messages)
        return sum(parts) + self.requests + self.compute + self.api + self.payloads


def bill(
    prices: Mapping[str, Any],
    measured: Mapping[str, Any],
    assumed: Assumption,
    *,
    messages: float = 1,
    through_api: bool = False,
) -> Bill:
    """Return what a million of something costs.

    Args:
        prices: The table of prices.
        measured: Counts per step, start or end, as `Tally.per` returns them.
        assumed: What was not measured.
        messages: Messages that the executor processes for it.
        through_api: Whether a request to the API and an invocation of the trigger come with it.
    """
    table = prices["dynamodb"]
    batches = messages / assumed.batch
    sqs_requests = measured["sqs_requests"] + batches * assumed.polls_per_batch
    gb_seconds = messages * assumed.billed_ms / 1000 * assumed.memory_mb / _MB_PER_GB
    triggers = 1 if through_api else 0
    gb_seconds += triggers * assumed.billed_ms / 1000 * assumed.memory_mb / _MB_PER_GB
    return Bill(
        writes=measured["write_units"] * table["per_million_write_units"],
        index_writes=sum(measured["index_units"].values()) * table["per_million_write_units"],
        reads=measured["read_units"] * table["per_million_read_units"],
        messages=sqs_requests * prices["sqs"]["per_million_requests"],
        requests=(batches + triggers) * prices["lambda"]["per_million_requests"],
        compute=gb_seconds * _MILLION * prices["lambda"]["per_gb_second_arm64"],
        api=triggers * prices["api_gateway"]["per_million_requests"],
        payloads=_s3_dollars(prices["s3"], measured["calls"]),
    )


def _s3_dollars(prices: Mapping[str, float], calls: Mapping[str, float]) -> float:
    puts, gets = calls.get("s3 PutObject", 0), calls.get("s3 GetObject", 0)
    return puts * prices["per_million_puts"] + gets * prices["per_million_gets"]


def idle_month(prices: Mapping[str, Any], sweep: Mapping[str, float]) -> dict[str, float]:
    """Return what a stack costs in a month of 30 days in which nothing runs, by what is paid for.

    Args:
        prices: The table of prices.
        sweep: What one sweep was counted to take.
    """
    units = SWEEPS_PER_MONTH * sweep["read_units_per_sweep"]
    gb_seconds = SWEEPS_PER_MONTH * SWEEP_MS / 1000 * SWEEP_MB / _MB_PER_GB
    polls = SWEEPS_PER_MONTH * POLLS_PER_MINUTE * IDLE_POLLERS * QUEUES
    requests = SWEEPS_PER_MONTH * prices["lambda"]["per_million_requests"] / _MILLION
    return {
        "sweeper: reads of the due index": units
        * prices["dynamodb"]["per_million_read_units"]
        / _MILLION,
        "sweeper: Lambda requests and compute": requests
        + gb_seconds * prices["lambda"]["per_gb_second_arm64"],
        "polls of two empty queues": polls * prices["sqs"]["per_million_requests"] / _MILLION,
        "alarms": ALARMS * prices["cloudwatch"]["per_alarm_month"],
    }


def history_read_units(step: int, head_bytes: int, record_bytes: int) -> int:
    """Return what reading the history takes before step `step` (from 1) of a sequence."""
    return max(1, -(-(head_bytes + (step - 1) * record_bytes) // 4096))


def mean_read_units(steps: int, head_bytes: int, record_bytes: int) -> float:
    """Return the mean of `history_read_units` over a run of so many steps."""
    units = (history_read_units(n, head_bytes, record_bytes) for n in range(1, steps + 1))
    return sum(units) / steps
