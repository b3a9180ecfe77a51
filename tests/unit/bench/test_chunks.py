"""Ten thousand items: a map over chunks, each of which is a run of its own with its own map."""

from __future__ import annotations

from typing import Final

import pytest

from bench.long_runs import Process, count
from bench.metering.sizes import item_size
from everstep import Context, workflow
from everstep.app.payloads import unpack
from everstep.core import codec
from everstep.core.model import RunStatus

DYNAMODB_ITEM: Final = 400 * 1024
SQS_MESSAGE: Final = 256 * 1024


@workflow
async def count_chunk(ctx: Context, chunk: list[int]) -> list[int]:
    """Do one chunk, all of its items side by side."""
    batch = await ctx.map(count, chunk)
    batch.raise_for_failure()
    return batch.results


async def in_a_run(ctx: Context, chunk: list[int]) -> list[int]:
    """Have a run of its own do a chunk."""
    return await ctx.call(count_chunk, chunk)


@workflow
async def count_all(ctx: Context, plan: tuple[int, int]) -> list[int]:
    """Do so many items, in chunks of a size, ten chunks at a time."""
    items, size = plan
    chunks = [list(range(first, min(first + size, items))) for first in range(0, items, size)]
    batch = await ctx.map(in_a_run, chunks, max_concurrency=10)
    batch.raise_for_failure()
    return [number for chunk in batch.results for number in chunk]


def done(items: int, size: int) -> Process:
    """Do all items; check the result and the sizes of everything that was written and sent."""
    process = Process(count_all, count_chunk)
    run_id = process.start((items, size))
    for _ in process.messages():
        pass
    head = process.engine.runs.head(run_id)
    assert head is not None
    assert head.status is RunStatus.COMPLETED
    assert head.result is not None
    result = codec.decode(unpack(process.engine, run_id, head.result).at_hand)
    assert result == list(range(1, items + 1))
    largest = max(map(item_size, process.client.model.items.values()))
    assert largest < DYNAMODB_ITEM // 4
    assert process.queue.largest < SQS_MESSAGE // 100
    return process


def test_a_map_over_chunks_takes_requests_in_proportion_to_its_items() -> None:
    few, many = done(250, 25), done(1_000, 25)
    for what in (few.client.taken.requests / 250, many.client.taken.requests / 1_000):
        assert what < 4
    # A few kilobytes per item, however many chunks there are.
    assert many.client.taken.read_units / 1_000 < 1.2 * few.client.taken.read_units / 250
    assert many.queue.sent < 1.2 * 1_000


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ten_thousand_items_exceed_no_limit_of_any_service() -> None:
    process = done(10_000, 40)
    assert process.client.taken.requests < 4 * 10_000
    assert process.queue.sent < 1.1 * 10_000
