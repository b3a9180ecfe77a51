"""Scripts of peers read a task, tell what they do, and stop for whoever looks at them."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from bench.peers import protocol
from bench.peers.protocol import Item, Task
from bench.suite import plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ITEM: Final = Item(number=0, workload="W1", shape="sequence", runs=2, steps=3)


def told(
    capsys: pytest.CaptureFixture[str], task: Task, play: Callable[[Item], float | None]
) -> list[dict[str, Any]]:
    protocol.play_all(task, ["pytest"], play)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Answer every question at once."""
    lines = io.StringIO("\n" * 100)
    monkeypatch.setattr(sys, "stdin", lines)
    return lines


def task_of(folder: Path, *items: Item) -> Task:
    return Task(items=items, state=folder, options={})


def test_a_task_is_read_as_it_was_written(tmp_path: Path) -> None:
    items = plan.items(plan.QUICK, plan.TITLES, tmp_path)
    data = {"items": [plan.as_data(each) for each in items], "state": "x", "options": {"a": "b"}}
    path = tmp_path / "task.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    task = Task.read(str(path))
    assert (task.items, task.options) == (items, {"a": "b"})


def test_an_item_is_told_at_its_begin_and_end_and_each_time_an_answer_is_awaited(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: io.StringIO
) -> None:
    lines = told(capsys, task_of(tmp_path, ITEM), lambda _: 1.5)
    assert [each["event"] for each in lines] == ["ready", "begin", "end"]
    assert lines[-1]["seconds"] == 1.5
    assert answers.tell() == 2


def test_what_fails_is_told_and_the_next_item_is_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def play(item: Item) -> None:
        if item.number == 0:
            raise NotImplementedError("not here")

    lines = told(capsys, task_of(tmp_path, ITEM, replace(ITEM, number=1)), play)
    assert [each["event"] for each in lines] == ["ready", "begin", "failed", "begin", "end"]
    assert lines[2]["reason"] == "NotImplementedError: not here"


def test_what_took_long_or_failed_is_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "LONG_SECONDS", -1)
    again = replace(ITEM, number=1, again=True)
    lines = told(capsys, task_of(tmp_path, ITEM, again), lambda _: None)
    assert [each["event"] for each in lines] == ["ready", "begin", "end"]


def test_a_step_leaves_a_line_that_is_counted(tmp_path: Path) -> None:
    path = str(tmp_path / "marks.txt")
    assert protocol.count(path) == 0
    assert protocol.work(path, 3, 7) == 7
    assert protocol.count(path) == 1
    assert (tmp_path / "marks.txt").read_text(encoding="utf-8").startswith("3 7 ")


def test_only_many_sleeping_runs_are_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = replace(ITEM, workload="W3", shape="naps", marks=str(tmp_path / "marks.txt"))
    for run in range(2):
        protocol.mark(item.marks, run, 0)
    protocol.tell_when_asleep(item)
    protocol.tell_when_asleep(replace(item, workload="W2b"))
    assert json.loads(capsys.readouterr().out) == {"event": "asleep", "item": 0}


def test_runs_that_wake_before_all_are_asleep_are_not_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = replace(ITEM, workload="W3", marks=str(tmp_path / "marks.txt"))
    for number in range(3):
        protocol.mark(item.marks, 0, number)
    protocol.tell_when_asleep(item)
    assert capsys.readouterr().out == ""


def test_waiting_for_what_does_not_come_ends() -> None:
    with pytest.raises(TimeoutError, match="no bus after 0 s"):
        protocol.wait_for(lambda: False, 0, "no bus")
