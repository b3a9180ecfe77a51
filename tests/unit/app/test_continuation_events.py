"""What was sent to a run goes over to the run that goes on in its place."""

from __future__ import annotations

from typing import Any

import pytest

from everstep import Context, workflow
from everstep.app.dead_letter import Buried, dead_letter
from everstep.app.events import send_event
from everstep.core import messages
from everstep.core.errors import IllegalStateError
from everstep.core.model import Event, Message, MessageKind, Payload
from everstep.testing import TestEngine
from tests.unit.app.test_continuation import chain, counts, head_of, listens


@workflow
async def takes_one(ctx: Context, first: str | None) -> list[Any]:
    word = await ctx.wait_for_event("word", str)
    if first is None:
        await ctx.sleep(60)
        await ctx.continue_as_new(word)
    return [first, word]


@pytest.fixture
def engine() -> TestEngine:
    return TestEngine([counts, listens, takes_one])


def test_what_no_wait_has_taken_goes_over_in_the_order_in_which_it_came(
    engine: TestEngine,
) -> None:
    run = engine.start(listens, 2)
    engine.run_until_idle()
    engine.send_event(run.id, "word", 1)
    engine.send_event(run.id, "other", 0)
    engine.advance(60)
    engine.send_event(run.id, "word", 2)
    engine.advance(60)
    assert chain(run)[-1].result == [1, 2]
    engine.verify()


def test_what_a_wait_has_taken_stays(engine: TestEngine) -> None:
    run = engine.start(takes_one, None)
    engine.send_event(run.id, "word", "a")
    engine.send_event(run.id, "word", "b")
    engine.advance(60)
    assert chain(run)[-1].result == ["a", "b"]


def test_the_same_event_again_is_kept_once_wherever_its_run_is_by_now(engine: TestEngine) -> None:
    run = engine.start(listens, 2)
    engine.run_until_idle()
    engine.send_event(run.id, "word", 1, idempotency_key="one")
    engine.advance(60)
    second = chain(run)[-1]
    engine.send_event(run.id, "word", 2, idempotency_key="two")
    ports = engine.ports
    again = send_event(ports, run.id, "word", 1, idempotency_key="one")
    assert (again.run_id, again.created) == (run.id, False)
    again = send_event(ports, run.id, "word", 2, idempotency_key="two")
    assert (again.run_id, again.number, again.created) == (second.id, 2, False)
    engine.advance(60)
    last = chain(run)[-1]
    assert last.result == [1, 2]
    # Its run has ended with it.
    assert not send_event(ports, run.id, "word", 1, idempotency_key="one").created
    with pytest.raises(IllegalStateError, match=f"run {last.id} is COMPLETED"):
        engine.send_event(run.id, "word", 3)


def test_an_event_that_came_a_moment_too_late_for_the_hand_over_is_handed_on_by_its_message(
    engine: TestEngine,
) -> None:
    run = engine.start(listens, 1)
    engine.advance(60)
    for number in (1, 2):
        payload = Payload(text=str(number), size=1)
        late = Event(name="word", number=number, payload=payload, at=0, key=f"late {number}")
        assert engine.ports.runs.put_event(run.id, late)
        # Its sender has died; the other one calls again.
        if number == 1:
            body = message(run.id, MessageKind.EVENT)
            assert dead_letter(engine.ports, "id", body) is Buried.NOTHING_OWED
        else:
            engine.send_event(run.id, "word", 2, idempotency_key="late 2")
    engine.run_until_idle()
    assert chain(run)[-1].result == [1, 2]


def message(run_id: str, kind: MessageKind, token: str = "") -> str:
    return messages.encode(Message(run_id=run_id, kind=kind, token=token or "nobody's"))


def test_a_message_that_has_nothing_to_do_with_the_hand_over_does_nothing(
    engine: TestEngine,
) -> None:
    run = engine.start(listens, 1)
    engine.advance(60)
    payload = Payload(text="1", size=1)
    late = Event(name="word", number=1, payload=payload, at=0, key="late")
    assert engine.ports.runs.put_event(run.id, late)
    assert dead_letter(engine.ports, "id", message(run.id, MessageKind.CANCEL)) is (
        Buried.NOTHING_OWED
    )
    successor = chain(run)[-1]
    history = engine.ports.runs.load(successor.id)
    assert history is not None
    assert history.events == ()


def test_a_dead_letter_of_who_handed_over_finishes_that(engine: TestEngine) -> None:
    run = engine.start(listens, 1)
    engine.run_until_idle()
    engine.send_event(run.id, "word", 1)
    engine.advance(60)
    token = head_of(engine, run.id).by
    letter = message(run.id, MessageKind.EVENT, token)
    assert dead_letter(engine.ports, "id", letter) is Buried.NOTHING_OWED
    engine.send_event(run.id, "word", 2)
    engine.run_until_idle()
    assert chain(run)[-1].result == [1, 2]


def test_a_dead_letter_of_a_run_that_ends_at_this_moment_owes_nothing(
    engine: TestEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = engine.start(counts, 3)
    engine.run_until_idle()
    ports = engine.ports
    monkeypatch.setattr(type(ports.runs), "load", lambda *_: None)
    assert dead_letter(ports, "id", message(run.id, MessageKind.EVENT)) is Buried.NOTHING_OWED
