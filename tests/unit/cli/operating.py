"""A deployment that commands are typed at, behind either transport."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from everstep.cli.root import run
from tests.unit.cli.typed import Seen, session
from tests.unit.client.deployments import directly, over_http, world
from tests.unit.http.world import ORDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep import Client
    from everstep.cli.options import Target
    from everstep.cli.session import Session
    from tests.unit.http.world import World

INPUT: Final = json.dumps(ORDER)
TRANSPORTS: Final[dict[str, Callable[[World], Client]]] = {"http": over_http, "direct": directly}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operated:
    """A deployment, and somebody who types.

    Attributes:
        world: What is behind it.
        client: Makes a client of it.
    """

    world: World
    client: Callable[[World], Client]

    def typed(self, *arguments: str, stdin: str = "", ask: bool = False) -> Seen:
        """Type ``everstep`` with arguments."""
        out, err = io.StringIO(), io.StringIO()
        before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin.encode()))
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = run(arguments, self._session(ask=ask))
        finally:
            sys.stdin = before
        return Seen(code=code, out=out.getvalue(), err=err.getvalue())

    def data(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """Type a command that must be done; return what it gives as JSON."""
        seen = self.typed(*arguments, "--json")
        assert (seen.code, seen.err) == (0, ""), seen
        return json.loads(seen.out)

    def started(self, *arguments: str) -> str:
        """Return a run of ``shop`` that has not begun."""
        return str(self.data("trigger", "shop", "--input", INPUT, *arguments)["run_id"])

    def completed(self) -> str:
        run_id = self.started()
        self.world.work()
        self.world.advance(60)
        return run_id

    def failed(self) -> str:
        refused = '{"id": "A", "total": -1}'
        run_id = str(self.data("trigger", "shop", "--input", refused)["run_id"])
        self.world.work()
        self.world.advance(1)
        return run_id

    def _session(self, *, ask: bool) -> Session:
        made = session()
        made.connect = self._connect
        made.clock = self.world.clock
        made.sleep = self.world.sleep
        made.ask = ask
        return made

    def _connect(self, session: Session, target: Target, *, hasty: bool = False) -> Client:
        assert (session.place, target, hasty) is not None
        return self.client(self.world)


def operated(transport: str) -> Operated:
    return Operated(world=world(), client=TRANSPORTS[transport])
