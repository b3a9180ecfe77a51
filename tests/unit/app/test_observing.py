"""What the engine tells of its work: what was committed, by who committed it, once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from everstep import Context, workflow
from everstep.app.cancel import cancel
from everstep.app.fork import retry
from everstep.app.receive import receive
from everstep.core import messages
from everstep.core.model import MessageKind, OpStatus, RunStatus
from everstep.core.observations import (
    CodeReplayed,
    LetterBuried,
    MessageKept,
    Observation,
    Repair,
    RunAccepted,
    RunAtHand,
    RunHalted,
    RunOver,
    RunRepaired,
    SleepOver,
    StepAttempted,
    StepDispatched,
)
from tests.unit.app.definitions import double, fail, one_step
from tests.unit.app.world import DAY, MINUTE, NOW, SECOND, World, message

if TYPE_CHECKING:
    from everstep import Workflow
    from everstep.core.model import OpRecord


@workflow(name="wf")
async def nap(ctx: Context, seconds: int) -> None:
    """Sleep."""
    await ctx.sleep(seconds)


@workflow(name="wf")
async def fails(ctx: Context) -> int:
    """Fail twice."""
    return await ctx.step(fail, "no")


@workflow(name="child")
async def child(ctx: Context) -> int:
    """Be started."""
    return await ctx.step(double, 2)


@workflow(name="wf")
async def parent(ctx: Context) -> int:
    """Start another, and wait for it."""
    return await ctx.call(child)


@workflow(name="wf")
async def goes_on(ctx: Context, rounds: int) -> int:
    """Continue as new."""
    if rounds:
        await ctx.continue_as_new(rounds - 1)
    return rounds


def observed(*workflows: Workflow[Any, Any]) -> tuple[World, list[Observation]]:
    world, told = World(*workflows), list[Observation]()
    world.engine = replace(world.engine, observe=told.append)
    return world, told


def of(kind: type, told: list[Observation]) -> list[Any]:
    return [each for each in told if isinstance(each, kind)]


def test_a_run_is_told_of_when_it_starts_and_when_it_ends() -> None:
    world, told = observed(one_step)
    run_id = world.start(value=1).run_id
    world.clock.advance(SECOND)
    world.run()
    assert of(RunAccepted, told) == [RunAccepted(run_id=run_id, workflow="wf")]
    assert of(RunOver, told) == [
        RunOver(run_id=run_id, workflow="wf", status=RunStatus.COMPLETED, lasted=SECOND)
    ]
    assert {each.head.run_id for each in of(RunAtHand, told)} == {run_id}


def test_a_start_that_finds_its_run_is_not_told_of() -> None:
    world, told = observed(one_step)
    for _ in range(2):
        world.start(value=1, idempotency_key="k")
    assert len(of(RunAccepted, told)) == 1


def test_every_attempt_is_told_of_with_how_long_it_took() -> None:
    world, told = observed(fails)
    world.start()
    world.run()
    attempts = [(each.attempt, each.status, each.lasted) for each in of(StepAttempted, told)]
    assert attempts == [(1, OpStatus.RETRY, 0), (2, OpStatus.FAILED, 0)]
    assert [each.status for each in of(RunOver, told)] == [RunStatus.FAILED]


def test_a_repeat_of_a_message_tells_nothing_that_was_told() -> None:
    world, told = observed(one_step)
    world.begin(value=1)
    sent = world.take()
    world.advance(sent)
    before = len(of(StepAttempted, told)), len(of(RunOver, told))
    world.advance(sent)
    assert (len(of(StepAttempted, told)), len(of(RunOver, told))) == before == (1, 1)


def test_who_loses_the_race_for_a_result_tells_nothing() -> None:
    world, told = observed(one_step)
    world.begin(value=1)
    sent = world.take()

    def another(_record: OpRecord) -> None:
        world.advance(replace(sent, token="other"))

    world.store.before_put.append(another)
    world.advance(sent)
    assert len(of(StepAttempted, told)) == 1


def test_an_attempt_that_left_no_trace_of_its_end_has_no_duration() -> None:
    world, told = observed(one_step)
    run_id = world.begin(value=1)
    sent = world.take()
    record = replace(
        _done(world, run_id, sent.op), status=OpStatus.STARTED, by=sent.token, wake_at=NOW
    )
    world.write(run_id, record)
    world.clock.advance(DAY)
    world.advance(sent, receives=3)
    assert [each.lasted for each in of(StepAttempted, told)] == [None]


def _done(world: World, run_id: str, op: str) -> Any:  # noqa: ANN401 - a record
    other = World(one_step)
    twin = other.begin(value=1)
    other.run()
    assert (run_id, world.status(run_id)) == (twin, RunStatus.RUNNING)
    return replace(other.records(twin)[op], result=None, ended_at=None)


def test_a_sleep_tells_how_late_it_ended() -> None:
    world, told = observed(nap)
    world.begin(value=60)
    sent = world.take()
    world.clock.set(sent.due + 5)
    world.advance(sent)
    assert [each.late for each in of(SleepOver, told)] == [5]


def test_a_replay_tells_over_how_much_it_went() -> None:
    world, told = observed(one_step)
    world.start(value=1)
    world.run()
    assert [each.operations for each in of(CodeReplayed, told)] == [0, 0]


@pytest.mark.parametrize(("sent_before", "lag"), [(700, 700), (-5, 0)])
def test_a_step_tells_how_long_its_message_was_under_way(sent_before: int, lag: int) -> None:
    world, told = observed(one_step)
    world.begin(value=1)
    sent = world.take()
    sent_at = world.clock.now() - sent_before
    receive(world.engine, "m-1", messages.encode(sent), sent_at=sent_at)
    assert [each.lag for each in of(StepDispatched, told)] == [lag]


def test_the_delay_that_was_asked_for_is_no_lag() -> None:
    world, told = observed(fails)
    world.begin()
    world.advance(world.take())
    retried = world.take()
    sent_at = world.clock.now()
    world.clock.set(retried.due + 3)
    receive(world.engine, "m-1", messages.encode(retried), sent_at=sent_at)
    assert [each.lag for each in of(StepDispatched, told)] == [3]


def test_a_message_that_came_to_nothing_has_no_lag() -> None:
    world, told = observed(one_step)
    world.begin(value=1)
    body = messages.encode(world.take())
    for _ in range(2):
        receive(world.engine, "m-1", body, sent_at=NOW)
    receive(world.engine, "m-1", "{}", sent_at=NOW)
    assert len(of(StepDispatched, told)) == 1
    assert of(MessageKept, told) == [MessageKept(reason="a message has no field 'run'")]


def test_a_child_run_is_told_of_once_however_often_it_is_begun() -> None:
    world, told = observed(parent, child)
    world.start()
    first = world.take()
    world.advance(first)
    world.advance(first)
    world.run()
    assert [each.workflow for each in of(RunAccepted, told)] == ["wf", "child"]
    assert [each.workflow for each in of(RunOver, told)] == ["child", "wf"]


def test_a_run_that_goes_on_as_another_is_over_and_that_one_is_told_of() -> None:
    world, told = observed(goes_on)
    world.start(value=1)
    world.run()
    assert len(of(RunAccepted, told)) == 2
    assert [each.status for each in of(RunOver, told)] == [RunStatus.CONTINUED, RunStatus.COMPLETED]


def test_a_run_that_is_ended_by_force_is_over() -> None:
    world, told = observed(nap)
    run_id = world.begin(value=60)
    for _ in range(2):
        cancel(world.engine, run_id, force=True)
    assert [each.status for each in of(RunOver, told)] == [RunStatus.CANCELLED]


def test_a_retry_is_a_run_of_its_own() -> None:
    world, told = observed(fails)
    run_id = world.start().run_id
    world.run()
    retry(world.engine, run_id)
    assert len(of(RunAccepted, told)) == 2


def test_one_call_for_a_retry_that_comes_twice_at_once_tells_of_one_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, told = observed(fails)
    run_id = world.start().run_id
    world.run()
    create = world.store.create

    def create_after_the_twin(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - as it comes
        monkeypatch.setattr(world.store, "create", create)
        retry(world.engine, run_id, idempotency_key="k")
        return create(*args, **kwargs)

    monkeypatch.setattr(world.store, "create", create_after_the_twin)
    retry(world.engine, run_id, idempotency_key="k")
    assert len(of(RunAccepted, told)) == 2


def test_a_run_that_stalls_is_told_of_once() -> None:
    world, told = observed(one_step)
    run_id = world.begin(value=1)
    sent = world.take()
    world.deploy()
    for _ in range(2):
        world.advance(sent)
    assert of(RunHalted, told) == [RunHalted(run_id=run_id, reason="WorkflowMissingError")]


def test_a_lost_first_message_is_told_of_as_a_repair() -> None:
    world, told = observed(one_step)
    run_id = world.start(value=1).run_id
    world.lose()
    world.clock.advance(world.engine.limits.grace)
    world.sweep()
    assert of(RunRepaired, told) == [RunRepaired(run_id=run_id, repair=Repair.START)]


def test_a_lost_timer_is_told_of_as_a_repair_and_one_that_goes_as_it_should_is_not() -> None:
    world, told = observed(nap)
    run_id = world.begin(value=DAY // SECOND)
    world.clock.set(NOW + DAY - 13 * MINUTE)
    world.sweep()
    assert of(RunRepaired, told) == []
    world.lose()
    world.clock.set(NOW + DAY + world.engine.limits.grace)
    world.sweep()
    assert of(RunRepaired, told) == [RunRepaired(run_id=run_id, repair=Repair.TIMER)]


def test_a_run_that_was_taken_over_is_told_of_as_a_repair() -> None:
    world, told = observed(one_step)
    world.begin(value=1)
    world.lose()
    world.clock.advance(2 * world.engine.limits.watchdog)
    world.sweep()
    world.run()
    # The first look finds no trace at all of the start.
    assert {each.repair for each in of(RunRepaired, told)} <= {Repair.START, Repair.RUN}
    assert len(of(RunRepaired, told)) == 1


def test_a_dead_letter_is_told_of_with_what_came_of_it() -> None:
    world, told = observed(one_step)
    run_id = world.begin(value=1)
    world.bury(world.take())
    world.bury(message("nobody", MessageKind.START))
    outcomes = [(each.run_id, str(each.outcome)) for each in of(LetterBuried, told)]
    assert outcomes == [(run_id, "run stalled"), ("nobody", "kept")]
    assert len(of(RunHalted, told)) == 1
