"""One call of the command line: where it prints, what it is told, what it asks.

Tests give their own; ``real`` is that of the process.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from everstep.adapters.system import SystemClock
from everstep.cli.printing import console
from everstep.wiring import Clients, ReadOnlyClients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from rich.console import Console

    from everstep import Client
    from everstep.app.engine import Engine
    from everstep.app.verify import RunReport
    from everstep.cli.options import Target
    from everstep.ports import Clock


class MakeClients(Protocol):
    """Makes what makes AWS clients."""

    def __call__(
        self, *, profile: str | None, region: str | None, endpoint_url: str | None
    ) -> Clients:
        """Return it for a profile, a region and an address, None for the environment's."""


class Connect(Protocol):
    """Reaches a deployment; see ``connection.connect``."""

    def __call__(self, session: Session, target: Target, *, hasty: bool = False) -> Client:
        """Return a client of what was typed."""


class Verify(Protocol):
    """Looks at runs; see ``everstep.app.verify``."""

    def __call__(
        self, engine: Engine, *, run_id: str | None, since: int | None
    ) -> Iterable[RunReport]:
        """Return a report on one run, or on every run since an instant in milliseconds."""


@dataclass(slots=True, kw_only=True)
class Session:
    """What commands print to and ask.

    Attributes:
        environment: The variables that settings are read from.
        out: Standard output: the answer, and nothing else.
        err: Standard error: errors, warnings, progress.
        connect: Reaches a deployment.
        clients: Makes AWS clients.
        readers: Makes AWS clients that cannot write.
        verify: Looks at runs.
        clock: Tells the time, for ages such as ``7d``.
        sleep: Waits for so many seconds.
        ask: Whether somebody is there who can be asked.
        debug: Whether an error shows its traceback.
        place: What the command looks at by now, for the line of an error.
    """

    environment: Mapping[str, str]
    out: Console
    err: Console
    connect: Connect
    clients: MakeClients
    readers: MakeClients
    verify: Verify
    clock: Clock
    sleep: Callable[[float], None]
    ask: bool = False
    debug: bool = False
    place: str = ""


def real() -> Session:
    """Return the session of this process."""
    return Session(
        environment=os.environ,
        out=console(),
        err=console(stderr=True),
        connect=_connect,
        clients=Clients,
        readers=ReadOnlyClients,
        verify=_verify,
        clock=SystemClock(),
        sleep=time.sleep,
        ask=sys.stdin.isatty(),
    )


def _connect(session: Session, target: Target, *, hasty: bool = False) -> Client:
    from everstep.cli.connection import connect

    return connect(session, target, hasty=hasty)


def _verify(engine: Engine, *, run_id: str | None, since: int | None) -> Iterable[RunReport]:
    from everstep.app.verify import verify, verify_run

    if run_id is not None:
        return [verify_run(engine, run_id, pause=time.sleep)]
    return verify(engine, lambda run: since is None or run.created_at >= since, pause=time.sleep)
