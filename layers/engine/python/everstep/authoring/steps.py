"""``@step``: a function whose every call is recorded, retried and never repeated once done."""

from __future__ import annotations

import inspect
from functools import cached_property, lru_cache
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Generic,
    NoReturn,
    ParamSpec,
    Protocol,
    TypeVar,
    cast,
    overload,
)

from everstep.authoring.annotations import Annotations, local_names
from everstep.core.durations import to_millis
from everstep.core.errors import DefinitionError
from everstep.core.keys import check_name
from everstep.core.operations import StepCall, StepTerms
from everstep.core.shapes import Shape, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import timedelta

    from everstep.core.retry import Retry

P = ParamSpec("P")
R = TypeVar("R")
# A step that returns an int serves where a float is wanted.
R_co = TypeVar("R_co", covariant=True)
_BY_POSITION: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)
# "Not given", where None has a meaning of its own.
_KEEP: Any = object()


class Step(Generic[P, R_co]):
    """A step: a plain ``def`` or ``async def`` function and how it is tried.

    Attributes:
        fn: The plain function, to be called directly in tests.
        name: Its name in keys, history and logs.
        retry: When and how often a failed attempt is repeated; None for as the deployment says.
        timeout: Longest time of one attempt in milliseconds; None for what the platform allows.
        at_most_once: Whether an attempt that may have begun is never made again.
        probe: Finds out what became of an attempt that left no result.
    """

    def __init__(  # noqa: PLR0913 - options by name, as in ``step``
        self,
        fn: Callable[P, Any],
        *,
        name: str | None = None,
        retry: Retry | None = None,
        timeout: float | timedelta | None = None,
        at_most_once: bool = False,
        probe: Callable[..., Any] | None = None,
        names: dict[str, Any] | None = None,
    ) -> None:
        """Check the declaration, so that mistakes show at import.

        Raises:
            DefinitionError: No callable, no usable name, a time-out that makes no sense, or a
                probe that nothing asks.
        """
        if not callable(fn):
            raise DefinitionError(f"a step must be a function, not {type(fn).__name__}")
        self.fn = fn
        self.name = check_name(name or _own_name(fn), "the name of a step")
        self.retry = retry
        self.timeout = _timeout(timeout, self.name)
        self.at_most_once = at_most_once
        self.probe = _probe(probe, self.name, at_most_once=at_most_once)
        self._names = names or {}
        self._annotations = Annotations(fn, self._names)

    # Type checkers see no call at all: they reject it, and never take a step for a plain function.
    if not TYPE_CHECKING:  # pragma: no branch - always so when it runs

        def __call__(self, *_args: object, **_kwargs: object) -> NoReturn:
            """Refuse a direct call, which would run the step without recording it.

            Raises:
                DefinitionError: Always; it says what to write instead.
            """
            raise DefinitionError(
                f"step {self.name} was called directly: write await ctx.step({self.name}, …) in a "
                f"workflow, or {self.name}.fn(…) for the plain function"
            )

    def with_options(
        self,
        *,
        name: str = _KEEP,
        retry: Retry | None = _KEEP,
        timeout: float | timedelta | None = _KEEP,
        at_most_once: bool = _KEEP,
        probe: Callable[..., Any] | None = _KEEP,
    ) -> Step[P, R_co]:
        """Return a copy of this step with some options changed."""
        kept = None if self.timeout is None else self.timeout / 1000
        return Step(
            self.fn,
            name=self.name if name is _KEEP else name,
            retry=self.retry if retry is _KEEP else retry,
            timeout=kept if timeout is _KEEP else timeout,
            at_most_once=self.at_most_once if at_most_once is _KEEP else at_most_once,
            probe=self.probe if probe is _KEEP else probe,
            names=self._names,
        )

    def call(self, args: tuple[object, ...], kwargs: dict[str, object]) -> StepCall:
        """Return the call of this step with these arguments.

        Raises:
            DefinitionError: The arguments do not fit the function, or its results cannot be
                recorded.
        """
        arguments = self._bound(args, kwargs)
        if self.probe is not None:
            self._check_probe(self.probe, args, kwargs)
        return StepCall(self._terms, args, kwargs, arguments)

    def _bound(self, args: tuple[object, ...], kwargs: dict[str, object]) -> dict[str, object]:
        names = self._positional
        if not kwargs and names is not None and len(names) == len(args):
            return dict(zip(names, args))  # noqa: B905 - they are equally many
        try:
            return dict(self._signature.bind(*args, **kwargs).arguments)
        except TypeError as error:
            raise DefinitionError(f"step {self.name}: {error}") from error

    def _check_probe(
        self, probe: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> None:
        """Refuse arguments that the probe does not take, before it is needed."""
        try:
            inspect.signature(probe).bind(*args, **kwargs)
        except TypeError as error:
            raise DefinitionError(
                f"the probe of step {self.name} must take the arguments of the step: {error}"
            ) from error

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.fn)

    @cached_property
    def _positional(self) -> tuple[str, ...] | None:
        """Return the parameters if all can be given by position: to bind those takes no time."""
        parameters = self._signature.parameters.values()
        plain = all(each.kind in _BY_POSITION for each in parameters)
        return tuple(each.name for each in parameters) if plain else None

    @cached_property
    def _terms(self) -> StepTerms:
        shape: Shape[Any] = shape_of(self._annotations.of("return"))
        shape.check()
        return StepTerms(
            fn=self.fn,
            retry=self.retry,
            timeout=self.timeout,
            result=shape,
            at_most_once=self.at_most_once,
            probe=self.probe,
        )

    def __repr__(self) -> str:
        return f"<step {self.name}>"


