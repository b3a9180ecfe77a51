"""Tables, targets and pictures say what a result says."""

from __future__ import annotations

import itertools
import re
import socket
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from bench.suite import burst, charts, facts, page, results, svg, tables, targets
from tests.unit.bench.suite import examples

if TYPE_CHECKING:
    from pathlib import Path

    from bench.figures import Figures


def cells(table: Figures) -> dict[str, list[str]]:
    return {first: rest for first, *rest in table.rows}


def test_ratios_are_to_everstep_in_the_mode_that_is_compared() -> None:
    rows = cells(tables.many(examples.result()))
    assert list(rows) == ["**Everstep Memory**", "Aws Durable"]
    assert rows["Aws Durable"] == ["400", "0.2", "2", "5", "80", "200"]
    assert rows["**Everstep Memory**"] == ["2,000", "1", "0.4", "1", "40", "90"]


def test_an_engine_that_did_not_play_a_workload_is_not_in_its_table() -> None:
    result = examples.result()
    assert list(cells(tables.sleeps(result))) == ["**Everstep Memory**"]
    assert cells(tables.crash(result)) == {"Aws Durable": ["yes", "1", "6.1"]}


def test_what_is_missing_is_told_with_the_reason() -> None:
    result = examples.result()
    assert tables.missing(result).rows == (("**Everstep Memory**", "W5", "it is in the process"),)
    assert cells(tables.engines(result))["Absurd"][-1] == "PostgreSQL is not installed"


def test_steps_side_by_side_have_columns_for_each_number_of_them() -> None:
    table = tables.beside(examples.result())
    assert table.columns[1] == "100: seconds"
    assert cells(table)["Aws Durable"] == ["0.2", "2", "-"]


def test_a_promise_is_kept_or_broken_by_what_was_measured() -> None:
    found = {each.what: (each.found, each.verdict) for each in targets.of(examples.result())}
    assert found["a step of a sequence: queries"] == (1, "PASS")
    assert found["growth of read units, 1,000 : 100"] == (1.5, "FAIL")
    assert found["growth of a step's time, late : early, Everstep Memory"] == (1.1, "PASS")
    assert found["processor time per step, of the AWS durable SDK's, W1"] == (0.2, "PASS")
    in_process = "processor time per step, of the AWS durable SDK's time in process"
    assert found[f"{in_process}, W1"] == (0.4 * 400 / 1_000, "PASS")
    assert found[f"{in_process}, W2"] == (0.4 * 500 / 1_000, "PASS")
    assert found["replay of 1,000 operations, ms, sequence"] == (18, "PASS")
    assert found["cold import of the step executor as built, processor ms"] == (210.4, "PASS")
    assert found["map of 1,000, messages one by one: requests per item"] == (3.02, "FAIL")
    assert found["map of 1,000, messages in batches of 10: requests per item"] == (2.2, "PASS")


def test_what_was_not_measured_is_neither_kept_nor_broken() -> None:
    result = {**examples.result(), "engines": [], "cold_start": {"reason": "nothing was built"}}
    found = {each.what: each.verdict for each in targets.of(result)}
    assert found["cold import of the step executor as built, processor ms"] == "-"
    assert found["processor time per step, of the AWS durable SDK's, W1"] == "-"
    assert found["processor time per step, of the AWS durable SDK's time in process, W1"] == "-"
    assert cells(targets.table(result))["cold import of the step executor as built, processor ms"][
        1:
    ] == [
        "not measured",
        "-",
    ]


def test_small_sizes_say_nothing_to_promises_about_time() -> None:
    found = {each.what: each.verdict for each in targets.of({**examples.result(), "quick": True})}
    assert found["processor time per step, of the AWS durable SDK's, W1"] == "-"
    assert found["a step of a sequence: queries"] == "PASS"


def test_the_price_is_that_of_the_newest_load_with_its_log_lines() -> None:
    price = targets.price()
    assert price is not None
    assert 1 < price < 2


