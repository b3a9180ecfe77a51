"""What runs are charged with, compared with what a table and a queue have counted themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.long_runs import Process, counts, maps
from bench.table_client import TableClient
from bench.table_model import Index, TableModel
from everstep import Context, step, workflow
from everstep.adapters.dynamodb.sizes import INDEXES
from everstep.app.callbacks import complete_callback, heartbeat_callback
from everstep.app.cost import spent_on
from everstep.app.events import send_event
from everstep.app.options import StartOptions
from everstep.app.start import start
from everstep.core.meter import called
from everstep.core.spending import INVOCATION, Spent, together
from everstep.core.tokens import make_token

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow
    from everstep.core.model import Head, History

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


@workflow
async def goes_on(ctx: Context, rounds: int) -> str:
    """Make a text, and go on as new; in the end wait for a word and an answer."""
    await ctx.step(long, 100)
    if rounds:
        await ctx.continue_as_new(rounds - 1)
    answer = ctx.callback(str, name="answer")
    word = await ctx.wait_for_event("word", str)
    return word + await answer


def worked(process: Process) -> None:
    for _ in process.messages():
        pass


def heads(process: Process) -> list[Head]:
    """Return the heads of all runs, in the order in which they were made."""
    ids = [key[0] for key in process.client.model.items if key[1] == "#HEAD"]
    found = [process.engine.runs.head(each.removeprefix("RUN#")) for each in ids]
    return [each for each in found if each is not None]


def test_runs_that_go_on_as_new_are_charged_with_exactly_what_was_counted() -> None:
    process = process_of(goes_on)
    process.start(2)
    worked(process)
    taken = counted(process)
    *ended, last = heads(process)
    recorded = process.engine.runs.load(last.run_id)
    assert recorded is not None
    spent = spent_on(last, recorded.records, recorded.events)
    assert [each.status for each in ended] == ["CONTINUED", "CONTINUED"]
    assert Spent.read(last.past) == together(each.total for each in ended)
    # What its message took after its last record waits in the process.
    waiting = process.engine.unbilled.take(last.run_id)
    assert what_services_bill(Spent.read(last.past) + spent + waiting) == taken


def test_events_and_answers_are_charged_with_exactly_what_was_counted() -> None:
    process = process_of(goes_on)
    engine, run_id = process.engine, process.start(0)
    worked(process)
    with called(0, 0):
        send_event(engine, run_id, "noise", "x" * 2000)
    with called(0, 0):
        send_event(engine, run_id, "word", "yes", idempotency_key="key")
    worked(process)
    head = engine.runs.head(run_id)
    assert head is not None
    process.client.taken.requests -= 1
    process.client.taken.read_units -= 1
    token = make_token(run_id, "answer#1", head.secret)
    for _ in range(2):
        with called(0, 0):
            heartbeat_callback(engine, token)
    with called(0, 0):
        complete_callback(engine, token, "!")
    worked(process)
    taken = counted(process)
    recorded = engine.runs.load(run_id)
    assert recorded is not None
    assert recorded.head.status == "COMPLETED"
    spent = spent_on(recorded.head, recorded.records, recorded.events)
    assert what_services_bill(spent) == taken
    assert spent.calls == 5
    assert spent.share == (5 + 1 + 1 + 3) * INVOCATION
    waits = [Spent.read(recorded.records[key].cost).calls for key in ("word#1", "answer#1")]
    assert waits == [1, 1]
