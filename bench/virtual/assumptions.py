"""How long things take on AWS: what `latencies.toml` assumes, and chance."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

LATENCIES: Final = Path(__file__).parents[1] / "latencies.toml"
_MICROS: Final = 1_000
_AT_P99: Final = NormalDist().inv_cdf(0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNormal:
    """Times above a floor whose logarithms are normal, by two percentiles, in milliseconds."""

    p50: float
    p99: float
    floor: float = 0

    def draw(self, rng: Random) -> int:
        """Return a time in microseconds."""
        middle, late = self.p50 - self.floor, self.p99 - self.floor
        sigma = math.log(late / middle) / _AT_P99
        return round(_MICROS * (self.floor + rng.lognormvariate(math.log(middle), sigma)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What is assumed of AWS.

    Attributes:
        calls: How long each request takes, by service and name.
        delivery: From before a send to the first line of the handler.
        send: Part of it after which the sender goes on.
        free_after: How long after its handler an environment is free, in microseconds.
        cold_start: How much longer that is where an environment has to be made.
        full_mb: Memory at which a function has one processor.
        calls_mb: Memory at which the times of calls were measured.
        told: All of it as it is in the file, with its sources.
    """

    calls: Mapping[str, LogNormal]
    delivery: LogNormal
    send: float
    free_after: int
    cold_start: LogNormal
    full_mb: int
    calls_mb: int
    told: Mapping[str, Any]

    def processor_ms(self, millis: float, memory_mb: int) -> float:
        """Return how long work takes at a memory size that takes so long on a whole processor."""
        return millis * max(1.0, self.full_mb / memory_mb)

    def more_client_ms(self, millis: float, memory_mb: int) -> float:
        """Return what a call's own work takes beyond what was measured at another memory size."""
        measured = self.processor_ms(millis, self.calls_mb)
        return max(0.0, self.processor_ms(millis, memory_mb) - measured)


def load_assumptions(path: Path = LATENCIES) -> Assumptions:
    """Return what the file assumes."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return Assumptions(
        calls={name: _times(each) for name, each in told["calls"].items()},
        delivery=_times(told["delivery"]),
        send=told["send"]["share"],
        free_after=_MICROS * told["environments"]["free_after_ms"],
        cold_start=_times(told["cold_start"]),
        full_mb=told["processor"]["full_mb"],
        calls_mb=told["processor"]["calls_measured_at_mb"],
        told=told,
    )


def _times(told: Mapping[str, Any]) -> LogNormal:
    return LogNormal(p50=told["p50"], p99=told["p99"], floor=told.get("floor", 0))
