"""The same files always make the same archive; different files never do."""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from everstep_localstack.artifacts import Archive, pack

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "package").mkdir()
    (tmp_path / "handler.py").write_text("print(1)\n", encoding="utf-8")
    (tmp_path / "package/data.json").write_text("{}", encoding="utf-8")
    return tmp_path


def _names(archive: Archive) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(archive.content)).namelist()


def test_packing_again_later_makes_the_same_archive(folder: Path) -> None:
    before = pack(folder)
    os.utime(folder / "handler.py", (1, 1))

    assert pack(folder) == before


def test_changed_content_changes_the_key(folder: Path) -> None:
    before = pack(folder)
    (folder / "handler.py").write_text("print(2)\n", encoding="utf-8")

    assert pack(folder).key != before.key


def test_bytecode_and_caches_are_left_out(folder: Path) -> None:
    before = pack(folder)
    (folder / "package/__pycache__").mkdir()
    (folder / "package/__pycache__/handler.cpython-311.pyc").write_bytes(b"")
    (folder / "old.pyc").write_bytes(b"")

    assert pack(folder) == before
    assert _names(before) == ["handler.py", "package/data.json"]


def test_a_prefix_goes_before_every_name(folder: Path) -> None:
    assert _names(pack(folder, prefix="python")) == [
        "python/handler.py",
        "python/package/data.json",
    ]


@pytest.mark.parametrize(("mode", "packed"), [(0o700, 0o755), (0o600, 0o644)])
def test_only_being_executable_is_kept_of_a_files_mode(
    folder: Path, mode: int, packed: int
) -> None:
    (folder / "handler.py").chmod(mode)

    entry = zipfile.ZipFile(io.BytesIO(pack(folder).content)).getinfo("handler.py")

    assert entry.external_attr >> 16 == packed
