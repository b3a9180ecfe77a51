"""The handlers, loaded as Lambda loads them, given the events that AWS sends."""

from __future__ import annotations

import importlib
import io
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep import logs, wiring
from everstep.adapters.memory.ids import SequenceIds
from everstep.core.errors import UnavailableError
from everstep.settings import Settings
from tests.unit.http.world import START, WORKFLOWS, Broken, FakeContext, World
from workflows.welcome_email import welcome_email

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[3]
RUN_ID: Final = "01KDVDN080T8W5N3Y7QF2ZJ4XB"
LONGEST: Final = 40
Handler = Callable[[dict[str, Any], FakeContext], dict[str, Any]]
Load = Callable[[str], Handler]


class RecordedIds(SequenceIds):
    """The first run is the one that the recorded events are about."""

    def run_id(self) -> str:
        made = super().run_id()
        return RUN_ID if made.endswith("1") else made


@pytest.fixture
def world() -> World:
    world = World(workflows=(*WORKFLOWS, welcome_email))
    world.engine = replace(world.engine, ids=RecordedIds())
    return world


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    logger = logging.getLogger("everstep")
    before = logger.handlers, logger.level, logger.propagate
    stream = io.StringIO()
    logs.configure("INFO", stream)
    yield stream
    logger.handlers, logger.level, logger.propagate = before
    logs.invocation("")