def test_there_is_no_price_without_a_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_RESULTS", tmp_path)
    assert targets.price() is None


def test_burst_mode_stands_beside_the_default_with_its_price() -> None:
    rows = cells(burst.table(examples.result()))
    assert rows["messages"] == ["1.00", "0.02"]
    usual, less = (float(each) for each in rows["dollars per million steps"])
    # One message costs 1.20 for SQS and 0.20 for the invocation; 0.10 of compute is the same.
    assert usual == pytest.approx(0.625 + 0.25 + 1.2 + 0.2 + 0.1, abs=0.006)
    assert less == pytest.approx(0.625 + 0.0025 + 0.4 * 0.05 + 0.004 + 0.1, abs=0.006)
    assert rows["ms per step, p50, one long run, memory"] == ["0.5", "-"]


def test_every_picture_is_well_formed_and_names_every_engine() -> None:
    pictures = charts.all_of(examples.result())
    assert set(pictures) == {"throughput", "processor", "growth"}
    for picture in pictures.values():
        drawn = ET.fromstring(picture)  # noqa: S314 - written just now
        words = {each.text for each in drawn.iter() if each.text}
        assert {"Everstep Memory", "Aws Durable"} <= words


def test_there_is_no_picture_without_figures() -> None:
    assert charts.all_of({**examples.result(), "engines": []}) == {}


def test_names_at_the_ends_of_lines_do_not_lie_on_one_another() -> None:
    same = [svg.Line(name=f"line {n}", values=(1, 2, 3), own=n == 0) for n in range(9)]
    picture = svg.lines("title", "below", ["a", "b", "c"], same)
    heights = [float(y) for y in re.findall(r'y="([\d.]+)"[^>]*>line \d', picture)]
    assert len(heights) == 9
    apart = [after - before for before, after in itertools.pairwise(heights)]
    assert min(apart) >= 15


def test_the_page_shows_the_newest_result_and_nothing_older() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.filled(text, page.result()) == text


def test_the_pictures_are_those_of_the_newest_result() -> None:
    for name, picture in charts.all_of(page.result()).items():
        assert (page.PICTURES / f"{name}.svg").read_text(encoding="utf-8") == picture


def test_every_table_is_on_the_page_once() -> None:
    shown = re.findall(r"<!-- bench: ([a-z-]+) -->", page.PAGE.read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(["machine", *tables.all_of(examples.result())])


def test_a_table_that_there_is_not_is_refused() -> None:
    with pytest.raises(KeyError, match="another"):
        page.filled("<!-- bench: another -->\n<!-- end -->\n", examples.result())


def test_a_result_of_small_sizes_says_so() -> None:
    assert "Small sizes" not in page.machine(examples.result())
    assert "Small sizes" in page.machine({**examples.result(), "quick": True})


def test_a_result_that_was_interrupted_and_gone_on_with_says_so() -> None:
    assert "18 minutes.\n" in page.machine(examples.result())
    assert "18 minutes, in 2 sittings.\n" in page.machine({**examples.result(), "sittings": 2})


def test_the_newest_result_is_taken(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        results.newest(tmp_path)
    for day in ("2026-02-01", "2026-10-01", "2026-09-30"):
        (tmp_path / f"{day}-bench.json").touch()
    assert results.newest(tmp_path).name == "2026-10-01-bench.json"


def test_a_reason_names_no_path_address_or_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "secret-host")
    text = (
        "uv: cannot read\n /home/somebody/x.txt from https://mirror.example/simple on secret-host"
    )
    assert facts.scrubbed(text) == "uv: cannot read … from … on …"


def test_the_machine_is_described_without_its_name() -> None:
    found = facts.machine()
    assert set(found) == {"cores", "cpu", "memory_gb", "system", "python", "load"}
    assert found["cores"] >= 1


def test_a_fact_that_is_nowhere_is_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "cpuinfo"
    empty.touch()
    assert facts._field(str(empty), "model name") == "0"
