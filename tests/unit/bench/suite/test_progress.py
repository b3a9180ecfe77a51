"""A bench that was interrupted keeps what it has, and is gone on with where that makes sense."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from bench.peers.protocol import Item
from bench.suite import main, postgres, progress, session, watching
from bench.suite.children import Script
from bench.suite.engines import Engine, Ground
from bench.suite.session import Session, Wanted
from tests.unit.bench.suite import examples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from everstep_localstack import Options

ABOUT: Final = {"day": "2026-01-31", "commit": "abc", "machine": "here", "command": "make bench"}
STEPS: Final = """
import json, sys, time
task = json.load(open(sys.argv[1]))
def ask(**what):
    print(json.dumps(what), flush=True)
    sys.stdin.readline()
print(json.dumps({"event": "ready", "versions": {}}), flush=True)
for item in task["items"]:
    ask(event="begin", item=item["number"])
    with open(item["marks"], "w") as file:
        for run in range(item["runs"]):
            for number in range(item["steps"]):
                file.write(f"{run} {number} {time.monotonic_ns()}\\n")
    ask(event="end", item=item["number"], seconds=1)
"""


def engine(name: str, script: Callable[[Ground], Script]) -> Engine:
    return Engine(name=name, title=name, keeps="nowhere", baseline=name, script=script)


def calling(code: str) -> Callable[[Ground], Script]:
    return lambda ground: Script(command=[sys.executable, "-c", code], folder=ground.folder)


def interrupting(_: Ground) -> Script:
    raise KeyboardInterrupt


def wanted(*engines: Engine, limit: float = 1) -> Wanted:
    return Wanted(engines=engines, workloads=("W1",), quick=True, limit=limit)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have `make bench` use a folder of the test, and measure little of Everstep by itself."""
    alone = {name: examples.result()[name] for name in ("counted", "cpu", "cold_start")}
    monkeypatch.setattr(main, "HOME", tmp_path)
    monkeypatch.setattr(main, "_alone_measured", lambda **_: alone)
    return tmp_path


def call(
    home: Path, monkeypatch: pytest.MonkeyPatch, engines: tuple[Engine, ...], *arguments: str
) -> tuple[int, Path]:
    monkeypatch.setattr(main, "chosen", lambda _: engines)
    written = home / "result.json"
    return main.main(
        ["--workloads", "W1", "--quick", "--output", str(written), *arguments]
    ), written


