"""A client of a ``TestEngine``: code that uses clients can be tested without a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.client.client import Client
from everstep.client.direct import DirectTransport
from everstep.client.waiting import Waiting

if TYPE_CHECKING:
    from everstep.testing import TestEngine


def client_of(engine: TestEngine, *, actor: str | None = None) -> Client:
    """Return a client whose deployment is in memory.

    While it waits for a result, virtual time passes: the engine's, and nobody else's.

    Args:
        engine: Where the workflows are deployed.
        actor: Who asks, for the audit.
    """

    def now() -> float:
        return engine.now.timestamp()

    waiting = Waiting(now=now, sleep=engine.advance)
    headers = {} if actor is None else {"Everstep-Actor": actor}
    transport = DirectTransport(lambda: engine.ports, headers, engine.advance)
    return Client.over(transport, waiting=waiting)
