"""A PostgreSQL of its own on loopback, for the peers that need one, with its default durability."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.suite import watching

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DEBIAN: Final = Path("/usr/lib/postgresql")
_PREFIX: Final = "everstep-bench-postgres-"
_READY_SECONDS: Final = 20
_LOOK_EVERY: Final = 0.05
_ANSWER_SECONDS: Final = 60
# PostgreSQL refuses to run as root; the first of these that there is runs it then.
_INSTEAD_OF_ROOT: Final = ("postgres", "nobody")


class NoPostgresError(Exception):
    """There is no PostgreSQL, or it does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running cluster.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        version: What it is.
        mark: What its processes carry in their environment.
        programs: Folder of its programs.
    """

    port: int
    version: str
    mark: str
    programs: Path

    def create(self, name: str) -> str:
        """Make an empty database, instead of one of that name; return its address."""
        for command in (f"drop database if exists {name} with (force)", f"create database {name}"):
            _run([str(self.programs / "psql"), "-qc", command, self._address("postgres")])
        return self._address(name)

    def answers(self) -> bool:
        """Say whether it is ready."""
        ask = [str(self.programs / "psql"), "-qc", "select 1", self._address("postgres")]
        return subprocess.run(ask, capture_output=True, check=False).returncode == 0

    def _address(self, database: str) -> str:
        return f"postgresql://{_owner()}@127.0.0.1:{self.port}/{database}"


@contextmanager
def running(note: Path) -> Iterator[Postgres]:
    """Start a new cluster; remove it in the end.

    Args:
        note: A file that holds the cluster's folder while there is one.

    Raises:
        NoPostgresError: It cannot be.
    """
    programs = _programs()
    remove(note)
    # Whoever runs it must be able to go through every folder above: not those of root.
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    note.write_text(str(folder), encoding="utf-8")
    try:
        if os.getuid() == 0:
            shutil.chown(folder, _owner(), pwd.getpwnam(_owner()).pw_gid)
        yield from _started(programs, folder)
    finally:
        remove(note)


def remove(note: Path) -> None:
    """End the cluster that a note tells of and remove its folder; also one of a killed session."""
    if note.exists():
        folder = Path(note.read_text(encoding="utf-8"))
        watching.end(str(folder))
        if folder.name.startswith(_PREFIX):
            shutil.rmtree(folder, ignore_errors=True)
        note.unlink()


def _started(programs: Path, folder: Path) -> Iterator[Postgres]:
    data, port = folder / "data", _free_port()
    init = ["-D", str(data), "-A", "trust", "-E", "UTF8", "--locale=C", "-U", _owner()]
    _run([str(programs / "initdb"), *init], **_as_owner(), cwd=folder)
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(folder),
        "max_connections": "200",
        "shared_buffers": "256MB",
    }
    given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(data), *given],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, watching.VARIABLE: str(folder)},
            **_as_owner(),
        )
    try:
        told = _run([str(programs / "postgres"), "--version"])
        version = told.split("(PostgreSQL)")[-1].split()[0]
        started = Postgres(port=port, version=version, mark=str(folder), programs=programs)
        _wait(process, started, folder)
        yield started
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], postgres: Postgres, folder: Path) -> None:
    """Wait until it answers: it listens earlier, and then refuses whoever asks."""
    deadline = time.monotonic() + _READY_SECONDS
    while not postgres.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise NoPostgresError((folder / "log").read_text(errors="replace")[-300:])
        time.sleep(_LOOK_EVERY)


def _programs() -> Path:
    """Return the folder of initdb and postgres, of the newest release that is installed."""
    releases = sorted(_DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name))
    found = shutil.which("initdb")
    folders = [*reversed(releases), *([Path(found).parent] if found else [])]
    for folder in folders:
        if all((folder / name).exists() for name in ("initdb", "postgres", "psql")):
            return folder
    raise NoPostgresError("PostgreSQL is not installed (postgresql of Debian)")


def _owner() -> str:
    """Return who runs it: this user, or for root somebody else."""
    if os.getuid() != 0:
        return getpass.getuser()
    there = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in _INSTEAD_OF_ROOT if name in there)


def _as_owner() -> dict[str, Any]:
    if os.getuid() != 0:
        return {}
    owner = pwd.getpwnam(_owner())
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _run(command: Sequence[str], **options: Any) -> str:  # noqa: ANN401 - subprocess's own
    options = {"timeout": _ANSWER_SECONDS, **options}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    except subprocess.TimeoutExpired as error:
        raise NoPostgresError(f"{Path(command[0]).name}: no end after {error.timeout} s") from error
    if done.returncode:
        raise NoPostgresError(f"{Path(command[0]).name}: {done.stderr.strip()[-300:]}")
    return str(done.stdout)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
