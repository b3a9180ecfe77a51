"""Pack a folder so that the same files always make the same archive."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

# The earliest time a zip file can hold: the true one would make every archive different.
TIMESTAMP: Final = (1980, 1, 1, 0, 0, 0)
SKIPPED_NAMES: Final = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"})
SKIPPED_SUFFIXES: Final = frozenset({".pyc", ".pyo"})
READABLE: Final = 0o644
EXECUTABLE: Final = 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A packed folder; `key` names its content and nothing else."""

    content: bytes
    key: str


def pack(folder: Path, *, prefix: str = "") -> Archive:
    """Pack a folder's files, below `prefix` inside the archive.

    Order, times and owners do not show, so that unchanged code keeps its key and is not deployed
    again. Bytecode and caches are left out.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in _files(folder):
            name = PurePosixPath(prefix) / path.relative_to(folder).as_posix()
            archive.writestr(_entry(name, path), path.read_bytes())
    content = buffer.getvalue()
    return Archive(content=content, key=f"{hashlib.sha256(content).hexdigest()}.zip")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and _is_wanted(path, folder))


def _is_wanted(path: Path, folder: Path) -> bool:
    skipped = SKIPPED_NAMES.intersection(path.relative_to(folder).parts)
    return not skipped and path.suffix not in SKIPPED_SUFFIXES


def _entry(name: PurePosixPath, path: Path) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(str(name), date_time=TIMESTAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    mode = EXECUTABLE if path.stat().st_mode & 0o100 else READABLE
    entry.external_attr = mode << 16
    return entry
