"""Events are kept once under their number, come back with the run, and go to one wait."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep.core.model import Event, Payload
from tests.contract.builders import NOW, make_head

if TYPE_CHECKING:
    from tests.contract.backends import Backend

FIRST = Event(name="paid", number=1, payload=Payload(text='{"a":1}', size=7), at=NOW, key="key")
SECOND = Event(name="paid", number=2, payload=Payload(ref="payloads/x", size=9), at=NOW + 1)
OTHER = Event(name="a name", number=10, payload=Payload(text="null", size=4), at=NOW)


@pytest.fixture
def run(backend: Backend, run_id: str, workflow: str) -> str:
    backend.runs.create(make_head(run_id, workflow), None)
    return run_id


def events(backend: Backend, run: str) -> tuple[Event, ...]:
    history = backend.runs.load(run)
    assert history is not None
    return history.events


def test_events_come_back_with_the_run_by_name_in_their_order(backend: Backend, run: str) -> None:
    for event in (SECOND, OTHER, FIRST):
        assert backend.runs.put_event(run, event)
    assert events(backend, run) == (OTHER, FIRST, SECOND)


def test_a_number_is_given_once(backend: Backend, run: str) -> None:
    assert backend.runs.put_event(run, FIRST)
    assert not backend.runs.put_event(run, replace(FIRST, key="other"))
    assert events(backend, run) == (FIRST,)


def test_one_wait_has_an_event_however_often_it_asks(backend: Backend, run: str) -> None:
    backend.runs.put_event(run, FIRST)
    assert backend.runs.claim_event(run, "paid", 1, "paid#1")
    assert backend.runs.claim_event(run, "paid", 1, "paid#1")
    assert not backend.runs.claim_event(run, "paid", 1, "gather#1/0/paid#1")
    assert events(backend, run) == (replace(FIRST, taken_by="paid#1"),)


def test_an_event_that_is_not_there_cannot_be_claimed(backend: Backend, run: str) -> None:
    assert not backend.runs.claim_event(run, "paid", 1, "paid#1")
    assert events(backend, run) == ()


def test_ten_events_sort_as_numbers(backend: Backend, run: str) -> None:
    for number in range(1, 12):
        backend.runs.put_event(run, replace(FIRST, number=number))
    assert [event.number for event in events(backend, run)] == list(range(1, 12))


def test_a_sign_of_life_takes_the_place_of_the_one_before(backend: Backend, run: str) -> None:
    sign = Event(name="approval#1", number=0, payload=Payload(), at=NOW)
    backend.runs.put_event(run, replace(sign, number=1, at=NOW + 3))
    for at in (NOW, NOW + 5, NOW + 2):
        backend.runs.replace_event(run, replace(sign, at=at))
    found = events(backend, run)
    assert [(each.number, each.at) for each in found] == [(0, NOW + 2), (1, NOW + 3)]


def test_what_is_replaced_keeps_nothing_of_what_was_there(backend: Backend, run: str) -> None:
    backend.runs.put_event(run, FIRST)
    backend.runs.claim_event(run, "paid", 1, "paid#1")
    bare = Event(name="paid", number=1, payload=Payload(), at=NOW + 9)
    backend.runs.replace_event(run, bare)
    assert events(backend, run) == (bare,)


def test_events_are_kept_under_the_key_of_an_operation_in_a_branch(
    backend: Backend, run: str
) -> None:
    answer = replace(FIRST, name="map#1/0/approval#1")
    assert backend.runs.put_event(run, answer)
    assert not backend.runs.put_event(run, answer)
    assert events(backend, run) == (answer,)
