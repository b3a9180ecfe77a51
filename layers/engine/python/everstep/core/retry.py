"""What a failed attempt of a step leads to."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from everstep.core.durations import to_millis
from everstep.core.errors import DefinitionError, NonRetryable, RetryAfter

if TYPE_CHECKING:
    from datetime import timedelta

_LARGEST: Final = 2**53


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Say how often, how patiently and for which errors a step is tried.

    The delay after attempt n is ``initial_delay * factor ** (n - 1)``, at most ``max_delay``;
    ``factor=1`` keeps it fixed. Jitter only shortens a delay: it takes between half and all of
    it, chosen by the run, the operation and the attempt, so that a replay computes the same.

    Args:
        max_attempts: Attempts in all, not retries; at least 1.
        initial_delay: Seconds or ``timedelta`` after the first attempt.
        factor: Growth of the delay from attempt to attempt; at least 1.
        max_delay: Upper bound of a delay.
        jitter: Spread the delays, so that many runs do not come back at once.
        retry_on: Exception classes worth another attempt.
        no_retry_on: Exception classes that are not, even if ``retry_on`` names them.

    Raises:
        DefinitionError: A value that makes no sense, named with what is allowed.
    """

    max_attempts: int = 3
    initial_delay: float | timedelta = 1
    factor: float = 2
    max_delay: float | timedelta = 300
    jitter: bool = True
    retry_on: tuple[type[BaseException], ...] = (Exception,)
    no_retry_on: tuple[type[BaseException], ...] = ()
    _initial: int = field(init=False, repr=False, compare=False, default=0)
    _longest: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        """Check every value where it is written, not when the first step fails."""
        if (
            isinstance(self.max_attempts, bool)
            or not isinstance(self.max_attempts, int)
            or self.max_attempts < 1
        ):
            raise DefinitionError(
                f"Retry(max_attempts=…) must be a whole number from 1, not {self.max_attempts!r}"
            )
        if (
            isinstance(self.factor, bool)
            or not isinstance(self.factor, int | float)
            or not 1 <= self.factor < _LARGEST
        ):
            message = f"Retry(factor=…) must be a number of at least 1, not {self.factor!r}"
            raise DefinitionError(message)
        _check_delays(self)
        _check_classes("retry_on", self.retry_on)
        _check_classes("no_retry_on", self.no_retry_on)

    @classmethod
    def never(cls) -> Retry:
        """Return the policy of one attempt."""
        return cls(max_attempts=1)

    def backoff(self, attempt: int, seed: str) -> int:
        """Return the delay after a failed attempt in milliseconds, jitter included."""
        delay = int(min(self._initial * self._growth(attempt - 1), self._longest))
        return delay - int(delay * _unit(f"{seed}/{attempt}") / 2) if self.jitter else delay

    def _growth(self, failures: int) -> float:
        """Return ``factor ** failures``, but not more than any delay can use."""
        if self.factor == 1:
            return 1.0
        enough = math.log(_LARGEST) / math.log(self.factor)
        return math.pow(self.factor, min(failures, enough))

    def delay_after(self, error: BaseException, attempt: int, seed: str) -> int | None:
        """Return how long to wait before the next attempt in milliseconds, or None to give up."""
        if attempt >= self.max_attempts or isinstance(error, NonRetryable):
            return None
        if isinstance(error, RetryAfter):
            return error.delay_millis
        if isinstance(error, self.no_retry_on) or not isinstance(error, self.retry_on):
            return None
        return self.backoff(attempt, seed)

    def names(self, error: type[BaseException]) -> bool:
        """Say whether ``retry_on`` names just this class, and not only one that it derives from."""
        return error in self.retry_on


def _check_delays(retry: Retry) -> None:
    try:
        initial = to_millis(retry.initial_delay, "Retry(initial_delay=…)")
        longest = to_millis(retry.max_delay, "Retry(max_delay=…)")
    except (TypeError, ValueError) as error:
        raise DefinitionError(str(error)) from error
    object.__setattr__(retry, "_initial", initial)
    object.__setattr__(retry, "_longest", longest)


def _check_classes(what: str, classes: object) -> None:
    good = isinstance(classes, tuple) and all(
        isinstance(c, type) and issubclass(c, BaseException) for c in classes
    )
    if not good:
        message = f"Retry({what}=…) must be a tuple of exception classes, not {classes!r}"
        raise DefinitionError(message)


def _unit(seed: str) -> float:
    """Return a number in [0, 1) that depends on the seed alone."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:6], "big") / 2**48
