"""What goes wrong with API keys; it hangs in the tree of ``errors`` under RequestError.

None of these texts repeats a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEY_ID_SHOWN: Final = 12


class KeyNotFoundError(RequestError):
    """Say that there is no API key with this id."""

    def __init__(self, key_id: str) -> None:
        """Name it; more than an id is not repeated, it might be a whole key."""
        super().__init__(f"there is no key {key_id[:_KEY_ID_SHOWN]}")


class NoKeyError(RequestError):
    """Say that a call came without a key that is good."""

    def __init__(self) -> None:
        """Say how to give one, and nothing of what was wrong with another."""
        super().__init__(
            "this call needs an API key that is good: send it as a bearer token in "
            "the header Authorization"
        )


class MissingScopeError(RequestError):
    """Say which scope a call needs that its key does not have.

    Attributes:
        needs: That scope.
        scopes: Those that the key has.
    """

    def __init__(self, needs: str, scopes: Sequence[str]) -> None:
        """Name both."""
        self.needs = needs
        self.scopes = tuple(scopes)
        super().__init__(
            f"this call needs the scope {needs}; the key has: {', '.join(scopes) or 'none'}"
        )


class WorkflowNotAllowedError(RequestError):
    """Say that a key is not for this workflow.

    Attributes:
        workflows: Those that it is for.
    """

    def __init__(self, workflows: Sequence[str]) -> None:
        """Name them."""
        self.workflows = tuple(workflows)
        super().__init__(f"the key is limited to the workflows: {', '.join(workflows)}")


class RateExceededError(RequestError):
    """Say that a key has made as many calls in this minute as it may.

    Attributes:
        seconds: After how many seconds the next one can be made.
    """

    def __init__(self, rate: int, seconds: int) -> None:
        """Name the rate."""
        self.seconds = seconds
        super().__init__(f"the key may make {rate} calls a minute; try again in {seconds} s")
