"""What runs are charged with, compared with what a table and a queue have counted themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.long_runs import Process, counts, maps
from bench.table_client import TableClient
from bench.table_model import Index, TableModel
from everstep import Context, step, workflow
from everstep.adapters.dynamodb.sizes import INDEXES
from everstep.app.options import StartOptions
from everstep.app.start import start
from everstep.core.spending import INVOCATION, Spent, together

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow
    from everstep.core.model import History

    Flow = Workflow[Any, Any]


def counted(process: Process) -> Spent:
    """Return what was asked of the table and the queue, as they have counted it."""
    taken = process.client.taken
    return Spent(
        taken.requests,
        int(2 * taken.read_units),
        taken.write_units,
        taken.index_units,
        process.queue.requests,
    )


def played(process: Process, value: object) -> tuple[History, Spent]:
    """Bring a run to its end; return it, and what was counted for it."""
    run_id = process.start(value)
    for _ in process.messages():
        pass
    taken = counted(process)
    history = process.engine.runs.load(run_id)
    assert history is not None
    return history, taken


def process_of(flow: Flow) -> Process:
    process = Process(flow)
    indexes = tuple(Index(name=keys[0], keys=keys, projected=of) for keys, of in INDEXES.items())
    process.client.model = TableModel(indexes=indexes)
    assert isinstance(process.client, TableClient)
    return process


def what_services_bill(spent: Spent) -> Spent:
    """Leave out what only this process knows."""
    return Spent(*spent.parts[:5])


@step
def long(size: int) -> str:
    """Return a text."""
    return "x" * size


@workflow
async def texts(ctx: Context, sizes: list[int]) -> int:
    """Make texts of these sizes."""
    return sum([len(await ctx.step(long, size)) for size in sizes])


@pytest.mark.parametrize(
    ("flow", "value"),
    [
        pytest.param(counts, 0, id="no step"),
        pytest.param(counts, 10, id="ten steps"),
        pytest.param(counts, 60, id="sixty steps, passes are kept"),
        pytest.param(texts, [10, 900, 1000, 1100, 5000, 20_000, 40_000], id="results of any size"),
        pytest.param(maps, 1, id="a map of one"),
        pytest.param(maps, 25, id="a map of twenty-five"),
    ],
)
def test_a_run_is_charged_with_exactly_what_was_counted(flow: Flow, value: object) -> None:
    history, taken = played(process_of(flow), value)
    assert history.head.status == "COMPLETED"
    assert what_services_bill(Spent.read(history.head.total)) == taken


def test_everything_that_is_recorded_adds_up_to_the_total_but_for_the_end() -> None:
    history, _ = played(process_of(counts), 3)
    recorded = together((history.head.cost, *[each.cost for each in history.records.values()]))
    end = Spent.read(history.head.total) - recorded
    assert what_services_bill(end) == Spent(requests=1, writes=1, index_writes=3)


def test_a_run_with_its_key_is_charged_with_the_transaction() -> None:
    process = process_of(counts)
    start(process.engine, "long", 1, StartOptions(idempotency_key="key", reference_id="mine"))
    for _ in process.messages():
        pass
    taken = counted(process)
    (run_id,) = {key[0] for key in process.client.model.items if key[1] == "#HEAD"}
    history = process.engine.runs.load(run_id.removeprefix("RUN#"))
    assert history is not None
    assert what_services_bill(Spent.read(history.head.total)) == taken


def test_each_message_takes_its_share_of_an_invocation() -> None:
    history, _ = played(process_of(counts), 2)
    # The first message, and one for each step.
    assert Spent.read(history.head.total).share == 3 * INVOCATION
