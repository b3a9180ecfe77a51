"""A container engine: the one that runs, else one that is started for the time being."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 20.0
_BRIDGE: Final = Path("/sys/class/net/docker0")
"""The engine makes this interface, and leaves it behind."""
# It must not touch the machine's firewall or routes: containers talk to this machine only.
_ALONE: Final = ("--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")


class NoEngineError(Exception):
    """No container engine can be used here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A container engine that answers.

    Attributes:
        host: Its address, as in DOCKER_HOST; empty for the default.
        started: Whether it was started here, and ends with us.
    """

    host: str
    started: bool

    @property
    def variables(self) -> dict[str, str]:
        """Return what programs need to find it."""
        return {"DOCKER_HOST": self.host} if self.host else {}

    def docker(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
        """Run the docker client to its end."""
        return subprocess.run(
            ["docker", *arguments],
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            check=False,
            **more,
        )

    def gateway(self) -> str:
        """Return this machine's address as containers on the default network see it.

        Raises:
            NoEngineError: There is no default network.
        """
        done = self.docker("network", "inspect", "bridge")
        try:
            settings = json.loads(done.stdout)[0]["IPAM"]["Config"]
            return str(settings[0].get("Gateway") or settings[0]["Subnet"].replace(".0/16", ".1"))
        except (ValueError, LookupError) as error:
            raise NoEngineError(f"the engine has no bridge network: {done.stderr}") from error


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """Give the engine that runs, or start one whose files are in the folder, and stop that again.

    Raises:
        NoEngineError: There is none and none can be started.
    """
    running = _running()
    if running is not None:
        yield running
        return
    # Sockets have paths of 107 letters at most, so they are not kept in the folder.
    with TemporaryDirectory(prefix="everstep-") as sockets, _own(folder, Path(sockets)) as started:
        yield started


def why_not() -> str | None:
    """Return why no engine can be used here, or None if one runs or may be started."""
    if _running() is not None:
        return None
    try:
        _require_daemon()
    except NoEngineError as error:
        return str(error)
    return None


def _running() -> Engine | None:
    if shutil.which("docker") is None:
        return None
    found = Engine(host=os.environ.get("DOCKER_HOST", ""), started=False)
    try:
        done = found.docker("version", "--format", "{{.Server.Version}}", timeout=20)
    except subprocess.TimeoutExpired:
        return None
    return found if done.returncode == 0 else None


def _require_daemon() -> None:
    if shutil.which("docker") is None:
        raise NoEngineError("there is no `docker` program (Debian: apt-get install docker.io)")
    if shutil.which("dockerd") is None:
        raise NoEngineError("no container engine runs, and there is no `dockerd` to start")
    if os.geteuid() != 0:
        raise NoEngineError("no container engine runs, and only root may start one")


@contextmanager
def _own(folder: Path, sockets: Path) -> Iterator[Engine]:
    _require_daemon()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    address = f"unix://{sockets / 'docker.sock'}"
    log = folder / "dockerd.log"
    bridged = _BRIDGE.exists()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                "dockerd",
                *("--host", address, "--data-root", str(folder / "data")),
                *("--exec-root", str(sockets / "exec"), "--pidfile", str(folder / "pid")),
                *_ALONE,
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started = Engine(host=address, started=True)
    try:
        _wait_for(started, process, log)
        yield started
    finally:
        _stop(process)
        if not bridged:
            subprocess.run(["ip", "link", "delete", _BRIDGE.name], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(engine: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while engine.docker("version").returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
            raise NoEngineError("dockerd does not run here: " + "\n".join(tail))
        time.sleep(0.2)


def _stop(process: subprocess.Popen[bytes]) -> None:
    # SIGTERM: it takes its own containers, mounts and containerd with it.
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
