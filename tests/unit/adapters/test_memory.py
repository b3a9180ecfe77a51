"""The queue in memory behaves as SQS does; clock, ids and store do as they are told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.queue import Delivery, MemoryQueue
from everstep.adapters.memory.store import MemoryStore
from everstep.core import transitions
from everstep.core.errors import MalformedMessageError
from everstep.core.model import Message, MessageKind, Outgoing
from tests.contract.builders import make_claim, make_head, make_record


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1000)


@pytest.fixture
def dead(clock: VirtualClock) -> MemoryQueue:
    return MemoryQueue(clock)


@pytest.fixture
def queue(clock: VirtualClock, dead: MemoryQueue) -> MemoryQueue:
    return MemoryQueue(clock, max_receives=2, dead_letters=dead)


def out(token: str, delay: int = 0) -> Outgoing:
    return Outgoing(message=Message(run_id="run", kind=MessageKind.START, token=token), delay=delay)


def receive(queue: MemoryQueue) -> Delivery:
    delivery = queue.receive(30)
    assert delivery is not None
    return delivery


def test_messages_come_by_the_time_they_are_visible_then_as_sent(
    queue: MemoryQueue, clock: VirtualClock
) -> None:
    queue.send([out("late", 2), out("first"), out("second"), out("sooner", 1)])
    clock.advance(2000)
    order = [receive(queue).message.token for _ in range(4)]
    assert order == ["first", "second", "sooner", "late"]


def test_a_delayed_message_comes_at_its_instant_and_not_before(
    queue: MemoryQueue, clock: VirtualClock
) -> None:
    queue.send([out("t", 900)])
    assert queue.next_visible_at() == 901_000
    clock.set(900_999)
    assert queue.receive(30) is None
    clock.set(901_000)
    assert receive(queue).message.token == "t"


@pytest.mark.parametrize("delay", [-1, 901])
def test_a_delay_that_sqs_refuses_is_refused(queue: MemoryQueue, delay: int) -> None:
    with pytest.raises(ValueError, match="0 to 900"):
        queue.send([out("good"), out("bad", delay)])
    assert queue.depth() == 0


def test_a_received_message_is_hidden_until_its_time_out(
    queue: MemoryQueue, clock: VirtualClock
) -> None:
    queue.send([out("t")])
    first = receive(queue)
    assert queue.receive(30) is None
    assert queue.next_visible_at() == 31_000
    clock.set(31_000)
    second = receive(queue)
    assert (first.message_id, first.receives) == (second.message_id, 1)
    assert second.receives == 2


def test_a_deleted_message_is_gone(queue: MemoryQueue) -> None:
    queue.send([out("t")])
    queue.delete(receive(queue))
    assert (queue.depth(), queue.next_visible_at()) == (0, None)


def test_a_receipt_that_was_replaced_deletes_nothing(
    queue: MemoryQueue, clock: VirtualClock
) -> None:
    queue.send([out("t")])
    zombie = receive(queue)
    clock.advance(30_000)
    receive(queue)
    queue.delete(zombie)
    queue.release(zombie)
    assert (queue.depth(), queue.receive(30)) == (1, None)


def test_a_released_message_comes_again_at_once(queue: MemoryQueue) -> None:
    queue.send([out("t")])
    queue.release(receive(queue))
    assert receive(queue).receives == 2


def test_a_message_that_is_received_too_often_becomes_a_dead_letter(
    queue: MemoryQueue, dead: MemoryQueue
) -> None:
    queue.send([out("poison"), out("good")])
    poison = receive(queue)
    queue.release(poison)
    queue.release(receive(queue))
    assert receive(queue).message.token == "good"
    letter = receive(dead)
    assert (letter.message_id, letter.body) == (poison.message_id, poison.body)
    assert letter.receives == 1


def test_without_a_dead_letter_queue_a_message_comes_for_ever(clock: VirtualClock) -> None:
    queue = MemoryQueue(clock, max_receives=1)
    queue.send([out("t")])
    for _ in range(3):
        queue.release(receive(queue))
    assert receive(queue).receives == 4


def test_a_duplicate_comes_also_after_its_message_was_deleted(queue: MemoryQueue) -> None:
    queue.send([out("t")])
    first = receive(queue)
    queue.delete(first)
    queue.duplicate(first)
    second = receive(queue)
    assert (second.message_id, second.body) == (first.message_id, first.body)
    queue.delete(first)
    assert queue.depth() == 1


def test_a_body_that_is_no_message_is_delivered_and_refused(queue: MemoryQueue) -> None:
    queue.send_body("hello")
    delivery = receive(queue)
    assert delivery.body == "hello"
    with pytest.raises(MalformedMessageError):
        _ = delivery.message


def test_of_many_threads_one_creates_the_run_and_all_learn_whose_it_is() -> None:
    store = MemoryStore()

    def create(n: int) -> str:
        head = make_head(f"run-{n}")
        holder = store.create(head, make_claim(head, "key"))
        return head.run_id if holder is None else holder.run_id

    with ThreadPoolExecutor(8) as pool:
        winners = set(pool.map(create, range(200)))
    assert list(winners) == list(store.run_ids)


def test_of_many_threads_one_records_the_result() -> None:
    store = MemoryStore()

    def put(n: int) -> bool:
        return store.put("run", replace(make_record(), by=f"{n}"), transitions.ARMED)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(put, range(200))) == 1


def test_ids_are_the_same_for_the_same_seed_and_sort_by_their_making() -> None:
    one, same, other = SequenceIds(1), SequenceIds(1), SequenceIds(2)
    runs = [one.run_id() for _ in range(12)]
    assert runs == sorted(runs) == [same.run_id() for _ in range(12)]
    tokens = {one.token(), one.token(), other.token(), *runs, other.run_id()}
    assert len(tokens) == 3 + 12 + 1
