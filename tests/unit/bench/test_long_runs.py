"""What a step takes does not depend on how many came before it, and a map's price is known."""

from __future__ import annotations

import pytest

from bench.long_runs import Process, counts, late_steps, maps
from everstep.core.model import RunStatus


@pytest.fixture(scope="module")
def late() -> dict[tuple[int, bool], tuple[float, float, float, float]]:
    """Give read units, requests, write units and messages per step, by what came before."""
    return {
        (each.after, each.kept): (
            each.read_units,
            each.requests,
            each.write_units,
            each.messages,
        )
        for each in late_steps([100, 1_000])
    }


def test_a_step_after_a_thousand_takes_what_one_after_a_hundred_takes(
    late: dict[tuple[int, bool], tuple[float, float, float, float]],
) -> None:
    # Two items read in one request, one write, one message.
    assert late[100, True] == (2, 2, 1, 1)
    assert late[1_000, True][0] <= 1.2 * late[100, True][0]
    assert late[1_000, True] == (2, 2, 1, 1)


def test_a_process_that_has_not_seen_the_run_reads_all_of_it(
    late: dict[tuple[int, bool], tuple[float, float, float, float]],
) -> None:
    assert late[1_000, False][0] > 7 * late[100, False][0] > 7 * late[100, True][0]
    assert late[1_000, False][1:] == late[1_000, True][1:]


def test_five_thousand_steps_take_two_requests_and_a_message_each() -> None:
    steps = 5_000
    process = Process(counts)
    run_id = process.start(steps)
    for _ in process.messages():
        pass
    head = process.engine.runs.head(run_id)
    assert head is not None
    assert head.status is RunStatus.COMPLETED
    # Beside those of the steps: its start, its first messages, its end.
    assert process.client.taken.requests <= 2 * steps + 10
    assert process.client.taken.read_units <= 2 * steps + 100
    assert process.client.taken.write_units <= steps + 10
    assert process.queue.sent == steps + 1


@pytest.mark.parametrize("items", [50, 200])
def test_an_item_of_a_map_takes_three_requests_and_a_message(items: int) -> None:
    process = Process(maps)
    run_id = process.start(items)
    for _ in process.messages():
        pass
    head = process.engine.runs.head(run_id)
    assert head is not None
    assert head.status is RunStatus.COMPLETED
    # A query before the step and one after its end, and a write between them.
    assert process.client.taken.requests <= 3 * items + 10
    assert process.client.taken.write_units <= items + 10
    assert process.queue.sent <= items + 3
    assert process.queue.requests <= items / 10 + 6
