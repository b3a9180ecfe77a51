"""The queue takes any number of messages and holds each back for its delay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from everstep.core.model import Message, MessageKind, Outgoing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.backends import Backend


@pytest.fixture(autouse=True)
def nothing_left_over(backend: Backend) -> Iterator[None]:
    yield
    backend.receive_all()


def step(n: int) -> Message:
    return Message(
        run_id="run", kind=MessageKind.STEP, token=f"t{n}", op=f"schön/2/a#{n}", attempt=1, due=9
    )


def tokens(messages: list[Message]) -> list[str]:
    return sorted(each.token for each in messages)


def test_a_message_arrives_as_it_was_sent(backend: Backend) -> None:
    backend.queue.send([Outgoing(message=step(1))])
    assert backend.receive_all() == [step(1)]


def test_sending_nothing_is_nothing(backend: Backend) -> None:
    backend.queue.send([])
    assert backend.receive_all() == []


@pytest.mark.parametrize("count", [2, 10, 11, 23])
def test_every_message_of_many_arrives_once(backend: Backend, count: int) -> None:
    sent = [step(n) for n in range(count)]
    backend.queue.send([Outgoing(message=message) for message in sent])
    assert tokens(list(backend.receive_all())) == tokens(sent)


def test_delayed_messages_do_not_arrive_at_once(backend: Backend) -> None:
    before = backend.delayed()
    backend.queue.send([Outgoing(message=step(1), delay=900)])
    backend.queue.send([Outgoing(message=step(n), delay=n) for n in (0, 899, 900)])
    assert tokens(list(backend.receive_all())) == ["t0"]
    assert backend.delayed() == before + 3