def test_an_interrupted_bench_keeps_what_it_has_and_plays_only_the_rest_when_resumed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = engine("a", calling(STEPS)), engine("b", interrupting)
    assert call(home, monkeypatch, (first, second)) == (130, home / "result.json")
    assert not (home / "result.json").exists()
    told = capsys.readouterr().out
    assert "1 of 2 engines are kept" in told
    assert 'make bench BENCH="--workloads W1 --quick --resume"' in told
    kept = json.loads((home / "unfinished.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in kept["engines"]] == ["a"]

    not_again, now = replace(first, script=interrupting), replace(second, script=calling(STEPS))
    code, written = call(home, monkeypatch, (not_again, now), "--resume")
    assert code == 0
    assert "going on after 1 engines" in capsys.readouterr().out
    result = json.loads(written.read_text(encoding="utf-8"))
    assert result["sittings"] == 2
    figures = {each["name"]: each["workloads"]["W1"]["figures"] for each in result["engines"]}
    assert list(figures) == ["a", "b"]
    assert not (home / "unfinished.json").exists()


def test_what_could_not_be_measured_is_tried_again_and_keeps_its_place(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dies, breaks = engine("a", calling("raise SystemExit('no')")), engine("c", interrupting)
    assert call(home, monkeypatch, (dies, engine("b", calling(STEPS)), breaks))[0] == 130
    assert "1 of 3 engines are kept" in capsys.readouterr().out
    mended = tuple(engine(name, calling(STEPS)) for name in "abc")
    code, written = call(home, monkeypatch, mended, "--resume")
    assert code == 0
    result = json.loads(written.read_text(encoding="utf-8"))
    assert [each["name"] for each in result["engines"]] == ["a", "b", "c"]
    assert all("workloads" in each for each in result["engines"])
    assert not list(home.glob("*.draft"))


def test_a_bench_that_is_not_resumed_is_begun_anew_and_says_what_it_leaves(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.begun(home / "unfinished.json", ABOUT).keep({"name": "a", "workloads": {}})
    assert call(home, monkeypatch, (engine("a", interrupting),))[0] == 130
    told = capsys.readouterr().out
    assert "starting anew: BENCH=--resume would have gone on" in told
    assert "interrupted before any engine was through" in told


def test_there_is_nothing_to_go_on_with_before_anything_was_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, monkeypatch, (engine("a", calling(STEPS)),), "--resume")[0] == 0
    told = capsys.readouterr().out
    assert "starting anew: no interrupted bench was kept" in told
    assert not (home / "unfinished.json").exists()


@pytest.mark.parametrize(
    ("differs", "why"),
    [
        ("day", "on another day"),
        ("commit", "the code is not the same"),
        ("machine", "on another machine"),
        ("command", "with other options"),
    ],
)
def test_only_the_same_day_code_machine_and_options_are_gone_on_with(
    differs: str, why: str, tmp_path: Path
) -> None:
    path = tmp_path / "unfinished.json"
    progress.begun(path, ABOUT).keep({"name": "a", "workloads": {}})
    found = progress.taken_up(path, ABOUT)
    assert isinstance(found, progress.Progress)
    assert (found.through(), found.sittings) == ({"a"}, 2)
    other = progress.taken_up(path, {**ABOUT, differs: "another"})
    assert isinstance(other, str)
    assert why in other


def test_circumstances_are_the_same_when_asked_twice_and_know_no_name() -> None:
    found = progress.circumstances("2026-01-31", "make bench")
    assert found == progress.circumstances("2026-01-31", "make bench")
    assert set(found) == set(ABOUT)
    assert os.uname().nodename not in json.dumps(found)


def test_without_git_the_code_is_taken_to_be_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    nothing = progress.circumstances("2026-01-31", "make bench")["commit"]
    assert nothing == progress.circumstances("2026-01-31", "make bench")["commit"]
    assert nothing.startswith(" ")


def test_an_engine_that_hangs_is_ended_and_the_next_one_is_played(tmp_path: Path) -> None:
    said: list[str] = []
    engines = engine("a", calling("import time; time.sleep(600)")), engine("b", calling(STEPS))
    found = list(Session(wanted(*engines, limit=0.05), tmp_path, said.append).measure())
    assert found[0]["reason"] == "did not finish in 0.05 min"
    assert "    not measured: did not finish in 0.05 min" in said
    assert "figures" in found[1]["workloads"]["W1"]


def test_what_a_killed_session_has_left_is_ended_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "running" / "a"
    folder.mkdir(parents=True)
    data = tmp_path / f"{postgres._PREFIX}left"
    data.mkdir()
    (tmp_path / "postgres").write_text(str(data), encoding="utf-8")
    left = [
        subprocess.Popen(["/bin/sleep", "600"], env={watching.VARIABLE: str(mark)})
        for mark in (folder, data)
    ]
    assert list(Session(wanted(), tmp_path, lambda _: None).measure()) == []
    assert [each.wait() for each in left] == [-signal.SIGKILL] * 2
    assert not data.exists()
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_does_not_interrupt_the_end(which: signal.Signals) -> None:
    before = signal.getsignal(which)
    with main._ending_on_signals():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(which)
        signal.raise_signal(which)
    assert signal.getsignal(which) == before


class Fake:
    """A LocalStack of which only the record is there."""

    stopped: Final[list[str]] = []
    runs = False

    def __init__(self, options: Options) -> None:
        self._options = options

    def status(self) -> object:
        return "it runs" if self.runs else None

    def stop(self) -> None:
        self.stopped.append(self._options.instance)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[Fake]:
    """Have sessions use a LocalStack that is none."""
    monkeypatch.setattr(session, "LocalStack", Fake)
    monkeypatch.setattr(Fake, "stopped", [])
    return Fake


def test_a_localstack_is_stopped_after_its_script(fake: type[Fake], tmp_path: Path) -> None:
    deployed = replace(engine("a", calling(STEPS)), deployed=True)
    (found,) = Session(wanted(deployed), tmp_path, lambda _: None).measure()
    assert set(found["versions"]) == {"localstack"}
    assert fake.stopped == ["bench"]


def test_somebody_elses_localstack_is_left_alone(
    fake: type[Fake], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "runs", True)
    deployed = replace(engine("a", calling(STEPS)), deployed=True)
    (found,) = Session(wanted(deployed), tmp_path, lambda _: None).measure()
    assert found["reason"] == "instance bench of LocalStack runs already"
    assert fake.stopped == []


def test_an_engine_plays_only_the_workloads_that_it_has(tmp_path: Path) -> None:
    only = replace(engine("a", calling(STEPS)), workloads=("W2",))
    asked = replace(wanted(only), workloads=("W1", "W2"))
    (found,) = Session(asked, tmp_path, lambda _: None).measure()
    assert list(found["workloads"]) == ["W2"]
    assert Item(**{"number": 0, "workload": "W2", **found["workloads"]["W2"]["size"]}).steps == 50
