"""The script: version, help, errors as one line, exit codes, what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from everstep import cli
from everstep.cli import root
from tests.unit.cli.typed import Seen, Verifier, report, session, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.app.verify import RunReport
    from everstep.cli.session import Session

ROOT: Final = Path(__file__).parents[3]
ENVIRONMENT: Final = {**os.environ, "PYTHONPATH": str(ROOT / "layers/engine/python")}


def python(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        env=ENVIRONMENT | environment,
    )


def test_the_version_is_that_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root, "version", lambda name: f"1.2.3 of {name}")
    assert typed("--version") == Seen(code=0, out="everstep 1.2.3 of everstep\n", err="")


def test_a_folder_that_was_never_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(root, "version", nobody)
    assert typed("--version").out == "everstep (not installed as a package)\n"


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_the_commands(arguments: tuple[str, ...]) -> None:
    seen = typed(*arguments)
    assert (seen.code, seen.err) == (0, "")
    assert "Usage: everstep [OPTIONS] COMMAND" in seen.out
    assert "Find workflow code that would not survive a replay." in seen.out
    assert "Say why a run does not move" in seen.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("chek",), "no such command 'chek'. Did you mean 'check'?; everstep --help"),
        (("check",), "missing argument 'TARGET...'; everstep check --help"),
        (("doctor", "--tabel", "t"), "no such option: --tabel (Possible options: --help, --table)"),
        (("doctor", "--run"), "option '--run' requires an argument; everstep --help"),
    ],
)
def test_what_was_typed_wrongly_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], says: str
) -> None:
    seen = typed(*arguments)
    assert (seen.code, seen.out, seen.err.count("\n")) == (2, "", 1)
    assert seen.err.startswith(f"error: {says}")


def raising(error: BaseException) -> Iterator[RunReport]:
    yield report("run-1", "a_rule")
    raise error


def broken() -> Session:
    return session(Verifier(raising(ZeroDivisionError("one\ntwo"))))


def test_an_error_that_nobody_foresaw_is_one_line_too() -> None:
    seen = typed("doctor", "--check", by=broken())
    assert seen.code == 1
    assert seen.err.splitlines()[-1] == (
        "error: unexpected ZeroDivisionError: one two; everstep --debug … shows where"
    )
    assert "Traceback" not in seen.err


def test_debug_shows_the_traceback_before_the_line() -> None:
    seen = typed("--debug", "doctor", "--check", by=broken())
    assert seen.code == 1
    assert "Traceback (most recent call last)" in seen.err
    assert "in raising" in seen.err
    assert seen.err.splitlines()[-1].startswith("error: unexpected ZeroDivisionError")


def test_control_c_ends_with_the_code_that_shells_know() -> None:
    seen = typed("doctor", "--check", by=session(Verifier(raising(KeyboardInterrupt()))))
    assert seen.code == 130
    assert "Traceback" not in seen.err


def test_the_script_ends_with_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["doctor"])
    assert end.value.code == 2
    monkeypatch.setattr(sys, "argv", ["everstep", "--version"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("everstep ")


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_the_script_says_how_to_install_it(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [each for each in sys.modules if each.startswith("everstep.cli.")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [each for each in sys.modules if each.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        f"error: the command line needs {missing}, which is not installed: "
        'pip install "everstep[cli]"\n'
    )


def test_another_module_that_is_missing_is_not_mistaken_for_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "everstep.cli.root")
    monkeypatch.setitem(sys.modules, "everstep.cli.failures", None)
    with pytest.raises(ModuleNotFoundError, match=r"everstep\.cli\.failures"):
        cli.main(["--version"])


def test_the_package_and_its_functions_do_without_the_extra() -> None:
    script = (
        "import sys; sys.modules.update(typer=None, rich=None)\n"
        "import everstep, everstep.wiring, everstep.testing, everstep.batch, everstep.cli\n"
        "import everstep.http.api, everstep.http.trigger"
    )
    assert python(script).stderr == ""


def test_the_layer_ships_nothing_of_the_extra() -> None:
    shipped = (ROOT / "layers/engine/requirements.txt").read_text(encoding="utf-8")
    assert [name for name in ("typer", "rich", "shellingham") if f"\n{name}==" in shipped] == []


def test_the_shell_is_told_what_it_can_complete() -> None:
    asked = {"_EVERSTEP_COMPLETE": "complete_bash", "COMP_WORDS": "everstep ", "COMP_CWORD": "1"}
    seen = python("from everstep.cli import main; main([])", **asked)
    assert {"check", "doctor", "trigger", "runs"} <= set(seen.stdout.split())
