"""Everstep's own script plays every workload in memory, and the important ones on moto."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from bench.suite import children, in_process, plan, results
from bench.suite.engines import ENGINES, Ground
from everstep.app.engine import Limits

if TYPE_CHECKING:
    from bench.suite.engines import Engine

SMALL: Final = plan.Sizes(
    many=(3, 3), long=12, naps=(2, 1, 1), sleepers=(3, 1), fans=(3, 12), crash=(4, 1, 2), rounds=2
)


def engine(name: str) -> Engine:
    return next(each for each in ENGINES if each.name == name)


def outcome(name: str, workloads: list[str], folder: Path) -> results.Data:
    chosen = engine(name)
    script = chosen.script(Ground(place=None, folder=folder))
    items = plan.items(SMALL, workloads, folder)
    report = children.play(script, items, folder, 50, lambda _: None)
    return results.of_engine(chosen, report.versions, 0, report.played)


def test_steps_are_played_in_memory_and_what_cannot_be_killed_says_so(tmp_path: Path) -> None:
    found = outcome(plan.MEMORY, ["W1", "W2", "W4", "W5"], tmp_path)["workloads"]
    reasons = {name: each["reason"] for name, each in found.items() if "reason" in each}
    assert list(reasons) == ["W5"]
    assert "in the process that would be killed" in reasons["W5"]
    assert set(found) == {"W1", "W2", "W4 3", "W4 12", "W5"}
    assert found["W1"]["rounds"] == 2
    assert {"steps_per_second", "cpu_ms_per_step"} <= set(found["W1"]["figures"])
    assert "growth" in found["W2"]["figures"]


@pytest.mark.slow
def test_sleeps_last_in_memory_as_long_as_they_should(tmp_path: Path) -> None:
    found = outcome(plan.MEMORY, ["W2b", "W3"], tmp_path)["workloads"]
    assert found["W2b"]["figures"]["late_p50_ms"] > -5
    assert found["W3"]["figures"]["late_p50_ms"] > -5


@pytest.mark.slow
def test_the_same_is_played_with_the_adapters_for_aws_on_moto(tmp_path: Path) -> None:
    found = outcome(plan.MOTO, ["W1", "W2", "W2b", "W4"], tmp_path)
    assert [each for each in found["workloads"].values() if "reason" in each] == []
    assert set(found["versions"]) == {"everstep", "boto3"}


def test_burst_mode_carries_out_many_steps_per_message(tmp_path: Path) -> None:
    assert in_process.limits(burst=False) == Limits()
    assert in_process.limits(burst=True).steps_per_message == plan.BURST
    found = outcome(f"{plan.MEMORY}-burst", ["W1"], tmp_path)["workloads"]
    assert "figures" in found["W1"]


def test_own_scripts_run_with_this_interpreter() -> None:
    own = [each for each in ENGINES if each.own and not each.deployed]
    ground = Ground(place=None, folder=Path())
    assert own
    for each in own:
        assert each.script(ground).command[0] == sys.executable
