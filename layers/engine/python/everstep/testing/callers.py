"""What people and programs outside ask of runs, in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_core import to_jsonable_python

from everstep.app.callbacks import complete_callback, fail_callback, heartbeat_callback
from everstep.app.cancel import cancel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from everstep.testing.simulation.world import World

T = TypeVar("T")


class Callers:
    """The part of ``TestEngine`` that cancels runs and answers callbacks."""

    _world: World

    def _ask(self, name: str, call: Callable[[], T]) -> T:
        raise NotImplementedError

    def cancel(
        self, run_id: str, *, who: str | None = None, why: str | None = None, force: bool = False
    ) -> None:
        """Have a run end; its code hears of it with the next ``run_until_idle`` or ``advance``.

        Args:
            run_id: The run.
            who: Who asks.
            why: What for.
            force: End it at once, whatever its code would do.

        Raises:
            RunNotFoundError: There is no such run.
            IllegalStateError: It has ended otherwise.
        """
        engine = self._world.engine
        self._ask(f"cancel {run_id}", lambda: cancel(engine, run_id, who=who, why=why, force=force))

    def complete_callback(self, token: str, value: object = None) -> None:
        """Complete a callback.

        Args:
            token: What ``ctx.callback`` gave.
            value: JSON data, or a model that gives it.

        Raises:
            RequestError: As the HTTP API would answer.
        """
        engine, data = self._world.engine, to_jsonable_python(value)
        self._ask("holder of a token", lambda: complete_callback(engine, token, data))

    def fail_callback(self, token: str, error: Mapping[str, Any]) -> None:
        """Say that a callback cannot be completed.

        Args:
            token: What ``ctx.callback`` gave.
            error: Its ``type`` and ``message``.

        Raises:
            RequestError: As the HTTP API would answer.
        """
        engine, kind, message = self._world.engine, str(error["type"]), str(error["message"])
        self._ask("holder of a token", lambda: fail_callback(engine, token, kind, message))

    def heartbeat_callback(self, token: str) -> None:
        """Show that somebody is at work on a callback.

        Raises:
            RequestError: As the HTTP API would answer.
        """
        engine = self._world.engine
        self._ask("holder of a token", lambda: heartbeat_callback(engine, token))
