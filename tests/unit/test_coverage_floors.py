"""The coverage floors: the core and the use cases fully, everything together almost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.coverage_floors import ENGINE, main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CORE = f"{ENGINE}/core/replay.py"
ADAPTER = f"{ENGINE}/adapters/sqs.py"


def report(folder: Path, **covered: int) -> Path:
    """Write a report in which each file has 100 lines, so many of them covered."""
    files = {
        path: {
            "summary": {
                "covered_lines": lines,
                "num_statements": 100,
                "covered_branches": 0,
                "num_branches": 0,
            },
            "missing_lines": list(range(lines, 100)),
            "missing_branches": [],
        }
        for path, lines in covered.items()
    }
    path = folder / "coverage.json"
    path.write_text(json.dumps({"files": files}), encoding="utf-8")
    return path


def test_full_coverage_passes(tmp_path: Path) -> None:
    assert main(report(tmp_path, **{CORE: 100, ADAPTER: 100})) == 0


def test_one_line_missing_in_the_core_fails_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(report(tmp_path, **{CORE: 99, ADAPTER: 100})) == 1
    assert f"{CORE}: 99\n" in capsys.readouterr().out


def test_missing_lines_are_named_as_ranges(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(report(tmp_path, **{CORE: 97}))
    assert f"{CORE}: 97-99\n" in capsys.readouterr().out


def test_a_branch_that_was_never_taken_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = report(tmp_path, **{CORE: 100})
    content = json.loads(path.read_text(encoding="utf-8"))
    content["files"][CORE]["summary"]["num_branches"] = 2
    content["files"][CORE]["missing_branches"] = [[7, 9], [7, -3]]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert main(path) == 1
    assert f"{CORE}: 7→9, 7→exit\n" in capsys.readouterr().out


def test_elsewhere_a_little_may_be_missing(tmp_path: Path) -> None:
    assert main(report(tmp_path, **{CORE: 100, ADAPTER: 90})) == 0


def test_elsewhere_too_much_missing_fails(tmp_path: Path) -> None:
    assert main(report(tmp_path, **{CORE: 100, ADAPTER: 89})) == 1
