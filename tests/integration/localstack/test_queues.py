"""SQS event source mappings deliver as on AWS: concurrently, at least once, batch item by item."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.integration.localstack.conftest import System

# A batch of one message each, so that concurrency is the mapping's.
EIGHT = 8


def _most_at_once(results: list[dict[str, Any]]) -> int:
    changes = sorted(
        [(result["started"], 1) for result in results]
        + [(result["ended"], -1) for result in results]
    )
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


def _run(system: System, queue: str, name: str, count: int) -> list[dict[str, Any]]:
    system.send(queue, *({"name": name, "seconds": 1} for _ in range(count)))
    return system.receive_results(lambda result: result["task"] == name, count, 20)


def test_eight_messages_of_one_second_take_less_than_four(system: System) -> None:
    _run(system, "QueueUrl", "warm-up", EIGHT)
    began = time.monotonic()

    results = _run(system, "QueueUrl", "eight", EIGHT)

    assert len(results) == EIGHT
    assert time.monotonic() - began < 4
    assert _most_at_once(results) > 4


def test_maximum_concurrency_of_a_mapping_is_kept(system: System) -> None:
    results = _run(system, "NarrowQueueUrl", "narrow", 4)

    assert len(results) == 4
    assert _most_at_once(results) == 2


def test_only_the_failed_message_of_a_batch_goes_to_the_dead_letter_queue(system: System) -> None:
    tasks = [{"name": f"item-{number}", "fail": number == 1} for number in range(3)]
    system.send("RetryQueueUrl", *tasks)

    done = system.receive_results(lambda result: result["task"].startswith("item-"), 2, 10)
    deadline = time.monotonic() + 20
    dead: list[dict[str, Any]] = []
    while not dead and time.monotonic() < deadline:
        dead = system.receive("DeadLettersUrl")

    assert sorted(result["task"] for result in done) == ["item-0", "item-2"]
    assert [task["name"] for task in dead] == ["item-1"]


def test_a_message_of_a_killed_function_comes_back_after_its_visibility_time_out(
    system: System,
) -> None:
    began = time.time()
    system.send("RetryQueueUrl", {"name": "survivor", "crash": True})

    results = system.receive_results(lambda result: result["task"] == "survivor", 1, 20)

    assert len(results) == 1
    assert results[0]["started"] - began >= 2


def test_a_delay_of_two_seconds_takes_no_third(system: System) -> None:
    began = time.time()
    system.sqs.send_message(
        QueueUrl=system.outputs["QueueUrl"],
        MessageBody='{"name": "delayed"}',
        DelaySeconds=2,
    )

    results = system.receive_results(lambda result: result["task"] == "delayed", 1, 20)

    assert 2 <= results[0]["started"] - began < 2.9
