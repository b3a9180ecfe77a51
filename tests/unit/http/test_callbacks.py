"""Callbacks over HTTP: answered with a token that is shown to nobody else."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from everstep import CallbackFailed, CallbackTimeout, Context, logs, step, workflow
from everstep.http.callbacks import callback_routes
from tests.unit.http.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

handed: list[str] = []


@step
def hand_over(token: str) -> None:
    handed.append(token)


@workflow
async def asks(ctx: Context) -> Any:  # noqa: ANN401 - whatever it is completed with
    answer = ctx.callback(timeout=60)
    await ctx.step(hand_over, answer.token)
    try:
        value = await answer
    except CallbackFailed as error:
        value = [error.error_type, error.message]
    except CallbackTimeout:
        value = "late"
    await ctx.sleep(10)
    return value


@pytest.fixture
def world() -> World:
    handed.clear()
    return World(workflows=(asks,))


@pytest.fixture
def token(world: World) -> str:
    world.started("asks")
    world.work()
    return handed[0]


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    root = logging.getLogger("everstep")
    before = root.handlers, root.level, root.propagate
    text = io.StringIO()
    logs.configure("DEBUG", text)
    yield text
    root.handlers, root.level, root.propagate = before


def result(world: World) -> Any:  # noqa: ANN401 - JSON
    world.work()
    world.advance(10)
    (run_id,) = world.store.run_ids
    return world.get(f"/runs/{run_id}").body["result"]


def kind_of(body: dict[str, Any]) -> str:
    return str(body["type"]).removeprefix("urn:everstep:problem:")


@pytest.mark.parametrize("value", [None, 1, "text", ["a"], {"ok": True}, False])
def test_a_callback_is_completed_with_any_json(world: World, token: str, value: object) -> None:
    answer = world.call("POST", f"/callbacks/{token}/complete", json.dumps(value))
    assert (answer.status, answer.body) == (202, {"status": "completed"})
    assert result(world) == value


def test_a_callback_is_completed_without_a_body(world: World, token: str) -> None:
    assert world.call("POST", f"/callbacks/{token}/complete").status == 202
    assert result(world) is None


def test_a_callback_fails_with_a_type_and_a_message(world: World, token: str) -> None:
    body = json.dumps({"type": "Refused", "message": "not today"})
    answer = world.call("POST", f"/callbacks/{token}/fail", body)
    assert (answer.status, answer.body) == (202, {"status": "failed"})
    assert result(world) == ["Refused", "not today"]


def test_the_message_of_a_failure_may_be_left_out(world: World, token: str) -> None:
    assert world.call("POST", f"/callbacks/{token}/fail", '{"type":"Refused"}').status == 202
    assert result(world) == ["Refused", ""]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"type":1}',
        '{"type":""}',
        '{"type":"a\\u0000"}',
        json.dumps({"type": "x" * 201}),
        '{"type":"a","message":1}',
        '{"type":"a","more":1}',
    ],
)
def test_a_failure_that_makes_no_sense_changes_nothing(world: World, token: str, body: str) -> None:
    answer = world.call("POST", f"/callbacks/{token}/fail", body)
    assert (answer.status, kind_of(answer.body)) == (400, "invalid-request")
    assert world.call("POST", f"/callbacks/{token}/complete", "1").status == 202


def test_a_sign_of_life_is_taken_without_a_body(world: World, token: str) -> None:
    for body in (None, "{}"):
        answer = world.call("POST", f"/callbacks/{token}/heartbeat", body)
        assert (answer.status, answer.body) == (200, {"status": "alive"})
    assert world.call("POST", f"/callbacks/{token}/heartbeat", "1").status == 400


@pytest.mark.parametrize("action", ["complete", "fail"])
@pytest.mark.parametrize(("seconds", "status"), [(None, 200), (0, 200), (10, 410)])
def test_the_same_answer_again_is_as_good_until_the_run_has_ended(
    world: World, token: str, action: str, seconds: int | None, status: int
) -> None:
    body = '{"type":"EventTimeout","message":"x"}'
    assert world.call("POST", f"/callbacks/{token}/{action}", body).status == 202
    if seconds is not None:
        world.work()
        world.advance(seconds)
    assert world.call("POST", f"/callbacks/{token}/{action}", body).status == status


@pytest.mark.parametrize("messages", [0, 100])
def test_another_answer_is_a_conflict(world: World, token: str, messages: int) -> None:
    world.call("POST", f"/callbacks/{token}/complete", "1")
    world.work(messages)
    for action, body in (("complete", "2"), ("fail", '{"type":"a"}')):
        answer = world.call("POST", f"/callbacks/{token}/{action}", body)
        assert (answer.status, kind_of(answer.body)) == (409, "illegal-state")
        assert "answered before, and differently" in answer.body["detail"]
    assert result(world) == 1


ACTIONS = {"complete": "1", "fail": '{"type":"a"}', "heartbeat": None}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_callback_whose_time_is_up_is_gone(world: World, token: str, action: str) -> None:
    world.advance(60)
    answer = world.call("POST", f"/callbacks/{token}/{action}", ACTIONS[action])
    assert (answer.status, kind_of(answer.body)) == (410, "callback-gone")
    assert "in time" in answer.body["detail"]
    assert result(world) == "late"


@pytest.mark.parametrize("action", ACTIONS)
def test_a_callback_of_a_run_that_has_ended_is_gone(world: World, token: str, action: str) -> None:
    (run_id,) = world.store.run_ids
    world.call("POST", f"/runs/{run_id}/cancel", '{"force":true}')
    answer = world.call("POST", f"/callbacks/{token}/{action}", ACTIONS[action])
    assert (answer.status, kind_of(answer.body)) == (410, "callback-gone")
    assert "is CANCELLED" in answer.body["detail"]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "wrong", ["nobody", "a.b", "%00", "x" * 2000, "cnVuLTAtMDAwMDAwMDE.x", "ä", "%ff"]
)
def test_what_is_no_token_is_not_found(world: World, token: str, action: str, wrong: str) -> None:
    assert token
    answer = world.call("POST", f"/callbacks/{wrong}/{action}", ACTIONS[action])
    assert (answer.status, kind_of(answer.body)) == (404, "callback-not-found")
    assert answer.body["detail"] == "there is no such callback token"


def test_a_large_answer_is_kept_elsewhere_and_a_larger_one_is_refused(
    world: World, token: str
) -> None:
    for size in (2040, 3000):
        too_large = world.call("POST", f"/callbacks/{token}/complete", json.dumps("x" * size))
        assert (too_large.status, too_large.body["limit"]) == (413, 2048)
    assert world.call("POST", f"/callbacks/{token}/complete", json.dumps("x" * 1000)).status == 202
    assert world.call("POST", f"/callbacks/{token}/complete", json.dumps("x" * 1000)).status == 200
    assert result(world) == "x" * 1000


def test_an_answer_that_is_no_json_is_refused(world: World, token: str) -> None:
    answer = world.call("POST", f"/callbacks/{token}/complete", "{")
    assert (answer.status, kind_of(answer.body)) == (400, "malformed-body")


def test_no_answer_no_log_and_no_error_repeats_a_token(
    world: World, token: str, logged: io.StringIO
) -> None:
    (run_id,) = world.store.run_ids
    targets = [
        *(f"/callbacks/{token}/{action}" for action in (*ACTIONS, "destroy")),
        f"/callbacks/{token}",
        f"/v1/callbacks/{token}x/complete/more",
    ]
    answers = [world.call("POST", target, '{"type":"a"}') for target in targets]
    answers += [world.get(target) for target in targets]
    answers += [world.get(f"/runs/{run_id}"), world.get(f"/runs/{run_id}/audit")]
    world.advance(100)
    answers += [world.call("POST", target, '{"type":"b"}') for target in targets]
    world.breaks(RuntimeError("broken"))
    answers += [world.call("POST", target, '{"type":"b"}') for target in targets]

    assert {each.status for each in answers} >= {200, 202, 400, 404, 405, 409, 500}
    proof = token.partition(".")[2]
    assert proof not in "".join([each.text + str(each.headers) for each in answers])
    assert proof not in logged.getvalue()
    assert "not answered" in logged.getvalue()


def test_every_route_of_a_callback_is_a_post_with_a_token(world: World) -> None:
    routes = callback_routes(world.engine)
    assert {(each.method, each.rule.rpartition("/")[0]) for each in routes} == {
        ("POST", "/callbacks/<token>")
    }
