"""`make soak`: play the simulation for as long as wanted, on every processor.

First everything that can be counted: every single fault and every two faults in every scenario,
and every order in which a message that comes twice can be processed. Then seeds, until the time
is up. What fails is shown with the least that it takes. Ctrl-C ends it early, with a report.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from everstep.core.invariants import ViolationError
from everstep.testing.simulation.explore import interleavings, pairs_with, played, single_plans
from everstep.testing.simulation.incidents import Fault
from everstep.testing.simulation.seeds import find_failure, play_seed
from tests.simulation.outcomes import check_outcome
from tests.simulation.scenarios import MIXED, SCENARIOS
from tests.simulation.test_interleavings import at_the_message, twice_at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from everstep.testing.simulation.explore import Plan
    from everstep.testing.simulation.world import World

REPORT: Final = Path(".everstep/reports/soak.json")
ONE_FAULT: Final = "one fault"
TWO_FAULTS: Final = "two faults"
INTERLEAVINGS: Final = "interleavings"
SEEDS: Final = "seeds"
FAILED: Final = 1
# What a shell reports of a program that was ended by Ctrl-C.
INTERRUPTED: Final = 130
_AT_ONCE: Final = 50  # seeds in one piece of work
_AHEAD: Final = 3  # pieces of work that wait for each process


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was played.

    Attributes:
        plays: Schedules by their kind.
        seconds: Time of a process spent on them, by kind.
        faults: What went wrong, by kind.
        reached: What came of it.
        failures: Violations: kind, which schedule, what does not hold, how to play it again.
    """

    plays: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what another process has played."""
        self.plays += other.plays
        for kind, seconds in other.seconds.items():
            self.seconds[kind] = self.seconds.get(kind, 0) + seconds
        self.faults += other.faults
        self.reached += other.reached
        self.failures += other.failures

    def note(self, kind: str, world: World) -> None:
        """Add one play that has come to its end."""
        self.plays[kind] += 1
        self.faults.update(str(each.kind) for each in world.incidents if isinstance(each, Fault))
        self.faults["odd"] += world.settings.oddities - world.odd_left
        self.reached["dead letter"] += len(world.dead.sent)
        self.reached["taken over by the watchdog"] += world.facts.recovered
        for run_id in world.store.run_ids:
            head = world.history(run_id).head
            resumed = "STALLED, resumed, " if head.resumed_at is not None else ""
            self.reached[f"{resumed}{head.status}"] += 1

    def fail(self, kind: str, which: str, violation: ViolationError, told: str = "") -> None:
        """Add one play that violates an invariant."""
        story = "\n".join(getattr(violation, "__notes__", ()))
        self.plays[kind] += 1
        self.failures.append(
            {
                "kind": kind,
                "schedule": which,
                "invariant": violation.invariant,
                "told": told or f"{violation}\n{story}",
            }
        )


Work = tuple[str, "Callable[[Tally], None]"]


def done(work: Work) -> Tally:
    """Do one piece of work in a process of its own."""
    kind, do = work
    tally, began = Tally(), time.monotonic()
    do(tally)
    tally.seconds[kind] = time.monotonic() - began
    return tally


# --- Pieces of work, each of a second or so


def to_do(first_seed: int) -> Iterator[Work]:
    """Return all the work there is; the seeds never end."""
    yield from exhaustive()
    for seed in count(first_seed, _AT_ONCE):
        yield SEEDS, partial(play_seeds, range(seed, seed + _AT_ONCE))


def exhaustive() -> Iterator[Work]:
    """Return the part that has an end."""
    for name in SCENARIOS:
        yield ONE_FAULT, partial(_one_fault, name)
    for workflow in MIXED:
        sent = usual(workflow.name).queue.sent
        for op in dict.fromkeys(letter.message.op for letter in sent):
            yield INTERLEAVINGS, partial(_interleavings, workflow.name, op)
    for name in SCENARIOS:
        for plan in single_plans(usual(name)):
            yield TWO_FAULTS, partial(_two_faults, name, plan)


@cache
def usual(name: str) -> World:
    """Return a play of a scenario in which nothing goes wrong."""
    return SCENARIOS[name].play()


def _one_fault(name: str, tally: Tally) -> None:
    for plan in single_plans(usual(name)):
        _planned(ONE_FAULT, name, plan, tally)


def _two_faults(name: str, plan: Plan, tally: Tally) -> None:
    try:
        after_one = played(SCENARIOS[name], plan)
    except ViolationError:
        return  # found with one fault
    for both in pairs_with(plan, after_one):
        _planned(TWO_FAULTS, name, both, tally)


def _planned(kind: str, name: str, plan: Plan, tally: Tally) -> None:
    scenario = SCENARIOS[name]
    try:
        world = played(scenario, plan)
        check_outcome(scenario, usual(name), world, plan)
    except ViolationError as violation:
        tally.fail(kind, f"{name}: {plan}", violation)
    else:
        tally.note(kind, world)


def _interleavings(name: str, op: str, tally: Tally) -> None:
    try:
        for _, world in interleavings(at_the_message(name, op, twice_at_once(op))):
            tally.note(INTERLEAVINGS, world)
    except ViolationError as violation:
        tally.fail(INTERLEAVINGS, f"{name}: {op or 'start'} twice", violation)


def play_seeds(seeds: range, tally: Tally) -> None:
    """Play some seeds; cut down what fails."""
    for seed in seeds:
        try:
            tally.note(SEEDS, play_seed(seed, MIXED))
        except ViolationError as violation:
            failure = find_failure(seed, MIXED)
            tally.fail(SEEDS, f"seed {seed}", violation, str(failure or violation))


# --- All of it


@dataclass(slots=True, kw_only=True)
class Soak:
    """A soak that is under way.

    Attributes:
        minutes: How long to begin new work.
        jobs: How many processes.
        first_seed: The seed to begin with.
        tally: What was played.
        exhausted: Whether everything that has an end was played.
        interrupted: Whether somebody pressed Ctrl-C.
    """

    minutes: float
    jobs: int
    first_seed: int
    tally: Tally = field(default_factory=Tally)
    exhausted: bool = False
    interrupted: bool = False

    def run(self) -> None:
        """Work until the time is up, or somebody presses Ctrl-C."""
        until = time.monotonic() + self.minutes * 60
        work = to_do(self.first_seed)
        pending: dict[Future[Tally], str] = {}
        kind = ""
        with ProcessPoolExecutor(self.jobs, initializer=_leave_interrupts_alone) as pool:
            try:
                while time.monotonic() < until:
                    while len(pending) < self.jobs * _AHEAD:
                        kind, do = next(work)
                        pending[pool.submit(done, (kind, do))] = kind
                    ready, _ = wait(pending, until - time.monotonic(), FIRST_COMPLETED)
                    self._collect(ready, pending)
            except KeyboardInterrupt:
                self.interrupted = True
            left = {each for each in pending if each.cancel()}
            self.exhausted = kind == SEEDS and all(pending[each] == SEEDS for each in left)
            self._collect(set(pending) - left, pending)

    def _collect(self, ready: set[Future[Tally]], pending: dict[Future[Tally], str]) -> None:
        for future in ready:
            self.tally.add(future.result())
            del pending[future]


def _leave_interrupts_alone() -> None:
    """Let Ctrl-C reach the first process only, which ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# --- At the terminal


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, report, return 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--seed-from", type=int, default=100_000, help="the first seed")
    parser.add_argument("--report", type=Path, default=REPORT, help="where the JSON goes")
    options = parser.parse_args(arguments)
    soak = Soak(minutes=options.minutes, jobs=options.jobs, first_seed=options.seed_from)
    console = Console()
    began = time.monotonic()
    with console.status("soaking: Ctrl-C ends it with a report"):
        soak.run()
    seconds = time.monotonic() - began
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(document(soak, seconds), indent=2) + "\n")
    show(console, soak, seconds)
    if soak.tally.failures:
        return FAILED
    return INTERRUPTED if soak.interrupted else 0


