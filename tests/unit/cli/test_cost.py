"""``everstep cost``: what a run has cost, and what many would."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.operating import TRANSPORTS, operated
from tests.unit.cli.typed import typed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.operating import Operated

CODE = """
from everstep import Context, step, workflow

@step
def work(number: int) -> int:
    raise AssertionError("not to be executed")

@workflow(name="seq")
async def seq(ctx: Context, steps: int) -> int:
    for number in range(steps):
        await ctx.step(work, number)
    await ctx.sleep(86400)
    return steps

@workflow(name="waits")
async def waits(ctx: Context) -> None:
    await ctx.wait_for_event("approval")
"""


@pytest.fixture(params=TRANSPORTS)
def at(request: pytest.FixtureRequest) -> Operated:
    return operated(request.param)


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "seqflows.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


def done(at: Operated) -> str:
    run_id = at.started()
    at.world.work()
    at.world.advance(60)
    return run_id


def test_a_run_shows_what_it_has_cost_and_on_what(at: Operated) -> None:
    run_id = done(at)
    seen = at.typed("cost", run_id)
    assert (seen.code, seen.err) == (0, "")
    assert f"run       {run_id}" in seen.out
    assert ", complete" in seen.out
    assert "(start and end)" in seen.out


def test_a_run_that_goes_on_shows_what_it_has_cost_so_far(at: Operated) -> None:
    assert "so far: the run has not ended" in at.typed("cost", "run", at.started()).out


def test_programs_get_the_numbers(at: Operated) -> None:
    data = at.data("cost", done(at))
    assert data["dollars"] == pytest.approx(sum(data["dollars_by"].values()))
    assert data["complete"]


def test_a_run_that_went_on_as_new_says_so_and_its_successor_tells_the_sum(at: Operated) -> None:
    run_id = str(at.data("trigger", "counting", "--input", "1")["run_id"])
    at.world.work()
    at.world.advance(60)
    first, successor = at.data("cost", run_id), at.data("cost", run_id)["successor"]
    assert f"goes on as  {successor}" in at.typed("cost", run_id).out
    last = at.data("cost", successor)
    assert last["chain"]["dollars"] == pytest.approx(first["dollars"] + last["dollars"])
    assert re.search(r"chain +\$0\.0000\d+, with the runs before", at.typed("cost", successor).out)


def test_a_run_that_is_not_there_has_cost_nothing_that_is_known(at: Operated) -> None:
    assert at.typed("cost", "01KDVDN080T8W5N3Y7QF2ZJ4XX").code == 3


@pytest.mark.usefixtures("flows")
def test_a_million_runs_are_estimated_from_one_that_is_played() -> None:
    arguments = ["cost", "estimate", "seq", "--input", "3", "--mock", "work=1", "--batch", "10"]
    seen = typed(*arguments, "--workflows", "seqflows")
    assert (seen.code, seen.err) == (0, "")
    assert "1,000,000 runs  $" in seen.out
    assert "work#3" in seen.out
    assert "Step Functions Standard   $0.00010000  $100.00" in seen.out
    data = json.loads(typed(*arguments, "--workflows", "seqflows", "--json").out)
    assert data["all"] == pytest.approx(data["run"] * 1e6)
    assert data["attempts"] == 3
    # A step in batches of ten: one write unit, one read unit, a message and its shares.
    assert data["steps"]["work#2"] * 1e6 == pytest.approx(1.35, abs=0.01)


@pytest.mark.usefixtures("flows")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["seq", "--input", "1"], "not to be executed"),
        (["waits"], "nobody tells it of approval#1; try --from-runs"),
        (["nobody"], "nobody"),
        (["seq", "--runs", "0"], "--runs must be from 1"),
        (["seq", "--mock", "work"], "--mock must be STEP=JSON"),
    ],
)
def test_what_cannot_be_estimated_is_told(arguments: list[str], told: str) -> None:
    seen = typed("cost", "estimate", *arguments, "--workflows", "seqflows")
    assert seen.code != 0
    assert told in seen.err


def test_runs_that_were_made_are_the_estimate_of_those_to_come(at: Operated) -> None:
    run_id = done(at)
    one = at.data("cost", run_id)
    workflow = at.data("runs", "inspect", run_id)["workflow"]
    found = at.data("cost", "estimate", workflow, "--from-runs", "5", "--runs", "10")
    assert found["run"] == pytest.approx(one["dollars"])
    assert found["all"] == pytest.approx(10 * one["dollars"])
    assert at.typed("cost", "estimate", "nobody", "--from-runs", "5").code == 2
    assert "the mean of 1 runs" in at.typed("cost", "estimate", workflow, "--from-runs", "5").out


def test_without_a_run_help_is_shown() -> None:
    assert "estimate" in typed("cost", "--help").out
