"""Branches side by side: what ``ctx.gather``, ``race``, ``map`` and so on ask for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from everstep.authoring.batches import Batch
from everstep.authoring.callbacks import Callback
from everstep.authoring.steps import Step
from everstep.core.completion import ALL_OR_FIRST_FAILURE, FIRST, Completion
from everstep.core.durations import to_millis
from everstep.core.errors import DefinitionError, OperationTimeout
from everstep.core.operations import GroupCall, Operation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
    from datetime import timedelta

    from everstep.authoring.context import Context
    from everstep.core.completion import Reason
    from everstep.core.operations import BranchEnd
    from everstep.core.session import Session

T = TypeVar("T")


def gathered(session: Session, awaitables: Sequence[Awaitable[Any]]) -> GroupCall:
    """Return the group that waits for all, or for the first error."""
    begin = _adopted(session, awaitables, "ctx.gather")
    return GroupCall(
        verb="gather",
        begin=begin,
        total=len(awaitables),
        completion=ALL_OR_FIRST_FAILURE,
        answer=_all_values,
    )


def raced(session: Session, awaitables: Sequence[Awaitable[Any]]) -> GroupCall:
    """Return the group that waits for whatever ends first.

    Raises:
        DefinitionError: Nothing to wait for.
    """
    if not awaitables:
        raise DefinitionError("ctx.race needs something to wait for")
    begin = _adopted(session, awaitables, "ctx.race")
    return GroupCall(
        verb="race", begin=begin, total=len(awaitables), completion=FIRST, answer=_first_value
    )


def limited(context: Context, awaitable: Awaitable[Any], timeout: float | timedelta) -> GroupCall:
    """Return the group that waits for one thing, or until its time is up."""
    session = context._session  # noqa: SLF001 - the other half of the same thing
    to_millis(timeout, "ctx.wait_for(timeout)")
    begin = _adopted(session, [awaitable], "ctx.wait_for")
    first, second = begin, lambda: context.sleep(timeout, "timeout")

    def branch(index: int) -> Coroutine[Any, Any, object]:
        return _called(second) if index else first(0)

    def answer(_reason: Reason, _begun: int, ends: Sequence[BranchEnd]) -> object:
        if ends[0].index:
            raise OperationTimeout(f"it took longer than {timeout}")
        return _value(ends[0])

    return GroupCall(verb="wait_for", begin=branch, total=2, completion=FIRST, answer=answer)


def scoped(begin: Callable[[], Coroutine[Any, Any, object]], verb: str = "scope") -> GroupCall:
    """Return the group of one branch."""
    return GroupCall(
        verb=verb,
        begin=lambda _index: _called(begin),
        total=1,
        completion=ALL_OR_FIRST_FAILURE,
        answer=_only_value,
    )


def mapped(
    context: Context,
    fn: Any,  # noqa: ANN401 - checked here
    items: Iterable[Any],
    completion: Completion,
    lanes: int | None,
) -> GroupCall:
    """Return the group with one branch per item.

    Raises:
        DefinitionError: Neither a step nor an ``async def``.
    """
    values = list(items)
    if not isinstance(fn, Step) and not inspect.iscoroutinefunction(fn):
        raise DefinitionError(
            f"ctx.map takes a step or an async def (ctx, item), not {fn!r}; make it a step"
        )

    def begin(index: int) -> Coroutine[Any, Any, object]:
        if isinstance(fn, Step):
            return _called(context.step, fn, values[index])
        return _called(fn, context, values[index])

    return _batch("map", begin, range(len(values)), completion, lanes, listed=True)


def parallel(
    context: Context,
    branches: Sequence[Callable[[Any], Any]] | Mapping[str, Callable[[Any], Any]],
    completion: Completion,
    lanes: int | None,
) -> GroupCall:
    """Return the group with these branches."""
    named = isinstance(branches, Mapping)
    names: Sequence[Any] = list(branches) if named else range(len(branches))
    functions = list(branches.values()) if isinstance(branches, Mapping) else list(branches)
    for name, fn in zip(names, functions, strict=True):
        if not inspect.iscoroutinefunction(fn):
            raise DefinitionError(f"branch {name!r} of ctx.parallel must be an async def (ctx)")
    return _batch(
        "parallel",
        lambda index: _called(functions[index], context),
        names,
        completion,
        lanes,
        listed=not named,
    )


def completion_of(
    call: str,
    *,
    min_successful: int | None,
    tolerated_failures: int | None,
    tolerated_failure_ratio: float | None,
) -> Completion:
    """Return what a batch waits for.

    Raises:
        DefinitionError: A number that makes no sense, named.
    """
    if min_successful is not None and min_successful < 1:
        _refuse(call, "min_successful", "at least 1", min_successful)
    if tolerated_failures is not None and tolerated_failures < 0:
        _refuse(call, "tolerated_failures", "0 or more", tolerated_failures)
    ratio = tolerated_failure_ratio
    if ratio is not None and not 0 <= ratio <= 1:
        _refuse(call, "tolerated_failure_ratio", "between 0 and 1", ratio)
    if tolerated_failures is None and ratio is None:
        tolerated_failures = 0
    return Completion(
        min_successful=min_successful,
        tolerated_failures=tolerated_failures,
        tolerated_ratio=ratio,
    )


def lanes_of(call: str, max_concurrency: int | None) -> int | None:
    """Return how many branches run at the same time at most.

    Raises:
        DefinitionError: Less than one.
    """
    if max_concurrency is not None and max_concurrency < 1:
        _refuse(call, "max_concurrency", "at least 1, or None for no limit", max_concurrency)
    return max_concurrency


def _refuse(call: str, name: str, allowed: str, given: object) -> NoReturn:
    raise DefinitionError(f"{call}: {name} must be {allowed}, not {given!r}")


def _batch(
    verb: str,
    begin: Callable[[int], Coroutine[Any, Any, object]],
    names: Sequence[Any],
    completion: Completion,
    lanes: int | None,
    *,
    listed: bool,
) -> GroupCall:
    def answer(reason: Reason, begun: int, ends: Sequence[BranchEnd]) -> object:
        return Batch.of(names, reason, begun, ends, listed=listed)

    return GroupCall(
        verb=verb,
        begin=begin,
        total=len(names),
        completion=completion,
        lanes=lanes,
        answer=answer,
    )


def _adopted(
    session: Session, awaitables: Sequence[Awaitable[Any]], call: str
) -> Callable[[int], Coroutine[Any, Any, object]]:
    """Take over what was handed to a group: the group awaits it, or lets it go."""
    for awaitable in awaitables:
        if isinstance(awaitable, Operation):
            awaitable.adopt()
        elif inspect.iscoroutine(awaitable):
            session.kept.append(awaitable)
        elif not isinstance(awaitable, Callback):
            raise DefinitionError(
                f"{call} takes operations of ctx, callbacks and coroutines, not "
                f"{type(awaitable).__name__}"
            )

    def begin(index: int) -> Coroutine[Any, Any, object]:
        awaitable = awaitables[index]
        if isinstance(awaitable, Operation | Callback):
            return _alone(awaitable)
        coroutine: Coroutine[Any, Any, object] = awaitable  # type: ignore[assignment]  # checked above
        return coroutine

    return begin


async def _called(fn: Callable[..., Awaitable[T]], *args: Any) -> T:  # noqa: ANN401 - whatever fn takes
    """Call within the branch, so that a mistake in the call is the branch's."""
    return await fn(*args)


async def _alone(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _value(end: BranchEnd) -> object:
    if end.error is not None:
        raise end.error
    return end.value


def _all_values(_reason: Reason, _begun: int, ends: Sequence[BranchEnd]) -> object:
    failed = [end for end in ends if end.error is not None]
    if failed:
        return _value(failed[0])
    return [end.value for end in sorted(ends, key=lambda end: end.index)]


def _first_value(_reason: Reason, _begun: int, ends: Sequence[BranchEnd]) -> object:
    return ends[0].index, _value(ends[0])


def _only_value(_reason: Reason, _begun: int, ends: Sequence[BranchEnd]) -> object:
    return _value(ends[0])
