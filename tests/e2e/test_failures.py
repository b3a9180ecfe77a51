"""The failure windows with real kills: SIGKILL, lost and doubled messages, dead letters."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep.app.outbox import send
from everstep.app.start import start
from everstep.core import messages
from everstep.core.changes import RunWatched
from everstep.core.errors import UnavailableError
from everstep.core.model import Message, MessageKind, OpStatus, RunStatus
from everstep.core.transitions import Guard, HeadGuard
from tests.e2e.invariants import check_since

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from everstep.app.engine import Engine
    from everstep.core.model import OpRecord, Outgoing
    from tests.e2e.stack import Stack
    from tests.examples.effects import EffectServer


def effects_of(effects: EffectServer, run_id: str) -> Counter[str]:
    """Count the effects of a run by operation."""
    prefix = f"/effects/{run_id}/"
    paths = [item.path for item in effects.received()]
    return Counter(path.removeprefix(prefix) for path in paths if path.startswith(prefix))


def engine_records(engine: Engine, run_id: str) -> dict[str, OpRecord]:
    """Return what is recorded of a run."""
    history = engine.runs.load(run_id)
    assert history is not None
    return history.records


@pytest.mark.parametrize(
    ("point", "most"),
    [
        # The result was not recorded, so the step has to be done again.
        ("before commit", 2),
        # From the commit on the step is never done again, wherever the process dies.
        ("after commit", 1),
        ("before send", 1),
        ("after send", 1),
    ],
)
def test_a_killed_function_loses_nothing(
    stack: Stack, effects: EffectServer, tmp_path: Path, point: str, most: int
) -> None:
    once = tmp_path / "killed"
    asked = {"effects": effects.url, "point": point, "once": str(once)}
    run_id = stack.trigger("e2e-doomed", asked)
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED"
    assert run["result"] == point
    assert once.exists()
    counted = effects_of(effects, run_id)
    assert counted["doomed_effect-1"] == most
    assert counted["effect-1"] == 1
    # A kill after the send repeats it: the next step may run twice, and is recorded once.
    assert 1 <= counted["effect-2"] <= 2
    assert [step["status"] for step in run["steps"]] == ["DONE"] * 3


def test_a_step_that_kills_its_process_every_time_fails_when_its_attempts_are_used_up(
    stack: Stack, effects: EffectServer, tmp_path: Path
) -> None:
    lethal = tmp_path / "lethal"
    lethal.touch()
    asked = {"effects": effects.url, "lethal": str(lethal)}
    run_id = stack.trigger("e2e-poison", asked)
    # Two deaths per attempt; after the second one the function's whole time has to pass.
    run = stack.until(run_id, seconds=180)
    assert run["status"] == "FAILED"
    assert run["error"]["type"] == "StepInterrupted"
    assert effects_of(effects, run_id) == {"lethal_effect-1": 4}


def test_a_step_that_died_and_of_which_no_probe_can_tell_stalls_its_run_until_one_can(
    stack: Stack, effects: EffectServer, tmp_path: Path
) -> None:
    lethal = tmp_path / "lethal"
    lethal.touch()
    asked = {"effects": effects.url, "lethal": str(lethal)}
    run_id = stack.trigger("e2e-unsure", asked)
    stalled = stack.until(run_id, seconds=120, status="STALLED")
    assert stalled["stall"]["type"] == "DeadLetter"
    assert "attempt 1 of unsure_effect#1 began and left no result" in stalled["stall"]["message"]
    kept = stack.engine().runs.head(run_id)
    assert kept is not None
    assert kept.stall is not None
    assert kept.stall.message is not None
    assert messages.decode(kept.stall.message).op == "unsure_effect#1"

    lethal.unlink()
    assert stack.http.post(f"/runs/{run_id}/resume").status_code == 200
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED"
    assert run["result"] == "found"
    assert effects_of(effects, run_id) == {"unsure_effect-1": 1}


def test_a_step_that_takes_too_long_is_cut_off_and_fails_the_run(
    stack: Stack, effects: EffectServer
) -> None:
    run_id = stack.trigger("e2e-slow", effects.url)
    run = stack.until(run_id)
    assert run["status"] == "FAILED"
    assert run["error"]["type"] == "StepFailed"
    assert "StepTimeout" in run["error"]["message"]
    assert run["error"]["operation"] == "slow#1"
    assert effects_of(effects, run_id) == {"slow-1": 2}


def test_doubled_and_stale_messages_change_nothing(stack: Stack, effects: EffectServer) -> None:
    run_id = stack.trigger("e2e-naps", {"effects": effects.url, "steps": 3})
    engine = stack.engine()
    stack.until(run_id, status="SLEEPING")
    while "effect#1" not in engine_records(engine, run_id):
        time.sleep(0.1)
    forged = [
        Message(run_id=run_id, kind=MessageKind.STEP, token=f"forged-{at}", op=key, attempt=1)
        for at, key in enumerate(("effect#1", "sleep#1", "effect#1"))
    ]
    timers = [
        Message(run_id=run_id, kind=MessageKind.TIMER, token=f"timer-{at}", op=key)
        for at, key in enumerate(("sleep#1", "effect#1", "sleep#1"))
    ]
    for _ in range(2):
        send(engine, [*forged, *timers])
        time.sleep(1)
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED"
    assert effects_of(effects, run_id) == {"effect-1": 1, "effect-2": 1, "effect-3": 1}
    assert [step["key"] for step in run["steps"]] == [
        "sleep#1",
        "effect#1",
        "sleep#2",
        "effect#2",
        "sleep#3",
        "effect#3",
    ]
    assert all(step["lateness_ms"] >= 0 for step in run["steps"] if step["kind"] == "sleep")


def test_the_same_message_delivered_twice_at_once_gives_one_result(
    stack: Stack, effects: EffectServer
) -> None:
    engine = stack.engine()
    accepted = start(_without_queue(engine), "e2e-steps", {"effects": effects.url, "steps": 2})
    first = Message(run_id=accepted.run_id, kind=MessageKind.START, token="the-same")
    body = messages.encode(first)
    for _ in range(4):
        stack.sqs.send_message(QueueUrl=stack.outputs["QueueUrl"], MessageBody=body)
    run = stack.until(accepted.run_id)
    assert run["status"] == "COMPLETED"
    counted = effects_of(effects, accepted.run_id)
    # Each copy starts the first step; from there on one of them wins.
    assert 1 <= counted["effect-1"] <= 4
    assert [step["status"] for step in run["steps"]] == ["DONE", "DONE"]


def test_a_run_whose_first_message_got_lost_is_started_by_the_sweeper(
    stack: Stack, effects: EffectServer
) -> None:
    engine = stack.engine()
    accepted = start(_without_queue(engine), "e2e-steps", {"effects": effects.url, "steps": 2})
    assert accepted.created
    assert not accepted.sent
    assert stack.run(accepted.run_id)["status"] == "PENDING"
    due_now = RunWatched(due_at=engine.clock.now())
    assert engine.runs.change(accepted.run_id, due_now, HeadGuard(statuses=(RunStatus.RUNNING,)))
    _sweep(stack)
    run = stack.until(accepted.run_id)
    assert run["status"] == "COMPLETED"
    assert effects_of(effects, accepted.run_id) == {"effect-1": 1, "effect-2": 1}


def test_a_long_sleep_is_woken_by_the_sweeper_and_costs_no_message_meanwhile(
    stack: Stack, effects: EffectServer
) -> None:
    run_id = stack.trigger("e2e-year", effects.url)
    stack.until(run_id, status="SLEEPING")
    engine = stack.engine()
    history = engine.runs.load(run_id)
    assert history is not None
    asleep = history.records["sleep#1"]
    assert asleep.status is OpStatus.WAITING
    assert asleep.wake_at is not None
    assert asleep.wake_at == asleep.due_at
    assert stack.depth("QueueUrl") == 0
    # A year cannot be waited for: the record is moved to now, as if it had passed.
    past = replace(asleep, wake_at=engine.clock.now() - 1, due_at=engine.clock.now() - 1)
    assert engine.runs.put(run_id, past, Guard(statuses=(OpStatus.WAITING,)))
    _sweep(stack)
    run = stack.until(run_id)
    assert run["result"] == "rested"
    assert effects_of(effects, run_id) == {"effect-1": 1, "effect-2": 1}


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_the_rule_wakes_the_sweeper_every_minute(stack: Stack, effects: EffectServer) -> None:
    engine = stack.engine()
    accepted = start(_without_queue(engine), "e2e-steps", {"effects": effects.url, "steps": 1})
    due_now = RunWatched(due_at=engine.clock.now())
    assert engine.runs.change(accepted.run_id, due_now, HeadGuard(statuses=(RunStatus.RUNNING,)))
    assert stack.until(accepted.run_id, seconds=130)["status"] == "COMPLETED"


def test_a_poller_that_stops_in_the_middle_loses_nothing(
    stack: Stack, effects: EffectServer
) -> None:
    (mapping,) = stack.functions.list_event_source_mappings(
        FunctionName=stack.outputs["StepExecutorFunctionName"]
    )["EventSourceMappings"]
    run_ids = [stack.trigger("e2e-steps", {"effects": effects.url, "steps": 4}) for _ in range(4)]
    stack.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    time.sleep(2)
    stack.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
    for run_id in run_ids:
        run = stack.until(run_id)
        assert run["status"] == "COMPLETED"
        assert run["result"] == 6
        assert len(run["steps"]) == 4


def test_a_message_that_belongs_to_nobody_is_kept(stack: Stack) -> None:
    sent = stack.sqs.send_message(QueueUrl=stack.outputs["QueueUrl"], MessageBody="not a message")
    key = {"PK": {"S": f"DEAD#{sent['MessageId']}"}, "SK": {"S": "-"}}
    deadline = time.monotonic() + 20
    while True:
        kept = stack.dynamodb.get_item(TableName=stack.outputs["TableName"], Key=key).get("Item")
        if kept is not None:
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "not a message" in json.dumps(kept)


def test_a_large_result_goes_to_the_bucket_and_a_huge_one_fails_clearly(stack: Stack) -> None:
    large = stack.until(stack.trigger("e2e-large", 20_000))
    assert large["result"] == 20_000
    huge = stack.until(stack.trigger("e2e-large", 300_000))
    assert huge["status"] == "FAILED"
    assert "PayloadTooLargeError" in huge["error"]["message"]
    history = stack.engine().runs.load(large["run_id"])
    assert history is not None
    payload = history.records["enlarge#1"].result
    assert payload is not None
    assert payload.ref is not None


@pytest.fixture(autouse=True)
def invariants(stack: Stack) -> Iterator[None]:
    """Check every run that a test started, and the queues, after whatever it did."""
    stack.forget_messages()
    engine = stack.engine()
    oldest = engine.ids.run_id()
    yield
    deadline = time.monotonic() + 30
    while stack.depth("QueueUrl") or stack.depth("DeadLetterQueueUrl"):
        assert time.monotonic() < deadline, "messages are left in a queue"
        time.sleep(0.2)
    check_since(engine, oldest)


class _LostQueue:
    """Loses everything: the process dies between record and send."""

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send nothing."""
        raise UnavailableError(f"{len(outgoing)} messages were lost")


def _without_queue(engine: Engine) -> Engine:
    return replace(engine, queue=_LostQueue())


def _sweep(stack: Stack) -> None:
    answer = stack.functions.invoke(
        FunctionName=stack.outputs["SweeperFunctionName"], Payload=b"{}"
    )
    assert "FunctionError" not in answer, answer["Payload"].read()
