"""Every engine that is measured: what it is, what it is compared with, how its script starts."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench.layer import ROOT
from bench.suite.children import Script

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bench.suite.installs import Place
    from bench.suite.postgres import Postgres

MEMORY: Final = "everstep-memory"
MOTO: Final = "everstep-moto"
LOCALSTACK: Final = "everstep-localstack"
CRASH_CLAIM_SECONDS: Final = 5
_OWN_PATH: Final = ("layers/engine/python", "layers/workflows/python", "localstack", ".")
_RESTATE: Final = "@restatedev/restate-server-linux-x64/bin/restate-server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an engine's script may use.

    Attributes:
        place: Where its peer is installed.
        folder: For databases in files; empty.
        postgres: A running PostgreSQL, for the engines that need one.
    """

    place: Place | None
    folder: Path
    postgres: Postgres | None

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
        peer: What has to be installed, by the name in pins.toml.
        postgres: Whether it needs PostgreSQL.
        burst: Whether this is Everstep's burst mode.
        script: Makes its script; none for what is deployed to LocalStack.
    """

    name: str
    title: str
    keeps: str
    baseline: str
    peer: str | None = None
    postgres: bool = False
    burst: bool = False
    script: Callable[[Ground], Script] | None = field(default=None, repr=False)

    @property
    def own(self) -> bool:
        """Say whether this is Everstep."""
        return self.name.startswith("everstep")


def chosen(only: Sequence[str]) -> tuple[Engine, ...]:
    """Return the engines of which one of these words is part of the name; all without words."""
    return tuple(each for each in ENGINES if not only or any(word in each.name for word in only))


def unknown(only: Sequence[str]) -> list[str]:
    """Return the words that are part of no engine's name."""
    return [word for word in only if not any(word in each.name for each in ENGINES)]


def _everstep(store: str, *, burst: bool = False) -> Callable[[Ground], Script]:
    def script(_: Ground) -> Script:
        return Script(
            command=[sys.executable, "-m", "bench.suite.in_process"],
            folder=ROOT,
            options={"store": store, "burst": "yes" if burst else "no"},
            environment={"PYTHONPATH": ":".join(str(ROOT / each) for each in _OWN_PATH)},
        )

    return script


def _python(
    module: str, options: Callable[[Ground], Mapping[str, str]]
) -> Callable[[Ground], Script]:
    def script(ground: Ground) -> Script:
        return Script(
            command=[ground.peer.python, "-m", f"bench.peers.{module}"],
            folder=ROOT,
            options=options(ground),
            environment={"PYTHONPATH": ""},
            watched=(ground.postgres.mark,) if ground.postgres else (),
        )

    return script


def _openworkflow(options: Callable[[Ground], Mapping[str, str]]) -> Callable[[Ground], Script]:
    def script(ground: Ground) -> Script:
        node = str(ground.peer.modules / "node/bin/node")
        return Script(
            command=[node, "--no-warnings", str(ROOT / "bench/peers/openworkflow.mjs")],
            folder=ROOT,
            options=options(ground),
            environment={"OPENWORKFLOW_HOME": str(ground.peer.modules.parent)},
            watched=(ground.postgres.mark,) if ground.postgres else (),
        )

    return script


def _nothing(_: Ground) -> Mapping[str, str]:
    return {}


def _sqlite_url(ground: Ground) -> Mapping[str, str]:
    return {
        "database": f"sqlite:///{ground.folder}/runs.sqlite",
        "crash_database": f"sqlite:///{ground.folder}/crash.sqlite",
    }


def _sqlite_file(ground: Ground) -> Mapping[str, str]:
    folder = ground.folder
    return {"database": f"{folder}/runs.db", "crash_database": f"{folder}/crash.db"}


def _databases(ground: Ground) -> Mapping[str, str]:
    return {
        "database": ground.database("bench"),
        "crash_database": ground.database("bench_crash"),
        "crash_seconds": str(CRASH_CLAIM_SECONDS),
    }


def _restate(mode: str) -> Callable[[Ground], Mapping[str, str]]:
    return lambda ground: {"server": str(ground.peer.modules / _RESTATE), "mode": mode}


ENGINES: Final = (
    Engine(
        name=MEMORY,
        title="Everstep, memory",
        keeps="in the process",
        baseline=MEMORY,
        script=_everstep("memory"),
    ),
    Engine(
        name=f"{MEMORY}-burst",
        title="Everstep, memory, burst",
        keeps="in the process",
        baseline=MEMORY,
        burst=True,
        script=_everstep("memory", burst=True),
    ),
    Engine(
        name="aws-durable",
        title="AWS durable SDK, local runner",
        keeps="in the process",
        baseline=MEMORY,
        peer="aws-durable",
        script=_python("aws_durable", _nothing),
    ),
    Engine(
        name="dbos-sqlite",
        title="DBOS, SQLite",
        keeps="on disk",
        baseline=MEMORY,
        peer="dbos",
        script=_python("dbos_transact", _sqlite_url),
    ),
    Engine(
        name="dbos-postgres",
        title="DBOS, PostgreSQL",
        keeps="on disk, in a server",
        baseline=MEMORY,
        peer="dbos",
        postgres=True,
        script=_python("dbos_transact", _databases),
    ),
    Engine(
        name="openworkflow-sqlite",
        title="OpenWorkflow, SQLite",
        keeps="on disk",
        baseline=MEMORY,
        peer="openworkflow",
        script=_openworkflow(_sqlite_file),
    ),
    Engine(
        name="openworkflow-postgres",
        title="OpenWorkflow, PostgreSQL",
        keeps="on disk, in a server",
        baseline=MEMORY,
        peer="openworkflow",
        postgres=True,
        script=_openworkflow(_databases),
    ),
    Engine(
        name="absurd",
        title="Absurd, PostgreSQL",
        keeps="on disk, in a server",
        baseline=MEMORY,
        peer="absurd",
        postgres=True,
        script=_python("absurd", _databases),
    ),
    Engine(
        name="restate-bidi",
        title="Restate, stream",
        keeps="on disk, in a server",
        baseline=MEMORY,
        peer="restate",
        script=_python("restate_server", _restate("bidi")),
    ),
    Engine(
        name="restate-request-response",
        title="Restate, as on Lambda",
        keeps="on disk, in a server",
        baseline=MEMORY,
        peer="restate",
        script=_python("restate_server", _restate("request_response")),
    ),
    Engine(
        name=MOTO,
        title="Everstep, moto",
        keeps="in the process, as moto's items",
        baseline=MOTO,
        script=_everstep("moto"),
    ),
    Engine(
        name="step-functions-moto",
        title="Step Functions, moto",
        keeps="in the process",
        baseline=MOTO,
        peer="moto",
        script=_python("step_functions_moto", _nothing),
    ),
    Engine(
        name=LOCALSTACK,
        title="Everstep, LocalStack",
        keeps="in LocalStack",
        baseline=LOCALSTACK,
    ),
    Engine(
        name=f"{LOCALSTACK}-burst",
        title="Everstep, LocalStack, burst",
        keeps="in LocalStack",
        baseline=LOCALSTACK,
        burst=True,
    ),
    Engine(
        name="step-functions-localstack",
        title="Step Functions, LocalStack",
        keeps="in LocalStack",
        baseline=LOCALSTACK,
    ),
)
