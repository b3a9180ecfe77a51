"""What run ids say about time: they are ULIDs, which sort by the millisecond they were made in."""

from __future__ import annotations

from typing import Final

# As everywhere where ULIDs are used: digits and letters without I, L, O, U.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LATEST: Final = 2**48 - 1
_TIME_LETTERS: Final = 10


def earliest_id(at: int) -> str:
    """Return what sorts before every run id made at an instant or later, and after all others.

    Args:
        at: Milliseconds since 1970; before that counts as 1970.
    """
    return letters(min(max(at, 0), LATEST), _TIME_LETTERS)


def letters(number: int, count: int) -> str:
    """Return a number in letters of the alphabet, the highest place first."""
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(count)))
