"""``@workflow``: an ``async def`` that survives every crash."""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, cast, overload

from everstep.authoring.annotations import Annotations, local_names
from everstep.authoring.context import Context
from everstep.core.durations import run_retention, run_timeout
from everstep.core.errors import DefinitionError
from everstep.core.keys import check_name
from everstep.core.shapes import Shape, shape_of
from everstep.core.spending import to_nanos

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import timedelta

    from everstep.core.session import Session

In = TypeVar("In")
Out = TypeVar("Out")
_CONTEXT_AND_INPUT = 2
MOST_STEPS: Final = 1000
"""So many steps may a message carry out at most."""


class Workflow(Generic[In, Out]):
    """A workflow: its code, its name and version, and the shapes of input and output.

    Attributes:
        fn: The plain ``async def``.
        name: Name in URLs, lists and logs.
        version: A run stays on the version that it started with.
        takes_input: Whether the function has a second parameter.
        timeout: How long a run may take, in milliseconds; None for ever.
        retention: How long a run is kept after its end, in milliseconds; None for ever.
        steps_per_message: How many steps one message may carry out; None for what the deployment
            says.
        budget: What a run may cost, in billionths of a dollar; None for any amount.
    """

    def __init__(  # noqa: PLR0913 - options, all by name
        self,
        fn: Callable[..., Coroutine[Any, Any, Out]],
        *,
        name: str | None = None,
        version: str = "1",
        timeout: float | timedelta | None = None,
        retention: float | timedelta | None = None,
        steps_per_message: int | None = None,
        budget: float | None = None,
        names: dict[str, Any] | None = None,
    ) -> None:
        """Check the declaration, so that mistakes show at import.

        Raises:
            DefinitionError: Not an ``async def`` with one or two parameters, or a bad name,
                time-out, retention, number of steps or budget.
        """
        self._input_name = _check_function(fn)
        self.fn = fn
        self.name = check_name(name or fn.__name__, "the name of a workflow")
        self.version = check_name(version, f"the version of workflow {self.name}")
        self.takes_input = self._input_name is not None
        try:
            self.timeout = None if timeout is None else run_timeout(timeout)
            self.retention = None if retention is None else run_retention(retention)
            self.budget = None if budget is None else to_nanos(budget)
        except (TypeError, ValueError) as error:
            raise DefinitionError(f"workflow {self.name}: {error}") from error
        self.steps_per_message = _check_steps(self.name, steps_per_message)
        self._annotations = Annotations(fn, names or {})

    @cached_property
    def input(self) -> Shape[In]:
        """Return the shape of the input; None only, if the workflow takes none."""
        if self._input_name is None:
            return cast("Shape[In]", shape_of(type(None)))
        return cast("Shape[In]", shape_of(self._annotations.of(self._input_name)))

    @cached_property
    def output(self) -> Shape[Out]:
        """Return the shape of the output."""
        return cast("Shape[Out]", shape_of(self._annotations.of("return")))

    def begin(self, session: Session, input_text: str) -> Coroutine[Any, Any, Out]:
        """Return the coroutine of a new pass over the code."""
        context = Context(session, self.input.encode)
        if not self.takes_input:
            return self.fn(context)
        return self.fn(context, self.input.decode(input_text))

    def encode_output(self, value: object) -> str:
        """Return the recorded text of what the workflow returned."""
        return self.output.encode(value)

    def __repr__(self) -> str:
        return f"<workflow {self.name} version {self.version}>"


class WorkflowDecorator(Protocol):
    """What ``workflow(…)`` with options returns."""

    @overload
    def __call__(
        self, fn: Callable[[Context, In], Coroutine[Any, Any, Out]], /
    ) -> Workflow[In, Out]: ...
    @overload
    def __call__(
        self, fn: Callable[[Context], Coroutine[Any, Any, Out]], /
    ) -> Workflow[None, Out]: ...


@overload
def workflow(fn: Callable[[Context, In], Coroutine[Any, Any, Out]], /) -> Workflow[In, Out]: ...
@overload
def workflow(fn: Callable[[Context], Coroutine[Any, Any, Out]], /) -> Workflow[None, Out]: ...
@overload
def workflow(
    *,
    name: str | None = None,
    version: str = "1",
    timeout: float | timedelta | None = None,
    retention: float | timedelta | None = None,
    steps_per_message: int | None = None,
    budget: float | None = None,
) -> WorkflowDecorator: ...
def workflow(  # noqa: PLR0913 - options, all by name
    fn: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    version: str = "1",
    timeout: float | timedelta | None = None,
    retention: float | timedelta | None = None,
    steps_per_message: int | None = None,
    budget: float | None = None,
) -> Any:
    """Declare a workflow, with or without parentheses.

    Args:
        fn: An ``async def (ctx, input)`` or ``async def (ctx)``. Input and output are checked
            and recorded by their annotations.
        name: Name in URLs and lists; the function's own name if not given.
        version: Version for the runs that start on this code.
        timeout: How long a run may take, from its beginning; for ever if not given.
        retention: How long a run is kept after its end, at least an hour; for ever if not given.
        steps_per_message: How many steps one invocation may carry out, one after another, before
            it sends a message for the next; what the deployment says if not given: usually 1.
        budget: What a run may cost, in dollars, as the engine counts; it stands still before it
            goes on with more. Any amount if not given.

    Raises:
        DefinitionError: The function cannot be a workflow; the message says why.
    """
    names = local_names(1)

    def declare(function: Callable[..., Any]) -> Workflow[Any, Any]:
        return Workflow(
            function,
            name=name,
            version=version,
            timeout=timeout,
            retention=retention,
            steps_per_message=steps_per_message,
            budget=budget,
            names=names,
        )

    return declare if fn is None else declare(fn)


def _check_steps(workflow: str, steps: object) -> int | None:
    whole = isinstance(steps, int) and not isinstance(steps, bool)
    if steps is not None and not (whole and 1 <= cast("int", steps) <= MOST_STEPS):
        raise DefinitionError(
            f"workflow {workflow}: steps_per_message must be a whole number from 1 to "
            f"{MOST_STEPS}, not {steps!r}"
        )
    return cast("int | None", steps)


def _check_function(fn: Callable[..., Any]) -> str | None:
    """Return the name of the input parameter, if the function has one."""
    name = getattr(fn, "__qualname__", repr(fn))
    if not inspect.iscoroutinefunction(fn):
        raise DefinitionError(f"workflow {name} must be an async def function")
    parameters = list(inspect.signature(fn).parameters.values())
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if not 1 <= len(parameters) <= _CONTEXT_AND_INPUT or any(
        p.kind not in positional for p in parameters
    ):
        raise DefinitionError(
            f"workflow {name} must take (ctx) or (ctx, input); put several inputs into one model"
        )
    return parameters[1].name if len(parameters) == _CONTEXT_AND_INPUT else None
