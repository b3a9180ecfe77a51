"""What code names as secret is recorded with its run, and shown to nobody."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, SecretBytes, SecretStr

from everstep import Context, Retry, StepFailed, mask, step, workflow
from everstep.app.events import send_event
from everstep.app.query import inspect, outcome
from everstep.app.run_logs import LogQuery, read_logs
from everstep.core.errors import EverstepError, UnmaskableError
from everstep.core.hiding import Hidden, at_work, hidden_of, values_of, work_on
from everstep.core.model import Payload
from everstep.testing import TestEngine
from tests.unit.app.world import World

TOKEN = "tok-5f2c81"
KEY = "key-a91e77"


@step(retry=Retry(max_attempts=2, initial_delay=0))
def log_in(user: str) -> str:
    mask(TOKEN)
    return f"{user}:{TOKEN}"


@step(retry=Retry.never())
def fail(what: str) -> None:
    mask(KEY)
    raise ValueError(f"refused {what} with {KEY}")


@workflow(name="wf")
async def session(ctx: Context) -> dict[str, Any]:
    found = await ctx.step(log_in, "ada")
    try:
        await ctx.step(fail, found)
    except StepFailed as error:
        return {"found": found, "why": error.message}
    return {}


def ended(world: World, value: object = None) -> str:
    run_id = world.begin(value=value)
    world.run()
    return run_id


def test_a_value_of_a_step_is_recorded_with_its_result_and_at_the_end_with_the_run() -> None:
    world = World(session)
    run_id = ended(world)
    records = world.records(run_id)
    assert values_of(records["log_in#1"].hidden) == (TOKEN,)
    assert values_of(records["fail#1"].hidden) == (KEY,)
    assert values_of(world.head(run_id).hidden) == (TOKEN, KEY)


def test_code_gets_the_value_in_clear_and_the_error_masked_the_same_in_every_pass() -> None:
    engine = TestEngine([session])
    run = engine.start(session)
    engine.run_until_idle()
    assert run.result == {"found": f"ada:{TOKEN}", "why": "refused ada:*** with ***"}
    engine.verify()


def test_an_error_is_masked_before_it_is_recorded() -> None:
    world = World(session)
    run_id = ended(world)
    error = world.records(run_id)["fail#1"].error
    assert error is not None
    assert error.message == "refused ada:*** with ***"


def test_whoever_shows_a_run_knows_its_values() -> None:
    world = World(session)
    run_id = ended(world)
    assert inspect(world.engine, run_id).masking.values == {TOKEN, KEY}
    assert outcome(world.engine, run_id).masking.values == {TOKEN, KEY}


@workflow(name="wf")
async def naming(ctx: Context) -> str:
    mask(TOKEN)
    ctx.logger.info("begun with %s", TOKEN)
    await ctx.sleep(60)
    raise ValueError(f"{KEY} and {TOKEN}" + " " * 1990 + TOKEN)


def test_what_a_workflow_registers_goes_with_the_next_record() -> None:
    world = World(naming)
    run_id = ended(world)
    assert values_of(world.records(run_id)["sleep#1"].hidden) == (TOKEN,)
    assert world.head(run_id).error is not None


def test_a_secret_is_masked_before_a_long_message_is_cut() -> None:
    world = World(naming)
    run_id = ended(world)
    error = world.head(run_id).error
    assert error is not None
    assert error.message.startswith(f"{KEY} and ***")
    assert TOKEN[:4] not in error.message


def test_a_retry_keeps_what_the_attempt_before_has_registered() -> None:
    tried: list[int] = []

    @step(retry=Retry(max_attempts=2, initial_delay=0))
    def stubborn() -> str:
        tried.append(1)
        if len(tried) == 1:
            mask(TOKEN)
            raise ValueError(TOKEN)
        return TOKEN

    @workflow(name="wf")
    async def retried(ctx: Context) -> str:
        return await ctx.step(stubborn)

    world = World(retried)
    run_id = ended(world)
    assert values_of(world.records(run_id)["stubborn#1"].hidden) == (TOKEN,)


@workflow(name="child")
async def child(ctx: Context, given: str) -> str:
    await ctx.sleep(1)
    mask(KEY)
    return f"{given} {KEY}"


@workflow(name="wf")
async def parent(ctx: Context) -> str:
    mask(TOKEN)
    return await ctx.call(child, TOKEN)


def test_a_child_keeps_the_secrets_of_its_parent_and_the_parent_those_of_the_child() -> None:
    engine = TestEngine([parent, child])
    run = engine.start(parent)
    engine.advance(2)
    engine.run_until_idle()
    assert run.result == f"{TOKEN} {KEY}"
    inside = engine._world.inside
    assert inspect(inside, run.id).masking.values == {TOKEN, KEY}
    (called,) = (each for each in inside.lists.every() if each.workflow == "child")
    assert inspect(inside, called.run_id).masking.values == {TOKEN, KEY}


class Login(BaseModel):
    user: str
    phrase: SecretStr
    pin: SecretBytes


@workflow(name="wf")
async def typed(ctx: Context, login: Login) -> str:
    await ctx.sleep(1)
    raise ValueError(f"no {login.phrase.get_secret_value()} for {login.user}")


def test_what_is_typed_as_secret_is_masked_in_errors_too() -> None:
    world = World(typed)
    value = {"user": "ada", "phrase": "open sesame", "pin": "12345678"}
    run_id = ended(world, value)
    error = world.head(run_id).error
    assert error is not None
    assert error.message == "no *** for ada"
    assert {"open sesame", "12345678"} <= outcome(world.engine, run_id).masking.values


def test_lines_are_masked_with_what_is_known_when_they_are_read() -> None:
    world = World(session)
    run_id = ended(world)
    lines = read_logs(world.engine, run_id, LogQuery()).lines
    assert not [each for each in lines if TOKEN in each.line.message or KEY in each.line.message]


@pytest.mark.parametrize("value", ["abc", "", "x" * 8193])
def test_a_value_that_is_too_short_or_too_long_is_refused_without_telling_it(value: str) -> None:
    with pytest.raises(UnmaskableError, match="characters, not") as caught:
        Hidden().register(value)
    assert not value or value not in str(caught.value)


def test_what_is_no_text_is_refused() -> None:
    number: Any = 12345
    with pytest.raises(UnmaskableError, match="takes text, not a int"):
        Hidden().register(number)


def test_outside_a_run_there_is_nobody_to_keep_a_value() -> None:
    with pytest.raises(EverstepError, match="outside a workflow"):
        mask(TOKEN)


def test_a_value_is_owed_until_it_is_recorded() -> None:
    hidden = Hidden()
    hidden.register(TOKEN)
    hidden.register(TOKEN)
    assert hidden.owed(None) == (TOKEN,)
    hidden.recorded(Payload(text=f'["{TOKEN}"]'))
    assert hidden.owed(None) == ()


def test_what_only_looks_like_a_typed_secret_is_none() -> None:
    hidden = Hidden()
    hidden.seen(Payload(text='[{"$secret":5},{"$secret":"abc"},{"$secret":"long","b":1}]'))
    hidden.seen(Payload(text='{"a":{"$secret_bytes":5},"b":{"$other":1}}'))
    hidden.seen(None)
    assert not hidden.known


def test_secrets_of_the_run_at_work_are_known_to_the_log() -> None:
    hidden = Hidden()
    hidden.register(TOKEN)
    work_on(hidden)
    assert list(at_work()) == [TOKEN]
    work_on(None)
    assert list(at_work()) == []


def test_a_fork_and_a_successor_know_what_the_run_knew() -> None:
    @workflow(name="wf")
    async def forked(ctx: Context) -> str:
        await ctx.step(log_in, "ada")
        return await ctx.wait_for_event("go", str)

    engine = TestEngine([forked])
    run = engine.start(forked)
    engine.run_until_idle()
    made = engine.fork(run.id, "go#1")
    send_event(engine._world.inside, made.id, "go", TOKEN)
    engine.run_until_idle()
    assert made.result == TOKEN
    assert inspect(engine._world.inside, made.id).masking.values == {TOKEN}
    history = engine._world.inside.runs.load(made.id)
    assert history is not None
    assert TOKEN in hidden_of(history).known
