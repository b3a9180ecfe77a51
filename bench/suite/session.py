"""Play the workloads on one engine after another, whatever becomes of any one of them."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.layer import ROOT
from bench.suite import children, facts, installs, plan, postgres, results, watching
from bench.suite.children import ChildError
from bench.suite.engines import Ground
from bench.suite.installs import InstallError
from bench.suite.postgres import NoPostgresError
from everstep_localstack import LocalStack, LocalStackError, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from bench.suite.children import Report
    from bench.suite.engines import Engine
    from bench.suite.postgres import Postgres

Data = dict[str, Any]

LIMIT_MINUTES: Final = 30
_REFUSED: Final = (ChildError, InstallError, NoPostgresError, LocalStackError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be measured.

    Attributes:
        engines: On what.
        workloads: Which ones.
        quick: Whether small sizes do, to see that everything works.
        limit: Minutes after which an engine is ended.
        instance: Name of the LocalStack.
        port: Its port.
    """

    engines: tuple[Engine, ...]
    workloads: tuple[str, ...]
    quick: bool = False
    limit: float = LIMIT_MINUTES
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

    def measure(self) -> Generator[Data]:
        """Yield what came of each engine, as soon as it is known."""
        self._end_what_was_left()
        with ExitStack() as stack:
            for engine in self._wanted.engines:
                self._say(f"==> {engine.title}")
                try:
                    data = self._of(engine, stack)
                except _REFUSED as error:
                    self._say(f"    not measured: {error}")
                    data = results.without(engine, str(error))
                yield data

    def _end_what_was_left(self) -> None:
        """End what a session that was killed has left: nobody else was there to do it."""
        for folder in (self._home / "running").glob("*"):
            watching.end(str(folder))
        postgres.remove(self._note)

    @property
    def _note(self) -> Path:
        return self._home / "postgres"

    def _of(self, engine: Engine, stack: ExitStack) -> Data:
        folder = self._empty_folder(engine.name)
        ground = Ground(
            place=self._installed(engine),
            folder=folder,
            postgres=self._cluster(stack) if engine.postgres else None,
            localstack=self._options(),
        )
        load = facts.load()
        report = (
            self._on_localstack(engine, ground) if engine.deployed else self._play(engine, ground)
        )
        versions = {**report.versions, **_versions(engine, ground)}
        return results.of_engine(engine, versions, load, report.played)

    def _play(self, engine: Engine, ground: Ground) -> Report:
        sizes = plan.sizes(engine.baseline, quick=self._wanted.quick)
        workloads = [each for each in self._wanted.workloads if each in engine.workloads]
        return children.play(
            engine.script(ground),
            plan.items(sizes, workloads, ground.folder),
            ground.folder,
            self._wanted.limit * 60,
            lambda line: self._say(f"    {line}"),
        )

    def _on_localstack(self, engine: Engine, ground: Ground) -> Report:
        """Play where the script starts a LocalStack, which it may be too late to end itself."""
        server = LocalStack(self._options())
        if server.status() is not None:
            raise ChildError(f"instance {self._wanted.instance} of LocalStack runs already")
        try:
            return self._play(engine, ground)
        finally:
            server.stop()

    def _options(self) -> Options:
        return Options(instance=self._wanted.instance, port=self._wanted.port)

    def _empty_folder(self, name: str) -> Path:
        folder = self._home / "running" / name
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
                self._postgres = stack.enter_context(postgres.running(self._note))
            except NoPostgresError as error:
                self._postgres = str(error)
        if isinstance(self._postgres, str):
            raise NoPostgresError(self._postgres)
        return self._postgres


def _versions(engine: Engine, ground: Ground) -> dict[str, str]:
    """Return the versions of what a script does not know."""
    if engine.deployed:
        return {"localstack": _localstack_version()}
    return {"postgresql": ground.postgres.version} if ground.postgres else {}


def _localstack_version() -> str:
    """Return the version that is pinned, and installed."""
    text = (ROOT / "localstack/requirements.in").read_text(encoding="utf-8")
    (line,) = (each for each in text.splitlines() if each.startswith("localstack-core"))
    return line.partition("==")[2]
