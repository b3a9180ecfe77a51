"""Every engine that is measured: what engines.toml says of it, and how its script starts."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.layer import ROOT
from bench.suite.children import Script
from bench.suite.plan import TITLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.suite.installs import Place
    from bench.suite.postgres import Postgres
    from everstep_localstack import Options

CRASH_CLAIM_SECONDS: Final = 5
_TABLE: Final = Path(__file__).with_name("engines.toml")
_OWN_PATH: Final = ("layers/engine/python", "layers/workflows/python", "localstack", ".")
_RESTATE: Final = "@restatedev/restate-server-linux-x64/bin/restate-server"
_DEPLOYED: Final = "localstack"
_POSTGRES: Final = "postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an engine's script may use.

    Attributes:
        place: Where its peer is installed.
        folder: For databases in files; empty.
        postgres: A running PostgreSQL, for the engines that need one.
        localstack: How to start the LocalStack, for what is deployed.
    """

    place: Place | None
    folder: Path
    postgres: Postgres | None = None
    localstack: Options | None = None

    @property
    def peer(self) -> Place:
        """Return where the peer is installed."""
        if self.place is None:
            raise LookupError("nothing was installed")
        return self.place

    def database(self, name: str) -> str:
        """Return the address of a new database."""
        if self.postgres is None:
            raise LookupError("there is no PostgreSQL")
        return self.postgres.create(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One engine in one mode.

    Attributes:
        name: How it is called on the command line.
        title: How it is called in tables.
        keeps: Where it keeps what it must not forget.
        baseline: The mode of Everstep that it is compared with.
        script: Makes its script.
        peer: What has to be installed, by the name in pins.toml.
        postgres: Whether it needs PostgreSQL.
        deployed: Whether its script starts a LocalStack and deploys to it.
        workloads: What is played.
    """

    name: str
    title: str
    keeps: str
    baseline: str
    script: Callable[[Ground], Script] = field(repr=False)
    peer: str | None = None
    postgres: bool = False
    deployed: bool = False
    workloads: tuple[str, ...] = tuple(TITLES)

    @property
    def own(self) -> bool:
        """Say whether this is Everstep."""
        return self.name.startswith("everstep")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What engines.toml says of one engine; the comments there say what it means."""

    title: str
    keeps: str
    baseline: str
    script: str
    peer: str | None = None
    database: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    workloads: Sequence[str] = tuple(TITLES)


def chosen(only: Sequence[str]) -> tuple[Engine, ...]:
    """Return the engines of which one of these words is part of the name; all without words."""
    return tuple(each for each in ENGINES if not only or any(word in each.name for word in only))


def unknown(only: Sequence[str]) -> list[str]:
    """Return the words that are part of no engine's name."""
    return [word for word in only if not any(word in each.name for each in ENGINES)]


def _everstep(row: _Row, _: Ground) -> Script:
    return _own("bench.suite.in_process", row.options)


def _on_localstack(row: _Row, ground: Ground) -> Script:
    if ground.localstack is None:
        raise LookupError("there is no LocalStack")
    where = {"instance": ground.localstack.instance, "port": str(ground.localstack.port)}
    return _own("bench.suite.on_localstack", {**where, **row.options}, emulated=True)


def _own(module: str, options: Mapping[str, str], *, emulated: bool = False) -> Script:
    return Script(
        command=[sys.executable, "-m", module],
        folder=ROOT,
        options=options,
        environment={"PYTHONPATH": ":".join(str(ROOT / each) for each in _OWN_PATH)},
        emulated=emulated,
    )


def _openworkflow(row: _Row, ground: Ground) -> Script:
    modules = ground.peer.modules
    path = str(ROOT / "bench/peers/openworkflow.mjs")
    return Script(
        command=[str(modules / "node/bin/node"), "--no-warnings", path],
        folder=ROOT,
        options=_options(row, ground),
        environment={"OPENWORKFLOW_HOME": str(modules.parent)},
        watched=_watched(ground),
    )


def _python(row: _Row, ground: Ground) -> Script:
    return Script(
        command=[ground.peer.python, "-m", f"bench.peers.{row.script}"],
        folder=ROOT,
        options=_options(row, ground),
        environment={"PYTHONPATH": ""},
        watched=_watched(ground),
    )


def _restate(row: _Row, ground: Ground) -> Script:
    script, server = _python(row, ground), str(ground.peer.modules / _RESTATE)
    return replace(script, options={**script.options, "server": server})


def _options(row: _Row, ground: Ground) -> Mapping[str, str]:
    return {**row.options, **_databases(row.database, ground)}


def _databases(kind: str | None, ground: Ground) -> Mapping[str, str]:
    """Return one database for everything, and one for the run whose worker is killed."""
    folder = ground.folder
    match kind:
        case None:
            return {}
        case "postgres":
            return {
                "database": ground.database("bench"),
                "crash_database": ground.database("bench_crash"),
                "crash_seconds": str(CRASH_CLAIM_SECONDS),
            }
        case "sqlite-url":
            files = "sqlite:///{}/runs.sqlite", "sqlite:///{}/crash.sqlite"
        case _:
            files = "{}/runs.db", "{}/crash.db"
    return dict(zip(("database", "crash_database"), (f.format(folder) for f in files), strict=True))


def _watched(ground: Ground) -> tuple[str, ...]:
    return (ground.postgres.mark,) if ground.postgres else ()


_SCRIPTS: Final[Mapping[str, Callable[[_Row, Ground], Script]]] = {
    "everstep": _everstep,
    _DEPLOYED: _on_localstack,
    "openworkflow": _openworkflow,
    "restate_server": _restate,
}


def _engine(name: str, row: _Row) -> Engine:
    return Engine(
        name=name,
        title=row.title,
        keeps=row.keeps,
        baseline=row.baseline,
        script=partial(_SCRIPTS.get(row.script, _python), row),
        peer=row.peer,
        postgres=row.database == _POSTGRES,
        deployed=row.script == _DEPLOYED,
        workloads=tuple(row.workloads),
    )


def _read() -> tuple[Engine, ...]:
    rows = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return tuple(_engine(name, _Row(**row)) for name, row in rows.items())


ENGINES: Final = _read()
