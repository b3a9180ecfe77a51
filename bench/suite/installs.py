"""Install a peer into a folder of its own below .everstep, from its pinned versions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.layer import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

PINS: Final = ROOT / "bench/peers/pins.toml"
HOME: Final = ROOT / ".everstep/bench"
_UV: Final = ROOT / ".everstep/venvs/uv/bin/uv"
_SECONDS: Final = 400
_TAIL: Final = 300


class InstallError(Exception):
    """A peer cannot be installed; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """What a peer is installed from.

    Attributes:
        pypi: Requirements, exact.
        npm: Packages, exact.
    """

    pypi: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a peer is installed."""

    folder: Path

    @property
    def python(self) -> str:
        """Return the interpreter that imports what the peer has on PyPI."""
        return str(self.folder / "venv/bin/python")

    @property
    def modules(self) -> Path:
        """Return the folder of what the peer has on npm."""
        return self.folder / "npm/node_modules"


def pins() -> dict[str, Pins]:
    """Return what is pinned, by peer."""
    read = tomllib.loads(PINS.read_text(encoding="utf-8"))
    return {
        name: Pins(pypi=tuple(each.get("pypi", ())), npm=tuple(each.get("npm", ())))
        for name, each in read.items()
    }


def install(peer: str, pinned: Pins, home: Path = HOME) -> Place:
    """Install a peer, unless exactly this was installed before.

    Raises:
        InstallError: It cannot be.
    """
    place = Place(folder=home / peer)
    stamp = place.folder / "installed.json"
    wanted = json.dumps({"python": sys.version, "pypi": pinned.pypi, "npm": pinned.npm})
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return place
    shutil.rmtree(place.folder, ignore_errors=True)
    place.folder.mkdir(parents=True)
    if pinned.pypi:
        _install_from_pypi(place, pinned.pypi)
    if pinned.npm:
        _install_from_npm(place, pinned.npm)
    stamp.write_text(wanted, encoding="utf-8")
    return place


def _install_from_pypi(place: Place, requirements: Sequence[str]) -> None:
    python = place.python
    venv = [str(_UV), "venv", "--quiet", "--python", sys.executable, str(place.folder / "venv")]
    _call(venv, place.folder)
    _call([str(_UV), "pip", "install", "--quiet", "--python", python, *requirements], place.folder)


def _install_from_npm(place: Place, packages: Sequence[str]) -> None:
    program = shutil.which("npm")
    if program is None:
        raise InstallError("npm is not installed (npm of Debian)")
    folder = place.folder / "npm"
    folder.mkdir()
    (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    options = ["--no-audit", "--no-fund", "--loglevel=error", "--save-exact"]
    _call([program, "install", *options, *packages], folder)


def _call(command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallError(f"{Path(command[0]).name}: {error}") from error
    if done.returncode:
        raise InstallError(f"{Path(command[0]).name}: {done.stderr.strip()[-_TAIL:]}")
