"""``ctx.wait_for_condition``: a step that is tried until it shows what is waited for."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

from everstep.core.errors import ConditionNotMet, DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from everstep.authoring.context import Context

# "Not given", where None has a meaning of its own.
NO_STATE: Final[Any] = object()


async def poll(  # noqa: PLR0913 - what the public call takes
    ctx: Context,
    fn: Any,  # noqa: ANN401 - a step or a named function
    args: tuple[object, ...],
    *,
    until: Callable[[Any], bool],
    every: float | timedelta | Callable[[int], float | timedelta],
    max_attempts: int | None,
    initial: object,
) -> object:
    """Run a step again and again, sleeping durably in between.

    Raises:
        ConditionNotMet: It was run as often as it may.
    """
    state = initial
    for attempt in count(1):
        given = args if state is NO_STATE else (*args, state)
        value = await ctx.step(fn, *given)
        if until(value):
            return value
        if attempt == max_attempts:
            raise ConditionNotMet(attempt, value)
        if state is not NO_STATE:
            state = value
        await ctx.sleep(every(attempt) if callable(every) else every)
    raise AssertionError  # pragma: no cover - count() does not end


def check_limit(max_attempts: int | None) -> None:
    """Refuse a limit that makes no sense.

    Raises:
        DefinitionError: Less than one.
    """
    if max_attempts is not None and max_attempts < 1:
        raise DefinitionError(
            "ctx.wait_for_condition: max_attempts must be at least 1, or None for no limit, not "
            f"{max_attempts!r}"
        )
