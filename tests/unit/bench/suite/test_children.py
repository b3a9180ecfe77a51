"""A script is watched from outside, and nothing of it is left behind."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from bench.layer import ROOT
from bench.peers.protocol import Item
from bench.suite import children, watching

if TYPE_CHECKING:
    from pathlib import Path

    from bench.suite.children import Report

ITEM: Final = Item(number=0, workload="W1", shape="sequence", runs=1, steps=1)
TELL: Final = """
import json, subprocess, sys, time
def tell(**what):
    print(json.dumps(what).replace('{"event"', '{"event"'), flush=True)
def ask(**what):
    tell(**what)
    sys.stdin.readline()
"""
READY: Final = 'tell(event="ready", versions={"thing": "1"})\n'


def played(
    folder: Path, script: str, *items: Item, seconds: float = 20, emulated: bool = False
) -> tuple[Report, list[str]]:
    path, said = folder / "script.py", list[str]()
    path.write_text(TELL + script, encoding="utf-8")
    command = [sys.executable, str(path)]
    script_of = children.Script(command=command, folder=ROOT, emulated=emulated)
    return children.play(script_of, items or [ITEM], folder, seconds, said.append), said


def test_what_a_script_tells_is_reported_with_the_processor_time_of_the_item(
    tmp_path: Path,
) -> None:
    busy = "began = time.process_time()\nwhile time.process_time() - began < 0.1: pass\n"
    script = f'{READY}ask(event="begin", item=0)\n{busy}ask(event="end", item=0, seconds=2.5)'
    report, said = played(tmp_path, script)
    assert report.versions == {"thing": "1"}
    (found,) = report.played
    assert (found.item, found.seconds, found.reason) == (ITEM, 2.5, None)
    assert found.cpu is not None
    assert found.cpu >= 0.09
    assert said == ["W1 (1 x 1): 2.50 s"]


def test_processor_time_of_children_that_have_ended_counts(tmp_path: Path) -> None:
    busy = (
        "code = 'import time\\nwhile time.process_time() < 0.1: pass'\n"
        "subprocess.run([sys.executable, '-c', code], check=True)\n"
    )
    script = f'{READY}ask(event="begin", item=0)\n{busy}ask(event="end", item=0, seconds=1)'
    report, _ = played(tmp_path, script)
    assert report.played[0].cpu is not None
    assert report.played[0].cpu >= 0.09


def test_processor_time_of_an_emulator_is_left_out(tmp_path: Path) -> None:
    script = f'{READY}ask(event="begin", item=0)\nask(event="end", item=0, seconds=1)'
    report, _ = played(tmp_path, script, emulated=True)
    assert [(each.cpu, each.seconds) for each in report.played] == [(None, 1)]


def test_what_failed_is_reported_and_the_script_goes_on(tmp_path: Path) -> None:
    script = f'{READY}ask(event="begin", item=0)\nask(event="failed", item=0, reason="too hot")'
    report, said = played(tmp_path, script)
    assert [(each.reason, each.cpu) for each in report.played] == [("too hot", None)]
    assert said == ["W1 (1 x 1): too hot"]


def test_a_script_that_dies_leaves_the_item_without_a_result(tmp_path: Path) -> None:
    report, _ = played(tmp_path, f'{READY}ask(event="begin", item=0)\nsys.exit(1)')
    assert [each.reason for each in report.played] == ["the script ended"]


def test_of_a_script_that_dies_all_that_comes_after_is_told_of_but_for_repetitions(
    tmp_path: Path,
) -> None:
    items = [replace(ITEM, number=n, workload=f"W{n}", again=n == 2) for n in range(4)]
    script = (
        f'{READY}ask(event="begin", item=0)\nask(event="end", item=0, seconds=1)\n'
        'ask(event="begin", item=1)\nsys.exit(1)'
    )
    report, said = played(tmp_path, script, *items)
    assert [(each.item.workload, each.reason) for each in report.played] == [
        ("W0", None),
        ("W1", "the script ended"),
        ("W3", "the script ended"),
    ]
    assert said[-1] == "W3 (1 x 1): the script ended"


def test_a_script_that_is_not_ready_in_time_says_that_and_nothing_of_it_is_left(
    tmp_path: Path,
) -> None:
    with pytest.raises(children.ChildError, match="did not finish in"):
        played(tmp_path, "time.sleep(600)", seconds=0.5)
    assert watching.usage([str(tmp_path)]) == watching.Usage(cpu=0, memory_mb=0)


def test_a_script_that_never_began_says_why_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(children.ChildError, match="LookupError: no heart"):
        played(tmp_path, 'raise LookupError("no heart")')


def test_a_script_without_words_is_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(children.ChildError, match="without a word"):
        played(tmp_path, "sys.exit(0)")


def test_a_script_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = (
        f"{READY}subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        'ask(event="begin", item=0)\ntime.sleep(600)'
    )
    report, _ = played(tmp_path, script, seconds=1)
    assert [each.reason for each in report.played] == ["did not finish in 0.017 min"]
    assert watching.usage([str(tmp_path)]) == watching.Usage(cpu=0, memory_mb=0)


def test_ending_what_there_is_not_is_nothing() -> None:
    assert watching.end(f"nobody-{os.getpid()}") == 0
