"""What the storm starts, when, and what has to come of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final, Self

from everstep.core.model import OpStatus, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


LARGE: Final = 20_000
DONE: Final = (OpStatus.DONE, 1)
THIRD: Final = (OpStatus.DONE, 3)
FAILED: Final = (OpStatus.FAILED, 1)
SLEPT: Final = (OpStatus.DONE, 0)
# Runs keep coming until shortly before the end, so that the storm hits each of their stages.
LAST_START: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A workflow, and what its history and its outcome are, whatever happened on the way.

    Attributes:
        workflow: Its name.
        records: Status and least attempt of every operation; there is no other one.
        status: How the run ends.
        result: The output, given the number of the run; None where there is none.
    """

    workflow: str
    records: Mapping[str, tuple[OpStatus, int]]
    result: Callable[[int], object] = lambda _: None
    status: RunStatus = RunStatus.COMPLETED


CASES: Final = (
    Case(
        workflow="storm-chain",
        records={"add#1": DONE, "add#2": DONE, "add#3": DONE, "add#4": DONE},
        result=lambda number: number + 10_000,
    ),
    Case(
        workflow="storm-retry",
        records={"flaky#1": THIRD, "add#1": DONE},
        result=lambda number: number + 1000,
    ),
    Case(
        workflow="storm-nap",
        records={"add#1": DONE, "sleep#1": SLEPT, "add#2": DONE, "sleep#2": SLEPT, "add#3": DONE},
        result=lambda number: number + 6000,
    ),
    Case(
        workflow="storm-rest",
        records={"add#1": DONE, "sleep#1": SLEPT, "add#2": DONE},
        result=lambda number: number + 3000,
    ),
    Case(
        workflow="storm-recovers",
        records={"refuse#1": FAILED, "add#1": DONE},
        result=lambda number: number + 1000,
    ),
    Case(
        workflow="storm-once",
        records={"add#1": DONE, "once#1": DONE, "add#2": DONE},
        result=lambda number: number + 6000,
    ),
    Case(
        workflow="storm-fails",
        records={"add#1": DONE, "refuse#1": FAILED},
        status=RunStatus.FAILED,
    ),
    Case(
        workflow="storm-large",
        records={"enlarge#1": DONE, "measure#1": DONE},
        result=lambda number: f"{LARGE + number} {'x' * (LARGE + number)}",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One run: when to start it (seconds from the beginning), with what, and by which key."""

    at: float
    number: int
    key: str
    case: Case
    work: float
    twice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A storm. The same seed plans the same; what the machine makes of it differs.

    Attributes:
        seed: STORM_SEED, else one that was drawn.
        seconds: STORM_SECONDS, how long it lasts.
        runs: STORM_RUNS, how many runs are started meanwhile.
    """

    seed: int
    seconds: float = 60
    runs: int = 100

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the storm that the environment asks for."""
        return cls(
            seed=int(environment.get("STORM_SEED") or Random().randrange(10**6)),  # noqa: S311 - no secret
            seconds=float(environment.get("STORM_SECONDS", "60")),
            runs=int(environment.get("STORM_RUNS", "100")),
        )

    def random(self, purpose: str) -> Random:
        """Return the random stream of one part of the storm."""
        return Random(f"{self.seed}/{purpose}")  # noqa: S311 - a schedule, not a secret

    def starts(self) -> list[Planned]:
        """Return every run in the order of its start: all workflows equally often, mixed."""
        rng = self.random("starts")
        cases = [CASES[number % len(CASES)] for number in range(self.runs)]
        rng.shuffle(cases)
        times = sorted(rng.uniform(0, LAST_START * self.seconds) for _ in cases)
        return [
            Planned(
                at=at,
                number=number,
                key=f"storm-{self.seed}-{number}",
                case=case,
                work=rng.uniform(0, 0.05),
                twice=rng.random() < 0.2,
            )
            for number, (at, case) in enumerate(zip(times, cases, strict=True))
        ]
