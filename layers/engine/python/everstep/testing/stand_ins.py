"""What a test puts in place of steps: values, functions, failures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from everstep.authoring.steps import as_step
from everstep.core.keys import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from everstep.app.engine import Execution


@dataclass(frozen=True, slots=True, kw_only=True)
class MockCall:
    """One execution of a mocked step: where, and with which arguments."""

    run_id: str
    key: str
    attempt: int
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mock:
    """What is executed in place of a step.

    Attributes:
        calls: Every execution so far, in order.
    """

    instead: Callable[..., object]
    calls: list[MockCall] = field(default_factory=list)

    def execute(self, execution: Execution) -> object:
        """Note the call, and call what is there instead."""
        call = MockCall(
            run_id=execution.run_id,
            key=execution.key,
            attempt=execution.attempt,
            args=execution.args,
            kwargs=execution.kwargs,
        )
        self.calls.append(call)
        return self.instead(*execution.args, **execution.kwargs)


@dataclass(slots=True, kw_only=True)
class _Failure:
    step: str
    error: BaseException | type[BaseException]
    left: int
    after: bool

    def strikes(self, execution: Execution) -> bool:
        if self.left == 0 or not _named(self.step, execution):
            return False
        self.left -= 1
        return True


class StandIns:
    """Mocks and failures of one test engine, by step."""

    def __init__(self) -> None:
        """Replace nothing yet."""
        self._mocks: dict[str, Mock] = {}
        self._failures: list[_Failure] = []

    def mock(self, step: object, instead: Callable[..., object]) -> Mock:
        """Execute something else in place of a step from now on."""
        mock = Mock(instead)
        self._mocks[_name(step)] = mock
        return mock

    def fail(
        self,
        step: object,
        error: BaseException | type[BaseException],
        *,
        executions: int,
        after: bool,
    ) -> None:
        """Let the next executions of a step fail."""
        failure = _Failure(step=_name(step), error=error, left=executions, after=after)
        self._failures.append(failure)

    def execute(self, execution: Execution) -> object:
        """Execute an attempt, or what stands in for it."""
        failure = next((each for each in self._failures if each.strikes(execution)), None)
        if failure is not None and not failure.after:
            raise failure.error
        value = self._carried_out(execution)
        if failure is not None:
            raise failure.error
        return value

    def _carried_out(self, execution: Execution) -> object:
        for step, mock in self._mocks.items():
            if _named(step, execution):
                return mock.execute(execution)
        return execution.carry_out()


def _name(step: object) -> str:
    """Return the name of a step, or the name or key that was given."""
    return step if isinstance(step, str) else as_step(step).name


def _named(step: str, execution: Execution) -> bool:
    return step in (execution.key, name_of(execution.key))
