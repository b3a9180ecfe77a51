"""`make mutants`: weaken one rule of the protocol after the other; say which schedule notices.

Every mutant of ``tests/simulation/mutants.py`` is put in place by itself. Then the scenarios are
played as they usually go, with every single fault, against their budgets, the small ones with
every two faults, and seeds are drawn, until an invariant is violated or a run comes to another
outcome. A mutant that all of that misses is played against the one schedule that ``test_mutants``
names for it. An error that nobody meant, such as a ``TypeError``, catches nothing: it would say
that the mutant is broken, not that the rule is checked.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from everstep.core.invariants import ViolationError
from everstep.testing.simulation.explore import pairs_with, played, single_plans
from everstep.testing.simulation.seeds import find_failure, play_seed
from tests.simulation.mutants import MUTANTS
from tests.simulation.outcomes import check_budget, check_outcome, check_usual, is_accident
from tests.simulation.scenarios import MIXED, SCENARIOS, SMALL
from tests.simulation.test_mutants import CAUGHT_BY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from everstep.testing.simulation.explore import Plan
    from everstep.testing.simulation.world import World

    Usual = Mapping[str, World]

AS_USUAL: Final = "no fault"
ONE_FAULT: Final = "one fault"
BUDGET: Final = "budget"
TWO_FAULTS: Final = "two faults"
SEED: Final = "seed"
NAMED: Final = "named test"
SEEDS: Final = 1_000
SURVIVED: Final = 1
ACCIDENT: Final = "an accident"
_FAULT: Final = re.compile(r"^ *\d+ (.*) +<-- (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Play:
    """One schedule: its kind, which one it is, and how to play it."""

    kind: str
    name: str
    play: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        mutant: Its name.
        invariant: What was violated; None if the mutant survived.
        kind: The kind of schedule that noticed.
        schedule: The schedule, in a line.
        plays: How many schedules were played.
        accidents: How many of them ended with an error that nobody meant.
        seconds: How long it took.
    """

    mutant: str
    invariant: str | None
    kind: str
    schedule: str
    plays: int
    accidents: int
    seconds: float


def judge(mutant: str, seeds: int = SEEDS) -> Verdict:
    """Put one mutant in place and play until something notices it."""
    began = time.monotonic()
    plays = accidents = 0
    invariant, kind, schedule = None, "", ""
    with pytest.MonkeyPatch.context() as patch:
        next(each for each in MUTANTS if each.__name__ == mutant)(patch)
        for each in _plays(mutant, seeds):
            plays += 1
            invariant, schedule = _noticed(each)
            if invariant != ACCIDENT:
                kind = each.kind
            if invariant not in (None, ACCIDENT):
                break
            accidents += invariant == ACCIDENT
    return Verdict(
        mutant=mutant,
        invariant=None if invariant == ACCIDENT else invariant,
        kind=kind,
        schedule=schedule,
        plays=plays,
        accidents=accidents,
        seconds=time.monotonic() - began,
    )


def _noticed(each: Play) -> tuple[str | None, str]:
    """Return which invariant a schedule violates, if it does, and the schedule in a line."""
    try:
        each.play()
    except Exception as error:  # noqa: BLE001 - what nobody meant is counted
        if is_accident(error):
            return ACCIDENT, each.name
        invariant = getattr(error, "invariant", "what the test asserts")
        return invariant, _cut_down(each) if each.kind == SEED else _told(each, error)
    return None, each.name


def _told(each: Play, error: Exception) -> str:
    faults = _FAULT.findall("\n".join(getattr(error, "__notes__", ())))
    if each.kind not in (ONE_FAULT, TWO_FAULTS) or not faults:
        return each.name
    return f"{each.name}: " + "; ".join(f"{call.strip()} ← {kind}" for call, kind in faults)


def _cut_down(each: Play) -> str:
    failure = find_failure(int(each.name), MIXED)
    return f"{each.name}: {failure.schedule if failure else ''}"


# --- The schedules, from the most common to the most particular


def _plays(mutant: str, seeds: int) -> Iterator[Play]:
    yield from _without_faults(AS_USUAL, check_usual)
    usual = dict(_usual())
    yield from _single_faults(usual)
    yield from _without_faults(BUDGET, check_budget)
    yield from _pairs_of_faults(usual)
    for seed in range(seeds):
        yield Play(SEED, str(seed), partial(play_seed, seed, MIXED))
    if mutant in CAUGHT_BY:
        test = CAUGHT_BY[mutant]
        yield Play(NAMED, getattr(test, "func", test).__name__, test)


def _without_faults(kind: str, check: Callable[[str, World], None]) -> Iterator[Play]:
    for name in SCENARIOS:
        yield Play(kind, name, partial(_must_pass, name, check))


def _must_pass(name: str, check: Callable[[str, World], None]) -> None:
    check(name, SCENARIOS[name].play())


def _usual() -> Iterator[tuple[str, World]]:
    """Play as the mutant does it, so that every fault finds its call; accidents are counted."""
    for name, scenario in SCENARIOS.items():
        with suppress(ViolationError):
            yield name, scenario.play()


def _single_faults(usual: Usual) -> Iterator[Play]:
    for name, world in usual.items():
        for plan in single_plans(world):
            yield Play(ONE_FAULT, name, partial(_must_change_nothing, name, world, plan))


def _pairs_of_faults(usual: Usual) -> Iterator[Play]:
    for name in sorted(usual.keys() & set(SMALL)):
        for plan in single_plans(usual[name]):
            for both in _with_another(name, plan):
                play = partial(_must_change_nothing, name, usual[name], both)
                yield Play(TWO_FAULTS, name, play)


def _with_another(name: str, plan: Plan) -> Sequence[Plan]:
    """Return what may follow a first fault; nothing if it ends in an accident, counted before."""
    try:
        return list(pairs_with(plan, played(SCENARIOS[name], plan)))
    except ViolationError:
        return ()


def _must_change_nothing(name: str, usual: World, plan: Plan) -> None:
    check_outcome(SCENARIOS[name], usual, played(SCENARIOS[name], plan), plan)


# --- At the terminal


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge mutants, print a table, return 1 if one survives."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("mutants", nargs="*", help="their names, or parts of them; all if none")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many to draw at most")
    options = parser.parse_args(arguments)
    names = [each.__name__ for each in MUTANTS]
    chosen = [name for name in names if any(part in name for part in options.mutants or [""])]
    with ProcessPoolExecutor(options.jobs) as pool:
        verdicts = list(pool.map(judge, chosen, [options.seeds] * len(chosen)))
    console = Console()
    console.print(table(verdicts))
    survivors = [each.mutant for each in verdicts if each.invariant is None]
    console.print(f"{len(verdicts) - len(survivors)} of {len(verdicts)} mutants were noticed")
    for name in survivors:
        console.print(f"[red]survived:[/] {name}")
    return SURVIVED if survivors or not verdicts else 0


def table(verdicts: Sequence[Verdict]) -> Table:
    """Return one row per mutant."""
    shown = Table("mutant", "violated", "noticed by", "plays", "errors", "schedule")
    for each in verdicts:
        shown.add_row(
            each.mutant,
            each.invariant or "[red]survived[/]",
            each.kind,
            str(each.plays),
            str(each.accidents or ""),
            escape(each.schedule),
        )
    return shown


if __name__ == "__main__":
    sys.exit(main())