def document(soak: Soak, seconds: float) -> dict[str, object]:
    """Return the report as JSON data."""
    tally = soak.tally
    return {
        "wall_seconds": round(seconds, 1),
        "jobs": soak.jobs,
        "seeds": [soak.first_seed, soak.first_seed + tally.plays[SEEDS]],
        "exhaustive_part_finished": soak.exhausted,
        "interrupted": soak.interrupted,
        "plays_per_second": round(tally.plays.total() / seconds, 1),
        "plays": dict(tally.plays),
        "faults": dict(tally.faults),
        "reached": dict(tally.reached),
        "failures": tally.failures,
    }


def show(console: Console, soak: Soak, seconds: float) -> None:
    """Print the report."""
    tally = soak.tally
    schedules = Table("schedules", "played", "per second of a process")
    for kind, plays in tally.plays.items():
        schedules.add_row(kind, f"{plays:,}", f"{plays / max(tally.seconds[kind], 0.001):,.0f}")
    console.print(schedules)
    for title, counter in (("went wrong", tally.faults), ("came to", tally.reached)):
        table = Table(title, "times")
        for what, times in counter.most_common():
            table.add_row(what, f"{times:,}")
        console.print(table)
    for failure in tally.failures:
        console.print(f"[red]{failure['kind']}, {escape(failure['schedule'])}[/]")
        console.print(escape(failure["told"]))
    end = "everything that has an end" if soak.exhausted else "not everything that has an end"
    verdict = f"[red]{len(tally.failures)} failed[/]" if tally.failures else "[green]all held[/]"
    console.print(f"{tally.plays.total():,} schedules in {seconds:.0f} s, {end}: {verdict}")


if __name__ == "__main__":
    sys.exit(main())
