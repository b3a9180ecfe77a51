"""A sweep's work grows with what is due, not with what is asleep, and nobody looks at all runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bench import scale, scale_page
from bench.scale import SHARDS, Deployment, asleep, at_once, measure, removals, through, work

if TYPE_CHECKING:
    from pathlib import Path

# Of each shard what is due, what comes within reach, and what is to be removed.
QUERIES = 3 * SHARDS


def flat(found: dict[str, Any]) -> None:
    for each in found["asleep"]:
        assert each["scans_at_start"] == 0
        assert (each["idle"]["queries"], each["idle"]["requests"]) == (QUERIES, QUERIES)
        assert each["idle"]["read"] == 0
        due = each["due"]
        assert (due["timers"], due["read"], due["entries"]) == (10, 10, 10)
        assert due["requests"] <= QUERIES + 10 + SHARDS
        assert due["scans"] == 0


def whole(found: dict[str, Any]) -> None:
    runs = found["runs"]
    assert found["ended"] == runs
    assert found["scans"] == 0
    each_minute = found["started_a_minute"]
    # Each run is looked at once after its start, woken once, and looked after once.
    assert found["most_entries"] <= 8 * each_minute
    assert found["last_hour_of_starts"]["requests"] <= QUERIES + 6 * each_minute


def test_a_sweep_looks_at_what_is_due_however_many_runs_are_asleep() -> None:
    flat({"asleep": [asleep(runs) for runs in (20, 200)]})


def test_runs_that_sleep_for_a_day_all_end_and_nothing_on_their_way_is_a_scan() -> None:
    whole(through(300))


def test_a_minute_in_which_everything_is_due_is_worked_off_sweep_by_sweep() -> None:
    found = at_once(500, most=60)
    # Some thirty in each sweep beside the queries, and never a sweep that gets nothing done.
    assert found["idle_sweeps"] == 0
    assert 500 / 60 <= found["sweeps"] <= 15
    assert found["minutes_late"] == 0
    assert at_once(1_000, most=60)["minutes_late"] > 0


def test_what_is_read_in_a_sweep_does_not_grow_with_what_is_late() -> None:
    # A page of each shard, at most.
    assert at_once(1_000, most=60)["most_read"] <= SHARDS * 100


def test_runs_to_be_removed_hold_up_nobody() -> None:
    found = removals(300, most=250)
    assert found["timers"] == 100
    # What wakes up comes first.
    assert all(found["removed"][1:])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_thousand_runs_take_no_more_of_a_sweep_than_a_thousand() -> None:
    found = measure(100_000)
    flat(found)
    whole(found["through"])
    assert found["at_once"]["idle_sweeps"] == 0
    assert found["removals"]["timers"] == 100


def test_a_sweep_that_there_is_time_for_does_everything() -> None:
    world = Deployment()
    world.start(3, lambda _number: 1)
    done = world.minute()
    assert done["finished"]
    assert world.ended == 3
    assert work.fn(1) == 2


def test_a_result_is_printed_and_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "scale.json"
    scale.main(["--runs", "1000", "--output", str(path)])
    assert json.loads(path.read_text(encoding="utf-8"))["runs"] == 1_000
    assert "written to" in capsys.readouterr().out


def test_the_page_shows_the_newest_result() -> None:
    text = scale_page.PAGE.read_text(encoding="utf-8")
    assert scale_page.filled(text, scale_page.newest()) == text
    assert scale_page.newest()["runs"] == 100_000


def test_the_page_is_renewed_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "scale.md"
    page.write_text("<!-- table: asleep -->\n<!-- end -->\n", encoding="utf-8")
    monkeypatch.setattr(scale_page, "PAGE", page)
    scale_page.main()
    assert "ten due" in page.read_text(encoding="utf-8")
