"""What a failed attempt leads to, and which policies are refused."""

from datetime import timedelta
from typing import Any

import pytest

from everstep import NonRetryable, Retry, RetryAfter
from everstep.core.errors import DefinitionError

SEED = "run-1/charge#1"


class Fatal(NonRetryable):
    """A user's own way to stop."""


class CardDeclinedError(ValueError):
    """A user's error."""


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        (Retry(jitter=False), [1000, 2000, 4000, 8000]),
        (Retry(jitter=False, factor=1), [1000, 1000, 1000, 1000]),
        (Retry(jitter=False, initial_delay=0), [0, 0, 0, 0]),
        (Retry(jitter=False, factor=1.5), [1000, 1500, 2250, 3375]),
        (Retry(jitter=False, max_delay=3), [1000, 2000, 3000, 3000]),
        (Retry(jitter=False, initial_delay=timedelta(minutes=1), max_delay=30), [30000] * 4),
        (Retry(jitter=False, initial_delay=0.0001), [1, 2, 4, 8]),
    ],
    ids=str,
)
def test_delays_grow_by_the_factor_up_to_the_longest(policy: Retry, delays: list[int]) -> None:
    assert [policy.backoff(attempt, SEED) for attempt in (1, 2, 3, 4)] == delays


@pytest.mark.parametrize("factor", [1, 1 + 1e-15, 1.01, 2, 10, 1e15])
@pytest.mark.parametrize("attempt", [1, 50, 400, 10_000, 10**12])
def test_no_factor_and_no_attempt_overflows(factor: float, attempt: int) -> None:
    policy = Retry(factor=factor, max_delay=timedelta(days=365 * 7000), jitter=False)

    assert 1000 <= policy.backoff(attempt, SEED) <= 365 * 7000 * 86_400_000


def test_a_large_factor_reaches_the_longest_delay() -> None:
    assert Retry(factor=10, jitter=False).backoff(500, SEED) == 300_000


def test_jitter_only_shortens_a_delay_to_half_at_most() -> None:
    policy, steady = Retry(factor=3), Retry(factor=3, jitter=False)

    for attempt in range(1, 50):
        full = steady.backoff(attempt, SEED)
        assert full / 2 <= policy.backoff(attempt, SEED) <= full


def test_jitter_is_the_same_for_the_same_attempt_and_spreads_over_runs() -> None:
    delays = [Retry().backoff(3, f"run-{number}/charge#1") for number in range(100)]

    assert delays == [Retry().backoff(3, f"run-{number}/charge#1") for number in range(100)]
    assert len(set(delays)) > 80


@pytest.mark.parametrize(
    ("policy", "error", "attempt", "delay"),
    [
        (Retry(jitter=False), ValueError(), 1, 1000),
        (Retry(jitter=False), ValueError(), 2, 2000),
        (Retry(jitter=False), ValueError(), 3, None),
        (Retry(jitter=False), ValueError(), 4, None),
        (Retry.never(), ValueError(), 1, None),
        (Retry(), NonRetryable(), 1, None),
        (Retry(retry_on=(NonRetryable,)), Fatal("stop"), 1, None),
        (Retry(), RetryAfter(7), 1, 7000),
        (Retry(max_delay=1), RetryAfter(timedelta(days=1)), 1, 86_400_000),
        (Retry(), RetryAfter(0), 1, 0),
        (Retry(max_attempts=1), RetryAfter(7), 1, None),
        (Retry(retry_on=(KeyError,)), RetryAfter(7), 1, 7000),
        (Retry(retry_on=(KeyError,)), ValueError(), 1, None),
        (Retry(retry_on=()), ValueError(), 1, None),
        (Retry(jitter=False, retry_on=(KeyError, ValueError)), CardDeclinedError(), 1, 1000),
        (Retry(no_retry_on=(CardDeclinedError,)), CardDeclinedError(), 1, None),
        (
            Retry(retry_on=(CardDeclinedError,), no_retry_on=(ValueError,)),
            CardDeclinedError(),
            1,
            None,
        ),
        (Retry(jitter=False, no_retry_on=(CardDeclinedError,)), ValueError(), 1, 1000),
        (Retry(), SystemExit(1), 1, None),
        (Retry(jitter=False, retry_on=(SystemExit,)), SystemExit(1), 1, 1000),
    ],
    ids=[str(at) for at in range(20)],
)
def test_the_policy_says_when_the_next_attempt_comes(
    policy: Retry, error: BaseException, attempt: int, delay: int | None
) -> None:
    assert policy.delay_after(error, attempt, SEED) == delay


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"max_attempts": 0}, r"Retry\(max_attempts=…\) must be a whole number from 1, not 0"),
        ({"max_attempts": True}, "max_attempts"),
        ({"max_attempts": 2.0}, "max_attempts"),
        ({"max_attempts": "3"}, "max_attempts"),
        ({"factor": 0.5}, r"Retry\(factor=…\) must be a number of at least 1, not 0.5"),
        ({"factor": float("nan")}, "factor"),
        ({"factor": float("inf")}, "factor"),
        ({"factor": 10**400}, "factor"),
        ({"factor": True}, "factor"),
        ({"factor": "2"}, "factor"),
        ({"initial_delay": -1}, r"Retry\(initial_delay=…\) must be between 0"),
        ({"initial_delay": float("nan")}, "initial_delay"),
        ({"initial_delay": "1"}, "initial_delay"),
        ({"max_delay": True}, "max_delay"),
        ({"max_delay": float("inf")}, "max_delay"),
        ({"max_delay": 10**400}, "max_delay"),
        ({"retry_on": ValueError}, r"Retry\(retry_on=…\) must be a tuple of exception classes"),
        ({"retry_on": [ValueError]}, "retry_on"),
        ({"no_retry_on": (1,)}, "no_retry_on"),
        ({"no_retry_on": (int,)}, "no_retry_on"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_policy_that_makes_no_sense_says_which_value_and_what_is_allowed(
    options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(DefinitionError, match=complaint):
        Retry(**options)


def test_policies_compare_by_what_was_given() -> None:
    assert Retry() == Retry(max_attempts=3)
    assert Retry(factor=3) != Retry()


@pytest.mark.parametrize("delay", [-1, float("nan"), True, "1"])
def test_a_bad_delay_is_refused_where_it_is_raised(delay: float) -> None:
    with pytest.raises((TypeError, ValueError), match=r"RetryAfter\(delay\)"):
        RetryAfter(delay)


def test_retry_after_says_when_unless_it_has_a_message_of_its_own() -> None:
    assert str(RetryAfter(1.5)) == "try again after 1.5 s"
    assert str(RetryAfter(1.5, "rate limited")) == "rate limited"
