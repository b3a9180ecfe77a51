"""Every error on the command line says what is missing and how to mend it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from everstep_localstack.cli import main
from everstep_localstack.instance import HOME_VARIABLE, Folders, Record

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use an empty state folder."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    return tmp_path


def _install(home: Path, name: str) -> None:
    folder = home / "venvs" / name / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)


def test_a_missing_environment_is_told_with_its_make_target(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["start"]) == 1
    assert "run `make venv-localstack` first" in capsys.readouterr().err

    _install(home, "localstack")

    assert main(["start"]) == 1
    assert "run `make venv-functions` first" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["wait"], ["deploy"], ["outputs"], ["teardown"], ["logs", "--function", "f"]]
)
def test_what_needs_a_running_instance_says_how_to_start_it(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--instance", "mine"]) == 1

    assert "start --instance mine" in capsys.readouterr().err


def test_stop_and_status_of_nothing_are_no_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stop"]) == 0
    assert main(["status"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "LocalStack 'default' was not running",
        "LocalStack 'default' is not running",
    ]


def test_a_record_of_a_process_that_has_ended_is_no_instance(
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = Folders.of("default")
    folders.root.mkdir(parents=True)
    # This process, but not with this start time.
    Record(pid=os.getpid(), started=0, port=4566, description="").save(folders.record)

    assert main(["status"]) == 0
    assert main(["stop"]) == 0

    assert "is not running" in capsys.readouterr().out
    assert not folders.record.exists()


@pytest.mark.parametrize("pair", ["Stage", "=prod"])
def test_a_parameter_without_name_or_value_is_refused(
    pair: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["deploy", "--parameter", pair])

    assert "expected NAME=VALUE" in capsys.readouterr().err


def test_logs_prints_the_end_of_localstacks_log(capsys: pytest.CaptureFixture[str]) -> None:
    folders = Folders.of("default")
    folders.root.mkdir(parents=True)
    folders.log.write_text("one\ntwo\nthree\n", encoding="utf-8")

    assert main(["logs", "--lines", "2"]) == 0

    assert capsys.readouterr().out == "two\nthree\n"
