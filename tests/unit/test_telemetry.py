"""What a function tells: metrics at its end, its run in every line, its trace in what it sends."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep import logs, telemetry
from everstep.adapters.sqs import SqsQueue
from everstep.app.engine import Execution
from everstep.core.model import Message, MessageKind, Outgoing
from everstep.core.observations import RunAccepted, RunAtHand
from everstep.core.trace_context import Correlation, TraceContext, trace_of
from tests.unit.adapters.vendor import URL, ScriptedClient
from tests.unit.app.definitions import one_step
from tests.unit.app.world import World
from tests.unit.core.test_metrics import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.app.engine import Engine
    from everstep.core.model import Head

RECORDED: Final = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1"
SAMPLED: Final = TraceContext(
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="00f067aa0ba902b7", sampled=True
)
ACCEPTED: Final = RunAccepted(run_id="run-1", workflow="wf")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    telemetry.configure("off", "none")
    logs.invocation("")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    loggers = [logging.getLogger(name) for name in (None, "everstep")]
    before = [(each, each.handlers, each.level, each.propagate) for each in loggers]
    text = io.StringIO()
    logs.configure("INFO", text)
    yield text
    for logger, handlers, level, propagate in before:
        logger.handlers, logger.level, logger.propagate = handlers, level, propagate


def sampled_head() -> Head:
    return replace(HEAD, correlation=Correlation(trace=SAMPLED, id="order-1"))


def test_metrics_are_written_when_an_invocation_ends_also_if_it_fails(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = telemetry.configure("on", "shop")

    def fail() -> None:
        told.observe(ACCEPTED)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), telemetry.invocation("request-1"):
        fail()
    line = json.loads(capsys.readouterr().out)
    assert (line["RunsStarted"], line["Deployment"]) == (1, "shop")
    assert "Workflow" not in line


def test_metrics_can_tell_workflows_apart(capsys: pytest.CaptureFixture[str]) -> None:
    told = telemetry.configure("by-workflow", "shop")
    with telemetry.invocation("request-1"):
        told.observe(ACCEPTED)
    assert json.loads(capsys.readouterr().out)["Workflow"] == "wf"


def test_metrics_can_be_off(capsys: pytest.CaptureFixture[str]) -> None:
    told = telemetry.configure("off", "shop")
    with telemetry.invocation("request-1"):
        told.observe(ACCEPTED)
    assert capsys.readouterr().out == ""


def test_log_lines_say_which_run_they_are_about_and_what_it_belongs_to(
    stream: io.StringIO,
) -> None:
    told = telemetry.configure("off", "shop")
    log = logging.getLogger("everstep.test")
    with telemetry.invocation("request-1"):
        log.info("before")
        told.observe(RunAtHand(head=sampled_head()))
        log.info("at work")
        logs.about(None)
        log.info("after")
    before, at_work, after = map(json.loads, stream.getvalue().splitlines())
    assert "run_id" not in before
    assert "run_id" not in after
    told_of = {name: at_work[name] for name in ("run_id", "workflow", "trace_id", "correlation_id")}
    assert told_of == {
        "run_id": "run-1",
        "workflow": "wf",
        "trace_id": SAMPLED.trace_id,
        "correlation_id": "order-1",
    }


def test_lines_of_a_run_without_a_mark_have_its_trace_alone(stream: io.StringIO) -> None:
    logs.about(replace(sampled_head(), correlation=None))
    logging.getLogger("everstep.test").info("at work")
    logs.about(None)
    told = json.loads(stream.getvalue())
    assert len(told["trace_id"]) == 32
    assert "correlation_id" not in told


def test_the_trace_of_an_invocation_counts_if_it_is_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    assert telemetry.sampled_trace() is None
    monkeypatch.setenv("_X_AMZN_TRACE_ID", RECORDED)
    assert telemetry.sampled_trace() == SAMPLED


def sent(count: int) -> list[dict[str, Any]]:
    client: Any = ScriptedClient({})
    message = Message(run_id="run-1", kind=MessageKind.START, token="t")
    SqsQueue(client, URL, telemetry.xray_header).send([Outgoing(message=message)] * count)
    ((_, request),) = client.requests
    return list(request.get("Entries", [request]))


@pytest.mark.parametrize("count", [1, 2])
def test_messages_carry_the_trace_of_their_run_while_it_is_recorded(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    told = telemetry.configure("off", "shop")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", RECORDED.replace("1-4bf92f35", "1-5bf92f35"))
    assert "MessageSystemAttributes" not in sent(count)[0]
    told.observe(RunAtHand(head=sampled_head()))
    header = {"AWSTraceHeader": {"DataType": "String", "StringValue": SAMPLED.xray}}
    assert [each["MessageSystemAttributes"] for each in sent(count)] == [header] * count
    told.observe(RunAtHand(head=HEAD))
    assert "MessageSystemAttributes" not in sent(count)[0]
    told.observe(RunAtHand(head=sampled_head()))
    monkeypatch.setenv("_X_AMZN_TRACE_ID", RECORDED.replace("Sampled=1", "Sampled=0"))
    assert "MessageSystemAttributes" not in sent(count)[0]


def test_a_run_takes_over_the_trace_in_which_it_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(one_step)
    world.engine = telemetry.configure("off", "shop").watching(world.engine)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", RECORDED)
    run_id = world.start(value=1).run_id
    assert trace_of(world.head(run_id)) == SAMPLED


def test_steps_have_spans_if_opentelemetry_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(one_step)
    told = telemetry.configure("off", "shop")
    monkeypatch.setattr(telemetry, "find_spec", lambda _name: None)
    assert told.watching(world.engine).execute == world.engine.execute
    assert told.end_spans is None
    monkeypatch.setattr(telemetry, "find_spec", find_spec)
    assert told.watching(world.engine).execute != world.engine.execute
    ended: list[int] = []
    told.end_spans = lambda: ended.append(1)
    with telemetry.invocation("request-1"):
        assert ended == []
    assert ended == [1]


def test_nothing_of_opentelemetry_and_no_metrics_are_loaded_before_they_are_asked_for() -> None:
    script = (
        "import sys, everstep.wiring, everstep.telemetry;"
        "sys.exit(any(n.startswith('opentelemetry') or n == 'everstep.adapters.emf'"
        " for n in sys.modules))"
    )
    engine = Path(__file__).parents[2] / "layers/engine/python"
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, env={"PYTHONPATH": str(engine)}
    )
    assert ended.returncode == 0


def test_an_execution_knows_the_trace_of_its_run() -> None:
    world, seen = World(one_step), list[Execution]()
    world.engine = world_engine(world, seen)
    run_id = world.begin(value=1)
    world.run()
    assert [each.trace for each in seen] == [trace_of(world.head(run_id))]


def world_engine(world: World, seen: list[Execution]) -> Engine:
    def execute(execution: Execution) -> object:
        seen.append(execution)
        return execution.carry_out()

    return replace(world.engine, execute=execute)
