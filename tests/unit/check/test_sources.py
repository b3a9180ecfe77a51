"""Files and modules to check: found without an import, read as Python reads them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from everstep.check import CheckTargetError, check_paths, find_sources
from everstep.core.errors import EverstepError

if TYPE_CHECKING:
    from collections.abc import Iterator

WRONG = "import time\nfrom everstep import workflow\n@workflow\nasync def shop(ctx): time.time()\n"
RAISES = "raise RuntimeError('imported')\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "app/__init__.py",
        "app/orders.py",
        "app/deep/below.py",
        "app/.hidden/a.py",
        "app/.hidden.py",
        "app/__pycache__/a.py",
        "app/venv/lib/a.py",
        "app/node_modules/a.py",
        "app/notes.txt",
        "single.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(RAISES, encoding="utf-8")
    (tmp_path / "app/venv/pyvenv.cfg").write_text("", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


ALL = [Path("app/__init__.py"), Path("app/deep/below.py"), Path("app/orders.py")]


@pytest.mark.parametrize(
    ("target", "files"),
    [
        ("app", ALL),
        ("app/orders.py", [Path("app/orders.py")]),
        ("app.orders", [Path("app/orders.py")]),
        ("app.deep", [Path("app/deep/below.py")]),
        ("single", [Path("single.py")]),
        ("app/notes.txt", [Path("app/notes.txt")]),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_path_or_a_module_name_gives_its_files_and_imports_nothing(
    target: str, files: list[Path]
) -> None:
    assert find_sources(target) == files
    assert not {"app", "app.orders", "single"} & set(sys.modules)


def test_modules_are_found_along_the_path_of_imports(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setattr(sys, "path", ["", "/nowhere/python.zip", str(project)])
    assert find_sources("app.orders") == [project / "app" / "orders.py"]


@pytest.mark.parametrize("target", ["app.missing", "missing/file.py", "not-a-name", "", "a..b"])
@pytest.mark.usefixtures("project")
def test_what_does_not_exist_is_refused_with_what_is_allowed(target: str) -> None:
    with pytest.raises(CheckTargetError) as refused:
        find_sources(target)
    assert isinstance(refused.value, EverstepError)
    assert repr(target) in str(refused.value)
    assert "file or folder nor the dotted name of a module" in str(refused.value)


@pytest.mark.usefixtures("project")
def test_a_folder_without_python_is_refused() -> None:
    with pytest.raises(CheckTargetError, match=r"'empty' is a folder without any Python file"):
        find_sources("empty")


@pytest.mark.usefixtures("project")
def test_files_are_checked_each_once_in_order() -> None:
    for name in ("app/orders.py", "app/deep/below.py", "app/.hidden/a.py", "single.py"):
        Path(name).write_text(WRONG, encoding="utf-8")
    found = check_paths([Path("single.py"), Path("app"), Path("app/orders.py")])
    assert [(each.path, each.line, each.code) for each in found] == [
        ("single.py", 4, "EVS101"),
        ("app/deep/below.py", 4, "EVS101"),
        ("app/orders.py", 4, "EVS101"),
    ]


def test_the_declared_encoding_is_heeded(tmp_path: Path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes(b"# coding: latin-1\nname = '\xe9'\n" + WRONG.encode())
    assert [each.line for each in check_paths([path])] == [6]


@pytest.mark.parametrize("content", [b"name = '\xe9'\n", b"# coding: no-such-coding\n"])
def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.py"
    path.write_bytes(content)
    (finding,) = check_paths([path])
    assert (finding.path, finding.line, finding.code) == (str(path), 1, "EVS001")
    assert finding.message.startswith("cannot be read: ")


def test_a_file_that_is_gone_is_a_finding(tmp_path: Path) -> None:
    (finding,) = check_paths([tmp_path / "gone.py"])
    assert finding.code == "EVS001"
    assert "No such file" in finding.message


@pytest.mark.usefixtures("project")
def test_links_that_lead_in_a_circle_are_followed_once() -> None:
    Path("app/deep/loop").symlink_to(Path("app").resolve())
    Path("app/copy").symlink_to(Path("app/deep").resolve())
    Path("app/again.py").symlink_to(Path("app/orders.py").resolve())
    assert find_sources("app") == [*ALL[:2], Path("app/orders.py")]


@pytest.mark.usefixtures("project")
def test_the_same_file_by_another_name_is_checked_once() -> None:
    Path("single.py").write_text(WRONG, encoding="utf-8")
    found = check_paths([Path("single.py"), Path("single.py").resolve()])
    assert [each.path for each in found] == ["single.py"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
def test_what_is_no_regular_file_is_a_finding_and_not_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.py"
    os.mkfifo(pipe)
    (finding,) = check_paths([tmp_path])
    assert (finding.path, finding.code) == (str(pipe), "EVS001")
    assert finding.message == "cannot be read: it is no regular file"


def test_a_folder_that_cannot_be_listed_is_a_finding(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = Path.iterdir

    def iterdir(folder: Path) -> Iterator[Path]:
        if folder.name == "deep":
            raise PermissionError(folder)
        return lists(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    (finding,) = check_paths(find_sources("app"))
    assert project.joinpath(finding.path).name == "deep"
    assert finding.code == "EVS001"
    assert finding.message == "cannot be read: the folder cannot be listed"
