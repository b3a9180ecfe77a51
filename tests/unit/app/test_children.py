"""Child runs: started once, waited for or not, and what their parents hear of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic import BaseModel

from everstep import (
    ChildRunFailed,
    Context,
    InvalidInputError,
    NonRetryable,
    RunNotStarted,
    step,
    workflow,
)
from everstep.core.children import child_id
from everstep.core.model import RunStatus
from everstep.testing import TestEngine, crash_matrix

if TYPE_CHECKING:
    from everstep import Workflow


class Order(BaseModel):
    id: str


@step
def note(text: str) -> str:
    return text


@step
def refuse(text: str) -> str:
    raise NonRetryable(text)


@workflow
async def delivery(ctx: Context, order: Order) -> Order:
    await ctx.step(note, order.id)
    await ctx.sleep(60)
    return Order(id=order.id + "!")


@workflow
async def doomed(ctx: Context) -> None:
    await ctx.step(refuse, "no courier")


@workflow
async def waits(ctx: Context) -> int:
    return await ctx.wait_for_event("go", int)


@workflow
async def calls(ctx: Context) -> str:
    order = await ctx.call(delivery, Order(id="a"))
    return order.id


@workflow
async def starts(ctx: Context) -> list[str]:
    first = await ctx.start(delivery, Order(id="a"), reference_id="first")
    second = await ctx.start(delivery, Order(id="b"))
    await ctx.sleep(10)
    return [(await second.result()).id, (await first.result()).id, first.id, repr(first)]


@workflow
async def by_name(ctx: Context) -> Any:  # noqa: ANN401 - by its name nothing is known
    return await ctx.call("delivery", {"id": "n"})


@workflow
async def fails(ctx: Context) -> list[str]:
    told: list[str] = []
    for _ in range(2):
        try:
            await ctx.call(doomed)
        except ChildRunFailed as error:
            told += [error.run_id, error.status, error.error_type, error.message]
    await ctx.sleep(10)
    return told


@workflow
async def misuses(ctx: Context) -> str:
    told = "nothing"
    try:
        await ctx.start("delivery", {"no": "id"})
    except InvalidInputError as error:
        told = str(error)
    try:
        await ctx.call("delivery", 5)
    except InvalidInputError:
        return told
    return ""


@workflow
async def two_of_one_name(ctx: Context) -> list[str]:
    first = await ctx.start(waits, reference_id="one")
    told: list[str] = [first.id]
    try:
        await ctx.start(waits, reference_id="one")
    except RunNotStarted as error:
        told.append(str(error))
    try:
        await ctx.call(waits, reference_id="one")
    except RunNotStarted as error:
        told.append(str(error))
    await first.send_event("go", 1)
    await first.result()
    again = await ctx.start(waits, reference_id="one")
    return [*told, again.id]


@workflow
async def leaves(ctx: Context) -> str:
    child = await ctx.start(waits)
    return child.id


@workflow
async def unknown(ctx: Context) -> Any:  # noqa: ANN401 - by its name nothing is known
    await ctx.step(note, "before")
    return await ctx.call("later")


@workflow
async def later(ctx: Context) -> str:
    return await ctx.step(note, "late")


@workflow
async def handles(ctx: Context) -> list[Any]:
    child = await ctx.start(waits)
    await child.send_event("go", 7)
    other = await ctx.start(waits)
    await other.cancel()
    try:
        await other.result()
    except ChildRunFailed as error:
        return [await child.result(), error.status, error.error_type]
    return []


@workflow
async def levels(ctx: Context, depth: int) -> int:
    return 1 + await ctx.call(levels, depth - 1) if depth else 0


@workflow
async def fans_out(ctx: Context) -> list[str]:
    async def one(ctx: Context, name: str) -> str:
        return (await ctx.call(delivery, Order(id=name))).id

    return (await ctx.map(one, ["a", "b", "c"])).results


ALL: Final[tuple[Workflow[Any, Any], ...]] = (
    *(delivery, doomed, waits, calls, starts, by_name, fails, misuses, leaves),
    *(unknown, handles, levels, fans_out),
)


@pytest.fixture
def engine() -> TestEngine:
    return TestEngine(ALL)


def settled(engine: TestEngine, seconds: int = 200) -> None:
    engine.advance(seconds)
    engine.verify()


def test_a_child_run_gives_its_result(engine: TestEngine) -> None:
    run = engine.start(calls)
    engine.run_until_idle()
    assert run.status == "WAITING"
    settled(engine)
    assert run.result == "a!"


def test_child_runs_go_on_side_by_side_and_are_awaited_in_any_order(engine: TestEngine) -> None:
    run = engine.start(starts)
    engine.advance(59)
    assert run.status == "WAITING"
    engine.advance(1)
    assert run.result is not None
    *ids, child, shown = run.result
    assert (ids, shown) == (["b!", "a!"], f"<child run {child}>")
    head = engine._world.history(child).head
    assert (head.reference_id, head.parent and head.parent.run_id) == ("first", run.id)


def test_a_child_run_can_be_started_by_its_name(engine: TestEngine) -> None:
    run = engine.start(by_name)
    settled(engine)
    assert run.result == {"id": "n!"}


def test_a_failed_child_is_an_error_that_is_the_same_in_every_replay(engine: TestEngine) -> None:
    run = engine.start(fails)
    settled(engine)
    assert run.result is not None
    first, second = run.result[:4], run.result[4:]
    assert first[1:] == second[1:]
    assert first[1:3] == ["FAILED", "StepFailed"]
    assert first[3].endswith("NonRetryable: no courier")
    assert {engine.get(each).status for each in (first[0], second[0])} == {"FAILED"}
    (error,) = {each.error.message for each in run.history if each.error}
    assert error == first[3]


def test_input_that_does_not_fit_starts_nothing(engine: TestEngine) -> None:
    run = engine.start(misuses)
    settled(engine)
    assert run.result is not None
    assert run.result.startswith("the input of delivery: ")
    assert engine._world.store.run_ids == [run.id]


def test_a_child_run_that_nobody_awaits_outlives_its_parent(engine: TestEngine) -> None:
    run = engine.start(leaves)
    settled(engine)
    assert (run.status, engine.get(str(run.result)).status) == ("COMPLETED", "WAITING")
    engine.send_event(str(run.result), "go", 3)
    settled(engine)
    assert engine.get(str(run.result)).result == 3


def test_a_run_whose_child_is_not_deployed_stalls_and_goes_on_when_it_is(
    engine: TestEngine,
) -> None:
    run = engine.start(unknown)
    engine.run_until_idle()
    assert run.status == "STALLED"
    assert run.error is not None
    assert (run.error.type, "later" in run.error.message) == ("UnknownWorkflowError", True)
    engine.deploy([*ALL, later])
    engine.resume(run.id)
    settled(engine)
    assert (run.result, run.executions("note")) == ("late", 1)


def test_a_child_run_is_sent_events_and_cancelled_by_its_handle(engine: TestEngine) -> None:
    run = engine.start(handles)
    settled(engine)
    assert run.result == [7, "CANCELLED", "RunCancelled"]


def test_child_runs_have_child_runs(engine: TestEngine) -> None:
    run = engine.start(levels, 4)
    settled(engine)
    assert (run.result, len(engine._world.store.run_ids)) == (4, 5)


def test_branches_have_child_runs_of_their_own(engine: TestEngine) -> None:
    run = engine.start(fans_out)
    settled(engine)
    assert run.result == ["a!", "b!", "c!"]


def test_the_id_of_a_child_run_follows_from_its_parent_and_operation_alone() -> None:
    one = child_id("parent", "start#1", 1_767_225_600_000)
    assert one == child_id("parent", "start#1", 1_767_225_600_000)
    assert len({one, child_id("parent", "start#2", 0), child_id("other", "start#1", 0)}) == 3
    assert (len(one), child_id("parent", "start#1", 2**60) > one) == (26, True)
    assert child_id("parent", "start#1", 1_767_225_600_001) > one


def test_what_is_waited_for_and_is_not_kept_any_more_has_failed(engine: TestEngine) -> None:
    run = engine.start(calls)
    engine.run_until_idle()
    world = engine._world
    child = next(each for each in world.store.run_ids if each != run.id)
    del world.store._heads[child]
    engine.advance(8 * 3600)
    assert (run.status, run.error and run.error.type) == ("FAILED", "ChildRunFailed")
    assert run.error is not None
    assert "it is not kept any more" in run.error.message


def test_a_child_run_that_goes_on_in_another_run_has_ended_when_that_has(
    engine: TestEngine,
) -> None:
    run = engine.start(calls)
    engine.run_until_idle()
    store = engine._world.store
    child = next(each for each in store.run_ids if each != run.id)
    successor = engine.start(delivery, Order(id="z"))
    head = replace(store._heads[child], status=RunStatus.CONTINUED, due_at=None)
    store._heads[child] = replace(head, successor=successor.id)
    engine.advance(30)
    assert run.status == "WAITING"
    engine.advance(8 * 3600)
    assert run.result == "z!"


CHILDREN_AND_PARENTS: Final = (calls, fails, handles)


@pytest.mark.parametrize("parent", CHILDREN_AND_PARENTS, ids=lambda each: str(each.name))
def test_parent_and_child_come_to_the_same_end_whatever_goes_wrong(
    parent: Workflow[Any, Any],
) -> None:
    others = [each for each in ALL if each is not parent]
    report = crash_matrix(parent, workflows=others, outcome=lambda run: str(run.status))
    assert report.outcome.brief().startswith("COMPLETED")


def test_no_two_children_that_run_have_one_reference_id() -> None:
    engine = TestEngine([two_of_one_name, waits])
    run = engine.start(two_of_one_name)
    engine.run_until_idle()
    assert run.result is not None
    first, refused, refused_again, again = run.result
    assert refused == refused_again == f"run {first} has the reference id 'one'"
    assert engine.get(again).status is RunStatus.WAITING
    assert first != again
    engine.verify()


def test_a_reference_id_is_taken_once_whatever_goes_wrong() -> None:
    crash_matrix(two_of_one_name, workflows=[waits], outcome=lambda run: str(run.status))
