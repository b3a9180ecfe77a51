"""Starts are measured in fresh processes, of what was built of this tree."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import cold_start
from bench.cold_start import measure, profile, table
from bench.starts import artifact as artifacts
from bench.starts.artifact import FUNCTIONS, artifact
from bench.starts.process import SDK, by_package, own_times, start

MEASURED: dict[str, Any] = {
    "functions": {
        "trigger": {
            "cpu_ms": 12.4,
            "wall_ms": 19.6,
            "modules": 15,
            "packages": [
                {"package": f"p{at}", "modules": 1, "own_ms": 20.0 - at} for at in range(15)
            ],
        }
    }
}


@pytest.fixture
def fake_build(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Let builds be folders with handlers that import little; give the folders."""
    folders: list[Path] = []

    def make(source: Path, _makefile: str, target: Path, settings: dict[str, str]) -> None:
        assert settings["RUNTIME"].startswith("python3.")
        target.mkdir(parents=True)
        if target.name in FUNCTIONS.values():
            (target / "handler.py").write_text("import wave\n")
        assert source.is_dir()
        folders.append(target)

    monkeypatch.setattr(artifacts, "_make", make)
    monkeypatch.setattr(artifacts, "BUILT", Path("/nonexistent"))
    return folders


def test_what_was_not_built_is_built_as_sam_builds_it(
    fake_build: list[Path], tmp_path: Path
) -> None:
    made = artifact(tmp_path)
    assert {each.name for each in fake_build} == {"EngineLayer", *FUNCTIONS.values()}
    assert made.interpreter == Path(sys.executable)
    for place in made.path("trigger")[2:]:
        assert list(Path(place).rglob("*.pyc"))


@pytest.mark.usefixtures("fake_build")
def test_a_start_tells_its_times_and_what_it_loads(tmp_path: Path) -> None:
    made = artifact(tmp_path)
    started = start(made, "trigger")
    assert 0 < started["cpu_ms"] < 5_000
    assert 0 < started["wall_ms"] < 50_000
    assert "wave" in started["modules"]
    assert "handler" not in started["modules"]
    assert own_times(made, "trigger")["wave"] >= 0


@pytest.mark.usefixtures("fake_build")
def test_every_function_is_measured() -> None:
    measured = measure(2)
    assert set(measured["functions"]) == {*FUNCTIONS, SDK}
    assert "botocore" in {each["package"] for each in measured["functions"][SDK]["packages"]}
    found = measured["functions"]["sweeper"]
    assert found["modules"] >= 1
    assert {"package": "wave", "modules": 1} in [
        {"package": each["package"], "modules": each["modules"]} for each in found["packages"]
    ]


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give what was built of this tree, its byte code being empty files."""
    folder = tmp_path / "build"
    for name, title in FUNCTIONS.items():
        shutil.copytree(artifacts.ROOT / "functions" / name, folder / title)
    engine = folder / "EngineLayer" / "python"
    shutil.copytree(artifacts.ROOT / "layers/engine/python", engine)
    for path in folder.rglob("*.py"):
        code = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
        code.parent.mkdir(exist_ok=True)
        code.touch()
    monkeypatch.setattr(artifacts, "BUILT", folder)
    return folder


def test_what_was_built_of_this_tree_is_taken(built: Path, tmp_path: Path) -> None:
    assert artifact(tmp_path).built == built


@pytest.mark.parametrize(
    "spoilt",
    ["EngineLayer/python/everstep/wiring.py", "TriggerFunction/handler.py"],
)
def test_what_was_built_of_other_code_is_built_anew(
    built: Path,
    fake_build: list[Path],
    tmp_path: Path,
    spoilt: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(artifacts, "BUILT", built)
    (built / spoilt).write_text("changed = True\n")
    assert artifact(tmp_path / "new").built == tmp_path / "new" / "built"
    assert fake_build


def test_what_was_built_without_byte_code_is_built_anew(
    built: Path, fake_build: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "BUILT", built)
    shutil.rmtree(built / "ApiFunction" / "__pycache__")
    assert artifact(tmp_path / "new").built != built
    assert fake_build


def test_modules_are_grouped_by_package_and_the_engine_by_its_parts() -> None:
    names = ["botocore.auth", "botocore", "everstep.core.ids", "everstep.core", "everstep"]
    assert {name: len(each) for name, each in by_package(names).items()} == {
        "botocore": 2,
        "everstep.core": 2,
        "everstep": 1,
    }


def test_the_tables_say_the_best_times_and_add_up_what_they_leave_out() -> None:
    assert list(table(MEASURED))[2] == "| trigger | 12 | 20 | 15 |"
    lines = list(profile(MEASURED, "trigger"))
    assert lines[2] == "| `p0` | 1 | 20.0 |"
    assert lines[-1] == "| 3 others | 3 | 21.0 |"


def test_the_command_prints_the_table_and_writes_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[int, str | None]] = []

    def measured(rounds: int, *, version: str | None) -> dict[str, Any]:
        asked.append((rounds, version))
        return MEASURED

    written = tmp_path / "starts.json"
    monkeypatch.setattr(cold_start, "measure", measured)
    arguments = ["cold_start", "--rounds", "3", "--profile", "--json", str(written)]
    monkeypatch.setattr(sys, "argv", arguments)
    cold_start.main()
    printed = capsys.readouterr().out
    assert "| trigger | 12 |" in printed
    assert "| `p0` |" in printed
    assert '"cpu_ms": 12.4' in written.read_text()
    assert asked == [(3, None)]
