"""`everstep init`: which projects it makes, and what it refuses to make."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from everstep.cli.project import DEPLOYMENT, FILES, Project, ProjectError
from tests.cloudformation import ROOT
from tests.unit.cli.typed import typed

ENGINE = ROOT / "layers" / "engine" / "python"
LIB = "layers/workflows/python"


def made(folder: Path, *options: str) -> Path:
    seen = typed("init", "order-desk", "--directory", str(folder), *options)
    assert (seen.code, seen.err) == (0, "")
    return folder / "order-desk"


def run(project: Path, *command: str) -> str:
    """Run one of this environment's tools in the project, with this everstep."""
    environment = {**os.environ, "PYTHONPATH": f"{ENGINE}{os.pathsep}{project / LIB}"}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return made(tmp_path, "--everstep", "everstep==9.9.9")


def test_a_project_has_a_workflow_tests_and_the_deployment(project: Path) -> None:
    for name in (
        ".gitignore",
        "Makefile",
        "README.md",
        "pyproject.toml",
        "requirements-dev.txt",
        "tests/test_greeting.py",
        f"{LIB}/order_desk/greeting.py",
        "layers/engine/Makefile",
        *DEPLOYMENT,
    ):
        assert (project / name).exists(), name
    assert os.access(project / "tools/find_python.sh", os.X_OK)


def test_no_placeholder_is_left(project: Path) -> None:
    left = [
        path
        for path in project.rglob("*")
        if path.is_file()
        and any(
            f"@{name}@" in path.read_text("utf-8")
            for name in ("NAME", "PACKAGE", "EVERSTEP", "REQUIREMENT", "VERSION")
        )
    ]
    assert left == []


def test_the_template_is_everstep_s_but_for_the_package(project: Path) -> None:
    ours = (ROOT / "template.yaml").read_text("utf-8").splitlines()
    theirs = (project / "template.yaml").read_text("utf-8").splitlines()
    changed = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    assert changed == [("    Default: workflows", "    Default: order_desk")]


def test_the_project_names_the_everstep_that_it_was_told(project: Path) -> None:
    assert (project / "layers/engine/everstep.txt").read_text("utf-8") == "everstep==9.9.9\n"
    wanted = (project / "requirements-dev.txt").read_text("utf-8").splitlines()
    assert wanted[0] == "everstep[cli,client,testing]==9.9.9"


def test_without_being_told_it_names_this_version(tmp_path: Path) -> None:
    version = importlib.metadata.version("everstep")
    project = made(tmp_path)
    named = (project / "layers/engine/everstep.txt").read_text("utf-8")
    assert named == f"everstep=={version}\n"


def test_a_wheel_is_named_by_its_whole_path(tmp_path: Path) -> None:
    wheel = tmp_path / "everstep-9.9.9-py3-none-any.whl"
    wheel.touch()
    project = made(tmp_path, "--everstep", str(wheel))
    assert (project / "layers/engine/everstep.txt").read_text("utf-8") == f"{wheel}\n"
    wanted = (project / "requirements-dev.txt").read_text("utf-8").splitlines()
    assert wanted[0] == f"everstep[cli,client,testing] @ {wheel.as_uri()}"


@pytest.mark.parametrize(
    "name",
    ["Order", "order_desk", "9lives", "order--desk", "-x", "x" * 41, "json", "tests", "class"],
)
def test_a_name_that_does_not_do_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str
) -> None:
    seen = typed("init", "--directory", str(tmp_path), "--everstep", "everstep==1", "--", name)
    assert seen.code == 2
    assert "cannot be the name of a project" in seen.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "order-desk").mkdir()
    (tmp_path / "order-desk" / "mine.txt").touch()
    seen = typed("init", "order-desk", "--directory", str(tmp_path))
    assert seen.code == 2
    assert "exists and is not empty: nothing was written" in seen.err
    assert [path.name for path in (tmp_path / "order-desk").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("source", "said"),
    [(".", "is a folder: make a wheel"), ("x.whl", "there is no wheel"), ("flask", "is neither")],
)
def test_what_pip_could_not_install_into_the_layer_is_refused(
    tmp_path: Path, source: str, said: str
) -> None:
    seen = typed("init", "order-desk", "--directory", str(tmp_path), "--everstep", source)
    assert seen.code == 2
    assert said in seen.err


def test_an_installation_without_the_deployment_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("everstep.cli.project._CHECKOUT", tmp_path)
    seen = typed("init", "order-desk", "--directory", str(tmp_path))
    assert seen.code == 2
    assert "install its wheel" in seen.err


def test_a_project_cannot_be_named_badly_by_a_program_either() -> None:
    with pytest.raises(ProjectError, match="order-desk"):
        Project(name="Order Desk", everstep="everstep", version="1")


@pytest.mark.slow
@pytest.mark.network
def test_a_project_passes_its_own_checks_and_tests(project: Path) -> None:
    run(project, "ruff", "check", ".")
    run(project, "ruff", "format", "--check", ".")
    run(project, "mypy")
    assert "0 findings" in run(project, "everstep.cli", "check", LIB)
    assert "3 passed" in run(project, "pytest", "-q", "-p", "no:cacheprovider")
    assert "COMPLETED" in run(project, "order_desk")
    lint = Path(sys.executable).with_name("cfn-lint")
    subprocess.run([lint, "template.yaml"], cwd=project, check=True)


@pytest.mark.slow
def test_a_wheel_brings_all_that_a_project_is_made_of(tmp_path: Path) -> None:
    run(ROOT, "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    base = "everstep/cli/project"
    for file in (path for path in FILES.rglob("*") if path.is_file()):
        assert f"{base}/files/{file.relative_to(FILES).as_posix()}" in names
    for name in DEPLOYMENT:
        files = {path.relative_to(ROOT).as_posix() for path in (ROOT / name).rglob("*.py")}
        for each in files or {name}:
            assert f"{base}/deployment/{each}" in names
    assert not [name for name in names if "__pycache__" in name]