@pytest.fixture
def load(world: World, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Give a loader: a function's handler as a cold start makes it, on the world's engine."""
    assert log.getvalue() == ""
    settings = Settings(
        table="t", queue_url="q", bucket="b", max_receives=5, api_authorization="NONE"
    )
    monkeypatch.setattr(wiring, "engine_from_env", lambda: world.engine)
    monkeypatch.setattr(wiring, "settings_from_env", lambda: settings)

    def loaded(name: str) -> Handler:
        sys.modules.pop(f"functions.{name}.handler", None)
        handler: Handler = importlib.import_module(f"functions.{name}.handler").handler
        return handler

    yield loaded
    for name in [each for each in sys.modules if each.startswith("functions.")]:
        del sys.modules[name]


def event(name: str) -> dict[str, Any]:
    text = (ROOT / "events" / f"{name}.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def trigger(world: World) -> None:
    world.start("welcome-email", {"name": "Ada", "email": "ada@example.org", "pause": "PT1H"})


def test_the_trigger_starts_a_run(load: Load, world: World) -> None:
    answer = load("trigger")(event("trigger"), FakeContext())
    assert (answer["statusCode"], json.loads(answer["body"])["run_id"]) == (202, RUN_ID)
    assert list(world.store.run_ids) == [RUN_ID]
    again = load("trigger")(event("trigger"), FakeContext())
    assert (again["statusCode"], json.loads(again["body"])["run_id"]) == (200, RUN_ID)


def test_the_api_shows_a_run_and_lists_it(load: Load, world: World) -> None:
    trigger(world)
    handler = load("api")
    shown = handler(event("api-get-run"), FakeContext())
    assert (shown["statusCode"], json.loads(shown["body"])["run_id"]) == (200, RUN_ID)
    listed = handler(event("api-list-runs"), FakeContext())
    assert [each["run_id"] for each in json.loads(listed["body"])["runs"]] == [RUN_ID]


def test_requests_are_logged_under_the_id_that_callers_see(
    load: Load,
    log: io.StringIO,
) -> None:
    answer = load("api")(event("api-get-run"), FakeContext(aws_request_id="request-7"))
    assert answer["multiValueHeaders"]["X-Request-Id"] == ["request-7"]
    (line,) = map(json.loads, log.getvalue().splitlines())
    assert (line["request_id"], line["route"], line["status"]) == (
        "request-7",
        "/runs/<run_id>",
        404,
    )


def test_what_went_wrong_is_logged_without_payloads(
    load: Load,
    world: World,
    log: io.StringIO,
) -> None:
    world.breaks(UnavailableError("DynamoDB GetItem: ThrottlingException"))
    answer = load("trigger")(event("trigger"), FakeContext())
    assert answer["statusCode"] == 503
    fault, _ = map(json.loads, log.getvalue().splitlines())
    assert (fault["error"], fault["reason"]) == (
        "UnavailableError",
        "DynamoDB GetItem: ThrottlingException",
    )
    assert "ada@" not in log.getvalue()


def test_the_executor_runs_a_step_and_keeps_a_message_of_nobody(
    load: Load,
    world: World,
    log: io.StringIO,
) -> None:
    trigger(world)
    sent = event("step-executor")
    sent["Records"].append({**sent["Records"][0], "messageId": "m-2", "body": "not a message"})
    answer = load("step_executor")(sent, FakeContext())
    assert answer == {"batchItemFailures": []}
    assert world.queue.depth() == 2
    assert [letter.body for letter in world.store.dead_letters] == ["not a message"]
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    outcomes = [line["outcome"] for line in lines if line["message"] == "message processed"]
    assert outcomes == ["repeated", "malformed message"]


COUNTED: Final = {"ApproximateReceiveCount": "1", "SentTimestamp": "1767225600000"}


@pytest.mark.parametrize(("left", "failed"), [(60_000, 0), (1000, 1)])
def test_the_executor_fails_what_it_has_no_time_for(
    load: Load,
    world: World,
    left: int,
    failed: int,
) -> None:
    trigger(world)
    world.work(messages=1)
    delivery = world.queue.receive(360)
    assert delivery is not None
    record = {"messageId": "m-1", "body": delivery.body, "attributes": COUNTED}
    answer = load("step_executor")({"Records": [record]}, FakeContext(left=left))
    assert len(answer["batchItemFailures"]) == failed


def test_the_executor_reports_every_message_when_a_service_is_out(
    load: Load,
    world: World,
) -> None:
    trigger(world)
    world.is_throttled()
    object.__setattr__(world.engine, "dead_letters", Broken(UnavailableError("DynamoDB")))
    sent = event("step-executor")
    answer = load("step_executor")(sent, FakeContext())
    assert answer == {
        "batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in sent["Records"]]
    }


@pytest.mark.parametrize(("left", "starts"), [(60_000, 1), (9000, 0)])
def test_the_sweeper_sends_what_is_due_while_it_has_time(
    load: Load,
    world: World,
    left: int,
    starts: int,
) -> None:
    trigger(world)
    world.clock.set(START + world.limits.grace)
    answer = load("sweeper")(event("sweeper"), FakeContext(left=left))
    assert (answer["starts"], answer["finished"]) == (starts, starts == 1)


def test_the_sweeper_knows_whether_the_sweep_before_was_done(
    load: Load, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []
    handler = load("sweeper")
    whole = handler.__globals__["sweep"]

    def sweep(*args: object, behind: bool) -> object:
        told.append(behind)
        return whole(*args, behind=behind)

    monkeypatch.setitem(handler.__globals__, "sweep", sweep)
    trigger(world)
    world.clock.advance(world.limits.grace)
    for left in (9_000, 60_000, 60_000):
        handler(event("sweeper"), FakeContext(left=left))
    # The first one knows nothing, and has no time.
    assert told == [True, True, False]


def dead(count: int) -> dict[str, Any]:
    sent = event("dead-letter")
    sent["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(count)
    return sent


def test_a_dead_letter_stalls_its_run(load: Load, world: World) -> None:
    trigger(world)
    assert load("dead_letter")(dead(6), FakeContext()) == {"batchItemFailures": []}
    assert world.get(f"/runs/{RUN_ID}").body["status"] == "STALLED"


@pytest.mark.parametrize(
    ("count", "status"),
    [(1, "SLEEPING"), (6, "SLEEPING"), (7, "STALLED")],
    ids=["count-started-anew", "first-delivery", "second-delivery"],
)
def test_only_the_first_delivery_of_a_dead_letter_asks_the_workflow(
    load: Load,
    world: World,
    count: int,
    status: str,
) -> None:
    # The letter's work was done by somebody else: the code says so, if it is asked.
    trigger(world)
    world.work()
    load("dead_letter")(dead(count), FakeContext())
    assert world.get(f"/runs/{RUN_ID}").body["status"] == status


def test_a_dead_letter_that_could_not_be_buried_comes_again(
    load: Load,
    world: World,
) -> None:
    trigger(world)
    world.is_throttled()
    letter = dead(6)
    failures = load("dead_letter")(letter, FakeContext())["batchItemFailures"]
    assert [each["itemIdentifier"] for each in failures] == [letter["Records"][0]["messageId"]]


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "events").glob("api-*")))
def test_the_api_answers_every_recorded_request(load: Load, world: World, name: str) -> None:
    trigger(world)
    world.work()
    answer = load("api")(event(name), FakeContext())
    expected = 404 if name == "api-complete-callback" else 200
    assert answer["statusCode"] in {expected, 202}
    assert answer["multiValueHeaders"]["Content-Type"][0].startswith("application/")


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("functions/*/handler.py")), ids=lambda p: p.parent.name
)
def test_handlers_are_thin(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    assert len(code.split('"""', 2)[2].splitlines()) <= LONGEST
    assert " if " not in code.replace("if TYPE_CHECKING", "").split('"""', 2)[2]
