"""Play the workloads on one engine after another, whatever becomes of any one of them."""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from httpx import HTTPError

from bench.layer import ROOT
from bench.suite import children, facts, installs, postgres, results, watching
from bench.suite.children import ChildError, Played
from bench.suite.engines import MOTO, Ground
from bench.suite.installs import InstallError
from bench.suite.on_localstack import Everstep, StepFunctions
from bench.suite.plan import (
    FULL,
    FULL_ON_LOCALSTACK,
    FULL_ON_MOTO,
    QUICK,
    QUICK_ON_LOCALSTACK,
    items,
)
from bench.suite.postgres import NoPostgresError
from bench.target import LoadError
from everstep_localstack import LocalStack, LocalStackError, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bench.peers.protocol import Item
    from bench.suite.engines import Engine
    from bench.suite.postgres import Postgres

Data = dict[str, Any]

_QUICK_SECONDS: Final = 150
_FULL_SECONDS: Final = 300
_WARM_RUNS: Final = 8
_BURST_WORKLOADS: Final = ("W1", "W2")
_REFUSED: Final = (LocalStackError, LoadError, BotoCoreError, ClientError, HTTPError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be measured.

    Attributes:
        engines: On what.
        workloads: Which ones.
        quick: Whether small sizes do, to see that everything works.
        instance: Name of the LocalStack.
        port: Its port.
    """

    engines: tuple[Engine, ...]
    workloads: tuple[str, ...]
    quick: bool = False
    instance: str = "bench"
    port: int = 4637


class Session:
    """One call of `make bench`."""

    def __init__(self, wanted: Wanted, home: Path, say: Callable[[str], None]) -> None:
        """Begin with nothing running.

        Args:
            wanted: What is to be measured.
            home: The folder for everything that is installed, or kept while it lasts.
            say: Is told of progress.
        """
        self._wanted = wanted
        self._home = home
        self._say = say
        self._postgres: Postgres | str | None = None

    def measure(self) -> list[Data]:
        """Return what came of every engine."""
        scripts = [each for each in self._wanted.engines if each.script]
        deployed = [each for each in self._wanted.engines if not each.script]
        with ExitStack() as stack:
            found = [self._with_script(each, stack) for each in scripts]
        return found + (self._deployed(deployed) if deployed else [])

    def _with_script(self, engine: Engine, stack: ExitStack) -> Data:
        self._say(f"==> {engine.title}")
        try:
            data = self._play(engine, stack)
        except (ChildError, InstallError, NoPostgresError) as error:
            self._say(f"    not measured: {error}")
            return results.without(engine, str(error))
        return data

    def _play(self, engine: Engine, stack: ExitStack) -> Data:
        folder = self._empty_folder(engine.name)
        database = self._cluster(stack) if engine.postgres else None
        ground = Ground(place=self._installed(engine), folder=folder, postgres=database)
        if engine.script is None:
            raise LookupError(engine.name)
        script = engine.script(ground)
        full = FULL_ON_MOTO if engine.baseline == MOTO else FULL
        sizes = QUICK if self._wanted.quick else full
        load = facts.load()
        report = children.play(
            script,
            items(sizes, self._wanted.workloads, folder),
            folder,
            _QUICK_SECONDS if self._wanted.quick else _FULL_SECONDS,
            lambda line: self._say(f"    {line}"),
        )
        versions = report.versions
        if database:
            versions = {**versions, "postgresql": database.version}
        return results.of_engine(engine, versions, load, report.played)

    def _empty_folder(self, name: str) -> Path:
        """Return an empty folder; end what a session that was killed has left in it."""
        folder = self._home / "running" / name
        watching.end(str(folder))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def _installed(self, engine: Engine) -> installs.Place | None:
        if engine.peer is None:
            return None
        return installs.install(engine.peer, installs.pins()[engine.peer], self._home)

    def _cluster(self, stack: ExitStack) -> Postgres:
        """Return the PostgreSQL, started when it is first needed."""
        if self._postgres is None:
            try:
                self._postgres = stack.enter_context(postgres.running())
            except NoPostgresError as error:
                self._postgres = str(error)
        if isinstance(self._postgres, str):
            raise NoPostgresError(self._postgres)
        return self._postgres

    def _deployed(self, engines: Sequence[Engine]) -> list[Data]:
        options = Options(instance=self._wanted.instance, port=self._wanted.port)
        server = LocalStack(options)
        try:
            if server.status() is not None:
                raise LoadError(f"instance {options.instance} runs already")  # noqa: TRY301 - as if
            with server:
                return self._on(server, engines)
        except (LocalStackError, LoadError) as error:
            self._say(f"    not measured: {error}")
            return [results.without(each, str(error)) for each in engines]

    def _on(self, server: LocalStack, engines: Sequence[Engine]) -> list[Data]:
        """Deploy Everstep once, and change it for burst mode."""
        found: list[Data] = []
        everstep: Everstep | None = None
        for engine in engines:
            self._say(f"==> {engine.title}")
            try:
                if engine.own and everstep is None:
                    folder = self._empty_folder("layer")
                    everstep = Everstep(server, folder, lambda _: None)
                host = everstep if engine.own and everstep else StepFunctions(server)
                if engine.burst and everstep:
                    everstep.burst()
                found.append(self._play_deployed(engine, host))
            except _REFUSED as error:
                self._say(f"    not measured: {error}")
                found.append(results.without(engine, str(error)))
        return found

    def _play_deployed(self, engine: Engine, host: Everstep | StepFunctions) -> Data:
        folder = self._empty_folder(engine.name)
        sizes = QUICK_ON_LOCALSTACK if self._wanted.quick else FULL_ON_LOCALSTACK
        workloads = [
            name for name in self._wanted.workloads if not engine.burst or name in _BURST_WORKLOADS
        ]
        load = facts.load()
        listed = items(sizes, workloads, folder)
        warm = replace(
            items(QUICK_ON_LOCALSTACK, ["W1"], folder)[0],
            runs=_WARM_RUNS,
            number=len(listed),
            marks=str(folder / "warm.txt"),
        )
        host.play(warm)
        played = [self._one(host, each) for each in listed]
        return results.of_engine(engine, {"localstack": _localstack_version()}, load, played)

    def _one(self, host: Everstep | StepFunctions, item: Item) -> Played:
        name = f"{item.workload} ({item.runs} x {item.steps})"
        began = time.monotonic()
        try:
            seconds = host.play(item)
        except Exception as error:  # noqa: BLE001 - whatever an emulator does, the next may work
            reason = f"{type(error).__name__}: {error}"
            self._say(f"    {name}: {reason}")
            return Played(item=item, reason=reason)
        self._say(f"    {name}: {time.monotonic() - began:.2f} s")
        return Played(item=item, seconds=seconds)


def _localstack_version() -> str:
    """Return the version that is pinned, and installed."""
    text = (ROOT / "localstack/requirements.in").read_text(encoding="utf-8")
    (line,) = (each for each in text.splitlines() if each.startswith("localstack-core"))
    return line.partition("==")[2]
