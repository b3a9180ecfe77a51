"""What operators ask of runs, in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from everstep.app.audit import audit
from everstep.app.control import pause, resume
from everstep.app.fork import UNCHANGED, Made, fork, retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from everstep.core.audit import AuditEntry
    from everstep.testing.handles import TestRun
    from everstep.testing.simulation.world import World

T = TypeVar("T")


class Operators:
    """The part of ``TestEngine`` that lets runs stand still, go on, and go on from another one."""

    _world: World
    _keys: Iterator[int] | None

    def _ask(self, name: str, call: Callable[[], T]) -> T:
        raise NotImplementedError

    def get(self, run_id: str) -> TestRun[Any]:
        """Return the handle of a run."""
        raise NotImplementedError

    def pause(self, run_id: str, *, who: str | None = None, why: str | None = None) -> None:
        """Let a run go no further until it is resumed; a step in flight is finished.

        Args:
            run_id: The run.
            who: Who asks, for the audit.
            why: What for, for the audit.

        Raises:
            RunNotFoundError: There is no such run.
            IllegalStateError: It has ended, or is stalled.
        """
        self._ask(f"pause {run_id}", lambda: pause(self._world.engine, run_id, who=who, why=why))

    def resume(
        self,
        run_id: str,
        *,
        who: str | None = None,
        why: str | None = None,
        budget: float | None = None,
    ) -> None:
        """Let a run that stands still go on, once its cause is mended (see ``deploy``).

        Args:
            run_id: The run.
            who: Who asks, for the audit.
            why: What for, for the audit.
            budget: What it may cost from now on, in dollars.

        Raises:
            RunNotFoundError: There is no such run.
            IllegalStateError: It has ended.
        """

        def call() -> None:
            resume(self._world.engine, run_id, who=who, why=why, budget=budget)
            self._world.facts.resumptions += 1

        self._ask(f"resume {run_id}", call)

    def audit(self, run_id: str) -> Sequence[AuditEntry]:
        """Return what was asked of a run, by whom and why, beginning with its acceptance.

        Raises:
            RunNotFoundError: There is no such run.
        """
        return audit(self._world.inside, run_id)

    def retry(self, run_id: str, *, who: str | None = None, why: str | None = None) -> TestRun[Any]:
        """Make a run that goes on from the operation by which a run failed, or was ended.

        Args:
            run_id: A run that is FAILED, CANCELLED or TIMED_OUT.
            who: Who asks, for the audit.
            why: What for, for the audit.

        Returns:
            The new run.

        Raises:
            RequestError: As the HTTP API would answer.
        """
        key = self._key("retry")

        def call() -> Made:
            return retry(self._world.engine, run_id, who=who, why=why, idempotency_key=key)

        return self._made(f"retry {run_id}", call)

    def fork(
        self,
        run_id: str,
        from_step: str,
        input: object = UNCHANGED,  # noqa: A002 - the name in workflows
        *,
        who: str | None = None,
        why: str | None = None,
    ) -> TestRun[Any]:
        """Make a run that keeps what a run had recorded before a step, and executes the rest.

        Args:
            run_id: The run.
            from_step: Key of the first operation to execute again, for example ``charge#1``.
            input: Its input; that of the run if not given.
            who: Who asks, for the audit.
            why: What for, for the audit.

        Returns:
            The new run.

        Raises:
            RequestError: As the HTTP API would answer.
        """
        key = self._key("fork")

        def call() -> Made:
            return fork(
                self._world.engine,
                run_id,
                from_step=from_step,
                input=input,
                who=who,
                why=why,
                idempotency_key=key,
                from_json=False,
            )

        return self._made(f"fork {run_id}", call)

    def _key(self, what: str) -> str | None:
        return None if self._keys is None else f"{what} {next(self._keys)}"

    def _made(self, name: str, call: Callable[[], Made]) -> TestRun[Any]:
        return self.get(self._ask(name, call).run_id)
