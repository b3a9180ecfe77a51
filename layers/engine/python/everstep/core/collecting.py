"""Leave garbage alone while a pass goes over a long history: nearly all that it makes stays."""

from __future__ import annotations

import gc
from typing import Final

_LONG: Final = 64


class uncollected:  # noqa: N801 - used as a function is
    """Look for no cyclic garbage while the block runs, if there is much to go over.

    Python looks after every few hundred new objects. For a pass over a thousand branches that is a
    twentieth of the time, and what workflow code drops on the way can wait.
    """

    __slots__ = ("_pauses",)

    def __init__(self, operations: int) -> None:
        """Change nothing yet.

        Args:
            operations: How many are gone over.
        """
        self._pauses = operations >= _LONG

    def __enter__(self) -> None:
        """Stop looking, unless nobody looks anyway."""
        self._pauses = self._pauses and gc.isenabled()
        if self._pauses:
            gc.disable()

    def __exit__(self, *_: object) -> None:
        """Look again, if anybody did before."""
        if self._pauses:
            gc.enable()
