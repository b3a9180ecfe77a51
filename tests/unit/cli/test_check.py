"""``everstep check``: findings as lines or JSON, chosen by rule, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.unit.cli.typed import Seen, typed

ROOT: Final = Path(__file__).parents[3]
MISTAKEN: Final = """\
import random
from datetime import datetime

from everstep import Context, workflow


@workflow(name="late")
async def late(ctx: Context) -> str:
    return f"{datetime.now()} {random.random()}"
"""
RIGHT: Final = MISTAKEN.replace("datetime.now()", "ctx.now()").replace(
    "random.random()", "ctx.random()"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a package ``shop`` of two files, one of them mistaken."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "late.py").write_text(MISTAKEN, encoding="utf-8")
    (tmp_path / "shop" / "right.py").write_text(RIGHT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str) -> Seen:
    return typed("check", *arguments)


def test_each_finding_is_a_line_and_the_last_line_counts_them() -> None:
    seen = check("shop")
    assert (seen.code, seen.err) == (1, "")
    first, second, last = seen.out.splitlines()
    assert first.startswith("shop/late.py:9:15: EVS101 ")
    assert second.startswith("shop/late.py:9:32: EVS102 ")
    assert last == "2 findings in 2 files (2 workflows, 0 steps)"


def test_without_findings_it_ends_with_0() -> None:
    assert check("shop/right.py") == Seen(
        code=0, out="0 findings in 1 file (1 workflow, 0 steps)\n", err=""
    )


def test_a_module_is_found_by_its_name_and_a_file_counts_once() -> None:
    seen = check("shop.late", "shop/late.py", "shop")
    assert seen.out.splitlines()[-1] == "2 findings in 2 files (2 workflows, 0 steps)"


def test_json_is_an_array_and_nothing_else() -> None:
    seen = check("shop", "--json", "--select", "EVS101")
    (finding,) = json.loads(seen.out)
    assert (seen.code, seen.err) == (1, "")
    assert finding.pop("message")
    assert finding.pop("mend")
    assert finding == {"path": "shop/late.py", "line": 9, "column": 15, "code": "EVS101"}
    assert check("shop/right.py", "--json") == Seen(code=0, out="[]\n", err="")


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (("--select", "EVS101"), ["EVS101"]),
        (("--select", "evs102, EVS201"), ["EVS102"]),
        (("--select", "EVS101", "--select", "EVS102"), ["EVS101", "EVS102"]),
        (("--ignore", "EVS101"), ["EVS102"]),
        (("--select", "EVS1", "--ignore", "EVS102"), ["EVS101"]),
        (("--ignore", "EVS"), []),
        (("--select", "EVS101,"), ["EVS101"]),
    ],
)
def test_rules_are_chosen_by_code_or_by_how_their_codes_begin(
    arguments: tuple[str, ...], codes: list[str]
) -> None:
    seen = check("shop", "--json", *arguments)
    assert [each["code"] for each in json.loads(seen.out)] == codes
    assert seen.code == bool(codes)


@pytest.mark.parametrize("codes", ["EVS999", "X", "EVS101,X", "", ","])
def test_a_rule_that_does_not_exist_is_told_which_do(codes: str) -> None:
    seen = check("shop", "--select", codes)
    assert (seen.code, seen.out) == (2, "")
    assert "; there are EVS001, EVS101, " in seen.err


def test_a_file_that_cannot_be_read_is_no_matter_of_choice(folder: Path) -> None:
    (folder / "broken.py").write_text("def (:", encoding="utf-8")
    assert check("broken.py", "--select", "EVS101").code == 1
    assert check("broken.py", "--select", "EVS101", "--ignore", "EVS001").code == 0


def test_a_file_counts_once_however_it_is_named(folder: Path) -> None:
    (folder / "shop" / "again").symlink_to(folder / "shop")
    (folder / "link.py").symlink_to(folder / "shop" / "late.py")
    seen = check("shop/late.py", str(folder / "shop" / "late.py"), "link.py", "shop")
    assert seen.out.splitlines()[-1] == "2 findings in 2 files (2 workflows, 0 steps)"


def test_it_says_so_where_no_workflow_was_found(folder: Path) -> None:
    (folder / "other.py").write_text("from app import workflow\n", encoding="utf-8")
    note, last = check("other.py").out.splitlines()
    assert note.startswith("no workflow was found here: ")
    assert last == "0 findings in 1 file (0 workflows, 0 steps)"
    assert check("other.py", "--json").out == "[]\n"


def test_a_target_that_does_not_exist_is_named() -> None:
    seen = check("shop", "shop.nowhere")
    assert (seen.code, seen.out, seen.err.count("\n")) == (2, "", 1)
    assert seen.err.startswith("error: 'shop.nowhere' is neither")


def test_a_reader_that_goes_away_is_no_error(folder: Path) -> None:
    for number in range(50):
        (folder / "shop" / f"late_{number}.py").write_text(MISTAKEN, encoding="utf-8")
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-c", "from everstep.cli import main; main(['check', 'shop'])"],
        check=False,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "layers/engine/python")},
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, "")
