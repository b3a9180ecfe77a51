"""What a test puts in place of steps: values, functions, failures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from everstep.authoring.steps import as_step
from everstep.core.keys import name_of
from everstep.testing.crash import Crash

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
        return replace(execution, fn=self.instead).carry_out()


@dataclass(slots=True, kw_only=True)
class _Failure:
    step: str
    error: BaseException | type[BaseException]
    most: int
    after: bool
    struck: set[tuple[str, str, int]] = field(default_factory=set)

    def _kills(self) -> bool:
        kind = self.error if isinstance(self.error, type) else type(self.error)
        return issubclass(kind, Crash)

    def strikes(self, execution: Execution) -> bool:
        """Say whether this execution fails; an attempt that is repeated fails again."""
        if self.step not in _names_of(execution):
            return False
        attempt = (execution.run_id, execution.key, execution.attempt)
        if self._kills():
            attempt = (execution.run_id, execution.key, -len(self.struck) - 1)
        if attempt not in self.struck and len(self.struck) == self.most:
            return False
        self.struck.add(attempt)
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
        times: int,
        after: bool,
    ) -> None:
        """Let the next attempts of a step fail."""
        failure = _Failure(step=_name(step), error=error, most=times, after=after)
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
        mock = next(
            (self._mocks[name] for name in _names_of(execution) if name in self._mocks), None
        )
        return execution.carry_out() if mock is None else mock.execute(execution)


def _names_of(execution: Execution) -> tuple[str, ...]:
    """Return what a test may call what is executed; a probe goes by its own name."""
    if execution.probe:
        return (getattr(execution.fn, "__name__", ""),)
    return execution.key, name_of(execution.key)


def _name(step: object) -> str:
    """Return the name of a step, or the name or key that was given."""
    return step if isinstance(step, str) else as_step(step).name
