"""What was taken, as numbers and as the short text that is recorded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everstep.core.spending import INVOCATION, NOTHING, Spent, digits, sends_for, together

spendings = st.builds(Spent, *[st.integers(0, 10**9)] * 10, st.integers(-(10**9), 10**9))


@given(spendings)
def test_what_was_taken_reads_back_the_same(spent: Spent) -> None:
    assert Spent.read(spent.text) == spent


@given(spendings, spendings)
def test_two_texts_one_after_the_other_are_their_sum(one: Spent, other: Spent) -> None:
    assert Spent.read(one.text + other.text) == one + other == together((one.text, other.text))
    assert (one + other) - other == one


@pytest.mark.parametrize("number", [0, 1, 35, 36, 2520, 10**12])
def test_numbers_have_the_base_36(number: int) -> None:
    assert int(digits(number), 36) == number
    assert int(digits(-number), 36) == -number


def test_nothing_is_an_empty_text() -> None:
    assert (NOTHING.text, bool(NOTHING), Spent.read("")) == ("", False, NOTHING)


def test_a_usual_step_takes_a_few_bytes() -> None:
    usual = Spent(2, 2, 1, 0, 1, share=INVOCATION // 10, millis=31)
    assert usual.text == "D2R2W1Q1I70Tv"
    assert usual


def test_a_mark_that_is_not_known_is_passed_by() -> None:
    assert Spent.read("D1Z9W2") == Spent(requests=1, writes=2)


def test_units_are_told_as_they_are_billed() -> None:
    spent = Spent(half_reads=3, share=INVOCATION // 4, millis=2_000, extra=2_000 * 256)
    assert (spent.read_units, spent.invocations, spent.polls) == (1.5, 0.25, 0.5)
    assert spent.gb_seconds == 1.0


def test_a_call_of_the_api_is_no_message_of_a_queue() -> None:
    spent = Spent(calls=1, share=INVOCATION)
    assert (spent.invocations, spent.polls) == (1, 0)


def test_more_in_one_respect_is_not_within() -> None:
    assert Spent(requests=1).within(Spent(requests=1, writes=1))
    assert not Spent(requests=1, sends=1).within(Spent(requests=9))


@pytest.mark.parametrize(("messages", "requests"), [(0, 0), (1, 1), (10, 1), (11, 2)])
def test_ten_messages_are_one_request(messages: int, requests: int) -> None:
    assert sends_for(messages) == requests
