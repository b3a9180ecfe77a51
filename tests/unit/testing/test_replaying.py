"""Recorded histories as files, and their replay against the code as it is now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from everstep import Context, step, workflow
from everstep.core.documents import HistoryFormatError
from everstep.core.exported import read_history
from everstep.core.replay_reports import Verdict
from everstep.testing import TestEngine
from everstep.testing.replaying import (
    UPDATE_VARIABLE,
    GoldenMissingError,
    ReplayError,
    assert_replays,
    golden,
    load_history,
    replay,
    save_history,
)

if TYPE_CHECKING:
    from pathlib import Path

    from everstep.testing import TestRun


@step
def reserve(item: str) -> str:
    return f"reserved {item}"


@step
def charge(amount: int) -> str:
    if amount > 100:
        raise ValueError("too much")
    return f"charged {amount}"


@workflow(name="order")
async def order(ctx: Context, item: str) -> str:
    await ctx.step(reserve, item)
    await ctx.sleep(60, name="think")
    return await ctx.step(charge, 10)


@workflow(name="order")
async def order_dearer(ctx: Context, item: str) -> str:
    await ctx.step(reserve, item)
    await ctx.sleep(60, name="think")
    return await ctx.step(charge, 12)


@workflow(name="order")
async def order_louder(ctx: Context, item: str) -> str:
    await ctx.step(reserve, item)
    await ctx.sleep(60, name="think")
    return (await ctx.step(charge, 10)).upper()


@workflow(name="order", version="2")
async def order_2(ctx: Context, item: str) -> str:
    return await ctx.step(reserve, item)


@workflow(name="order")
async def order_without_end(ctx: Context, item: str) -> str:
    await ctx.step(reserve, item)
    while True:
        pass


def ordered(*, ended: bool = True) -> TestRun[str]:
    """Return a run of the order that has ended, or one that sleeps."""
    engine = TestEngine([order])
    run = engine.start(order, "tea")
    engine.advance(60 if ended else 0)
    return run


# --- Export


def test_a_run_exports_what_is_recorded_in_the_order_in_which_it_was_asked_for() -> None:
    document = ordered().export()

    assert [item["key"] for item in document["operations"]] == ["reserve#1", "think#1", "charge#1"]
    assert document["run"]["result"] == "charged 10"
    assert document["run"]["input"] == "tea"


def test_an_export_names_no_lines_of_code() -> None:
    @workflow
    async def failing(ctx: Context) -> str:
        return await ctx.step(charge, 101)

    engine = TestEngine([failing])
    run = engine.start(failing)
    engine.advance(600)

    assert run.export()["run"]["error"] == {
        "type": "StepFailed",
        "message": "step charge#1 failed after 3 attempts: ValueError: too much",
        "operation": "charge#1",
    }


# --- Files


def test_what_was_saved_is_loaded_again_and_saves_the_same_bytes(tmp_path: Path) -> None:
    run = ordered()
    file = tmp_path / "new" / "order.json"
    save_history(run, file)
    before = file.read_bytes()

    assert load_history(file) == run.export()
    save_history(str(file), file)
    assert file.read_bytes() == before
    save_history(read_history(run.export()), file)
    assert file.read_bytes() == before
    assert before.endswith(b"}\n")


def test_nothing_is_written_if_there_is_no_history(tmp_path: Path) -> None:
    file = tmp_path / "order.json"

    with pytest.raises(HistoryFormatError, match=r"^format is missing"):
        save_history({"run": {}}, file)
    assert not file.exists()


def test_a_file_without_a_history_is_named(tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_text(json.dumps({"format": "everstep-history/1"}))

    with pytest.raises(HistoryFormatError, match=r"^run is missing") as caught:
        load_history(file)
    assert caught.value.__notes__ == [f"in {file}"]


# --- Golden files


def test_a_golden_file_stays_as_it_is_unless_it_is_to_be_renewed(tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    first = golden(file, ordered(ended=False), update=True)

    assert golden(file, ordered, update=False) == first
    assert first["run"]["status"] == "RUNNING"
    assert golden(file, ordered, update=True)["run"]["status"] == "COMPLETED"


def test_a_golden_file_that_is_missing_tells_how_to_record_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(UPDATE_VARIABLE, raising=False)
    file = tmp_path / "order.json"

    with pytest.raises(GoldenMissingError) as caught:
        golden(file, ordered)
    assert str(caught.value) == (
        f"there is no recorded history {file}: run the test once with --everstep-update-golden "
        "(or EVERSTEP_UPDATE_GOLDEN=1) to record it, then look at the file and commit it"
    )
    monkeypatch.setenv(UPDATE_VARIABLE, "1")
    assert golden(file, ordered) == ordered().export()


# --- Replay


def test_a_run_its_document_its_history_and_its_file_replay_alike(tmp_path: Path) -> None:
    run = ordered()
    file = tmp_path / "order.json"
    save_history(run, file)
    reports = [
        replay(recorded, [order_2, order])
        for recorded in (run, run.export(), read_history(run.export()), file, str(file))
    ]

    assert reports[0].safe
    assert reports == [reports[0]] * 5


def test_code_that_passes_other_arguments_is_refused_with_the_place() -> None:
    with pytest.raises(ReplayError) as caught:
        assert_replays(ordered(), [order_dearer])
    assert str(caught.value).startswith(
        "broken at charge#1: recorded with another amount; today's code passes amount=12"
    )
    assert caught.value.report.operation == "charge#1"


def test_code_after_the_last_record_may_change() -> None:
    report = assert_replays(ordered(ended=False), [order_dearer])

    assert report.notes == ("after the last recorded operation it asks for the sleep think#1",)


def test_another_outcome_of_an_ended_run_counts_unless_it_is_meant() -> None:
    with pytest.raises(ReplayError) as caught:
        assert_replays(ordered(), [order_louder])
    assert str(caught.value).splitlines() == [
        "safe: today's code asks for what is recorded (3 operations)",
        'Note: the run returned "charged 10"; today\'s code returned "CHARGED 10"',
        "(run run-0-00000001 of order version 1)",
        "Pass same_outcome=False if the other end is meant.",
    ]
    assert not assert_replays(ordered(), [order_louder], same_outcome=False).same_outcome


def test_a_version_that_is_not_among_the_workflows_is_to_be_deployed_beside_them() -> None:
    with pytest.raises(ReplayError) as caught:
        assert_replays(ordered(), [order_2])
    assert caught.value.report.verdict is Verdict.PINNED
    assert "(versions there: 2)" in caught.value.report.reason


def test_code_that_does_not_come_to_rest_is_cut_off() -> None:
    report = replay(ordered(), [order_without_end], patience=0.05)

    assert report.verdict is Verdict.RESTLESS


def test_no_step_is_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    document: dict[str, Any] = ordered().export()

    def refuse(item: str) -> str:
        raise AssertionError(item)

    monkeypatch.setattr(reserve, "fn", refuse)
    assert replay(document, [order]).safe
