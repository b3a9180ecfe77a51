"""What a step takes does not depend on how many came before it, and a map's price is known."""

from __future__ import annotations

import pytest

from bench.long_runs import BATCHES, PerItem, Process, counts, lanes, late_steps, main, map_of
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


@pytest.fixture(scope="module", params=BATCHES)
def maps(request: pytest.FixtureRequest) -> dict[int, PerItem]:
    """Give what an item takes, by how many there are, one message at a time and in batches."""
    return {items: map_of(items, request.param) for items in (100, 300)}


def test_an_item_of_a_map_takes_less_than_three_requests(maps: dict[int, PerItem]) -> None:
    # A write, and a look at the branches that come next; the messages are sent ten by ten.
    for each in maps.values():
        assert each.requests + each.sends <= 2.2
        assert each.write_units <= 1.1


def test_an_item_reads_no_more_however_many_there_are(maps: dict[int, PerItem]) -> None:
    assert maps[300].read_units <= 1.2 * maps[100].read_units
    assert maps[300].read_units <= 1.2


@pytest.mark.parametrize("batch", BATCHES)
def test_an_item_whose_run_was_read_long_ago_takes_one_more_request(batch: int) -> None:
    each = map_of(200, batch, fresh=0)
    # The head, the operation and the join are read before, a branch that comes next after that.
    assert each.requests + each.sends <= 3.2
    assert each.read_units <= 5


@pytest.mark.parametrize("batch", BATCHES)
def test_an_item_in_a_lane_takes_what_a_step_takes_and_so_does_the_end_of_the_lane(
    batch: int,
) -> None:
    each = map_of(200, batch, flow=lanes)
    # Its record is read and written, the next in the lane sent for; ends of lanes read little.
    assert each.requests + each.sends <= 3.05
    assert each.read_units <= 1.2


def test_what_is_measured_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--at", "20", "--maps", "40"])
    kept, replayed, one_by_one, items = capsys.readouterr().out.splitlines()
    assert kept.startswith("after    20 steps, kept")
    assert replayed.startswith("after    20 steps, replayed")
    assert one_by_one.startswith("map of    40, batches of  1, an item: 2.")
    assert items.startswith("map of    40, batches of 10, an item: 2.")