class StepDecorator(Protocol):
    """What ``step(…)`` with options returns."""

    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]], /) -> Step[P, R]: ...
    @overload
    def __call__(self, fn: Callable[P, R], /) -> Step[P, R]: ...


@overload
def step(fn: Callable[P, Coroutine[Any, Any, R]], /) -> Step[P, R]: ...
@overload
def step(fn: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *,
    name: str | None = None,
    retry: Retry | None = None,
    timeout: float | timedelta | None = None,
    at_most_once: bool = False,
    probe: Callable[..., Any] | None = None,
) -> StepDecorator: ...
def step(
    fn: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    retry: Retry | None = None,
    timeout: float | timedelta | None = None,
    at_most_once: bool = False,
    probe: Callable[..., Any] | None = None,
) -> Any:
    """Declare a step, with or without parentheses.

    Args:
        fn: A ``def`` or ``async def``; its result is recorded by its return annotation.
        name: Name in keys and history; the function's own name if not given.
        retry: The retry policy; if not given, the deployment's: three attempts with growing
            delays, unless it is configured otherwise.
        timeout: Longest time of one attempt in seconds or as ``timedelta``; real time. If not
            given, the deployment's, or what the function has left.
        at_most_once: Never make an attempt again that may have begun. If one left no result the
            probe decides; without a probe the step fails with ``StepInterrupted``.
        probe: A function of the step's arguments. It returns what the step would have, or raises
            ``StepNotExecuted``; anything else it raises means that it cannot tell yet.

    Raises:
        DefinitionError: An option that makes no sense, named with what is allowed.
    """
    names = local_names(1)

    def declare(function: Callable[..., Any]) -> Step[..., Any]:
        return Step(
            function,
            name=name,
            retry=retry,
            timeout=timeout,
            at_most_once=at_most_once,
            probe=probe,
            names=names,
        )

    return declare if fn is None else declare(fn)


def as_step(fn: object) -> Step[..., Any]:
    """Return a step for whatever ``ctx.step`` was given: a step, or any named function.

    Raises:
        DefinitionError: Something that cannot be a step.
    """
    if isinstance(fn, Step):
        return fn
    # Only what lives as long as its module is kept: a local function or a bound method is another
    # one in every pass, and would keep the data of its run in memory.
    lasts = inspect.isfunction(fn) and "<locals>" not in fn.__qualname__
    return _plain_step(fn) if lasts else Step(cast("Any", fn))


@lru_cache(maxsize=256)
def _plain_step(fn: Callable[..., Any]) -> Step[..., Any]:
    return Step(fn)


def _own_name(fn: object) -> str:
    name = getattr(fn, "__name__", "")
    if not name or name == "<lambda>":
        raise DefinitionError(f"{fn!r} has no name of its own: give it one with step(name=…)")
    return str(name)


def _probe(probe: object, name: str, *, at_most_once: bool) -> Callable[..., Any] | None:
    if probe is None:
        return None
    if not at_most_once:
        raise DefinitionError(f"step {name}: a probe needs at_most_once=True")
    if isinstance(probe, Step) or not callable(probe):
        raise DefinitionError(f"step {name}: probe must be a plain function, not {probe!r}")
    return probe


def _timeout(timeout: float | timedelta | None, name: str) -> int | None:
    if timeout is None:
        return None
    try:
        millis = to_millis(timeout, f"step {name}: timeout")
    except (TypeError, ValueError) as error:
        raise DefinitionError(str(error)) from error
    if millis == 0:
        raise DefinitionError(f"step {name}: timeout must be longer than 0")
    return millis
