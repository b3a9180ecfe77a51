"""What README and docs/architecture.md say of the simulation: what is played, and every invariant.

The invariants are compared with the code: which there are, and where each is checked.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import everstep
from everstep.testing.simulation.explore import single_plans
from everstep.testing.simulation.faults import FaultKind
from tests.docs.test_snippets import ROOT
from tests.simulation.mutants import MUTANTS
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.test_random_schedules import MORE_SEEDS, SEEDS

Places = Mapping[str, frozenset[str]]

PACKAGE: Final = Path(everstep.__file__).parent
SIMULATION: Final = PACKAGE / "testing" / "simulation"
OF_HISTORIES: Final = (
    PACKAGE / "core" / "invariants.py",
    PACKAGE / "core" / "event_invariants.py",
)
OF_RUNS: Final = (*OF_HISTORIES, PACKAGE / "app" / "verify.py")
OF_SCHEDULES: Final = (*OF_HISTORIES, *sorted(SIMULATION.glob("*.py")))
# Said by those who drive a schedule to a certain point, of their own plan.
_ABOUT_A_PLAN: Final = {"comes_to_the_point", "comes_to_its_call"}
_ROW: Final = re.compile(r"^\| `(\w+)` \|[^|]+\|([^|]*)\|([^|]*)\|([^|]*)\|$", re.MULTILINE)
_ERROR: Final = "ViolationError"


class Functions:
    """Which invariant is raised in which function, and who mentions whom."""

    def __init__(self, modules: Iterable[Path]) -> None:
        """Read modules in which something is checked."""
        self.raised: dict[str, set[str]] = {}
        self.mentioned: dict[str, set[str]] = {}
        for path in modules:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef):
                    self._read(node)

    def _read(self, function: ast.FunctionDef) -> None:
        self.raised.setdefault(function.name, set()).update(_raised_in(function))
        names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        self.mentioned.setdefault(function.name, set()).update(names)

    def reached_from(self, name: str) -> set[str]:
        """Return every invariant that a function checks, itself or through another."""
        found: set[str] = set()
        seen, left = {name}, [name]
        while left:
            function = left.pop()
            found |= self.raised[function]
            new = (self.mentioned[function] & self.raised.keys()) - seen
            seen |= new
            left += sorted(new)
        return found


def _raised_in(function: ast.FunctionDef) -> set[str]:
    return {
        node.args[0].value
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == _ERROR
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def section_of(title: str) -> str:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def places_in_the_code() -> Places:
    runs, schedules = Functions(OF_RUNS), Functions(OF_SCHEDULES)
    own = set().union(*Functions(OF_SCHEDULES[1:]).raised.values())
    checked = {
        "write": runs.reached_from("check_write"),
        "rest": (schedules.reached_from("check_at_rest") | own) - _ABOUT_A_PLAN,
        "live": runs.reached_from("verify"),
    }
    return {
        name: frozenset(place for place, names in checked.items() if name in names)
        for name in set().union(*checked.values())
    }


def places_on_the_page() -> Places:
    section = section_of("Invariants")
    return {
        name: frozenset(
            place
            for place, mark in zip(("write", "rest", "live"), marks, strict=True)
            if mark.strip()
        )
        for name, *marks in _ROW.findall(section)
    }


def test_the_page_names_every_invariant_and_where_it_is_checked() -> None:
    assert places_on_the_page() == places_in_the_code()


def test_what_is_read_from_the_code_is_what_stands_in_it() -> None:
    places = places_in_the_code()
    assert places["result_never_changes"] == {"write"}
    assert places["completed_steps_were_executed"] == {"rest"}
    assert places["records_are_whole"] == {"live"}
    assert places["sleep_never_ends_early"] == {"write"}
    assert places["sleep_has_lasted"] == {"live"}


def singles_there_are() -> int:
    return sum(len(list(single_plans(each.play()))) for each in SCENARIOS.values())


def test_the_page_tells_how_much_is_played() -> None:
    section = section_of("The simulation")
    singles = singles_there_are()
    assert f"every call of {len(SCENARIOS)} scenarios" in section
    assert f"| some {round(singles, -3):,} schedules |" in section
    assert f"| {len(SEEDS)} seeds; {len(MORE_SEEDS):,} more in `make test` |" in section
    assert f"| {len(MUTANTS)} mutants |" in section


def test_the_readme_tells_the_same() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"up to {len(FaultKind)} ways" in readme
    assert (
        f"{len(SCENARIOS)} scenarios (some {round(singles_there_are(), -3):,} schedules)" in readme
    )
    assert f"and {len(SEEDS)} schedules drawn at random" in readme
    assert f"{len(MORE_SEEDS):,} drawn schedules" in readme
    assert f"{len(MUTANTS)} rules" in readme
