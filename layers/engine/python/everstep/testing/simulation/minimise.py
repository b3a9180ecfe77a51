"""Cut a failing schedule down to what it takes to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.testing.simulation.choices import Choice, Schedule

_MOST_PLAYS: Final = 1_000


def minimise(schedule: Schedule, fails: Callable[[Schedule], bool]) -> Schedule:
    """Return a part of the schedule that still fails, and of which no single choice can go.

    This is delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing
    Input", 2002) by complements, after a first try without any choice about the mere order. It
    ends after 1,000 plays with what it has by then.

    Args:
        schedule: The choices of a play that failed.
        fails: Plays a schedule again and says whether it fails in the same way.
    """
    plays = 0

    def still_fails(part: list[Choice]) -> bool:
        nonlocal plays
        plays += 1
        return plays <= _MOST_PLAYS and fails({choice: schedule[choice] for choice in part})

    kept = list(schedule)
    without_order = [choice for choice in kept if choice[0] != "order"]
    if len(without_order) < len(kept) and still_fails(without_order):
        kept = without_order
    size = max(len(kept) // 2, 1)
    while kept:
        shorter = _without_one_chunk(kept, size, still_fails)
        if shorter is not None:
            kept = shorter
            size = min(size, max(len(kept) // 2, 1))
        elif size == 1:
            break
        else:
            size //= 2
    return {choice: schedule[choice] for choice in kept}


def _without_one_chunk(
    kept: list[Choice], size: int, still_fails: Callable[[list[Choice]], bool]
) -> list[Choice] | None:
    for start in range(0, len(kept), size):
        part = kept[:start] + kept[start + size :]
        if still_fails(part):
            return part
    return None
