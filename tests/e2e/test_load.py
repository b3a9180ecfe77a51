"""200 runs of 10 steps at once: nothing is lost or done twice, and each step costs its budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from bench.budget import READS
from bench.drive import Plan
from bench.measure import measure
from bench.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.stack import Stack

PLAN: Final = Plan(runs=200, steps=10, patience=240)
EXECUTORS: Final = 8
BATCH: Final = 10
# Whichever test comes first waits for the load: 70 to 110 s on two processors.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def result(stack: Stack) -> Iterator[dict[str, Any]]:
    """Carry out the load once, with batches as large as on AWS where throughput counts."""
    target = Target(stack.server, stack.outputs, stack.key)
    assert stack.server.options.pollers == EXECUTORS
    # What is left in the end is then the load's own.
    stack.forget_messages()
    with target.patient(), target.batches_of(BATCH):
        yield measure(target, PLAN, lambda _: None)


def test_the_whole_load_is_within_the_budget(result: dict[str, Any]) -> None:
    broken = [line for line in result["budget"] if not line["kept"]]
    assert broken == []
    assert len(result["budget"]) >= 14


def test_every_step_of_every_run_had_its_effect_exactly_once(result: dict[str, Any]) -> None:
    outcome = result["outcome"]
    assert outcome["statuses"] == {"COMPLETED": 200}
    assert outcome["steps_done"] == 2000
    assert outcome["effects_not_exactly_once"] == 0


def test_nothing_is_left_in_the_queues(result: dict[str, Any]) -> None:
    assert result["outcome"]["left_in_queue"] == 0
    assert result["outcome"]["left_in_dead_letters"] == 0


def test_a_step_is_one_read_one_write_unit_and_one_send(result: dict[str, Any]) -> None:
    step = result["counted"]["step"]
    reads = sum(step["calls"].pop(name, 0) for name in READS)
    assert reads == pytest.approx(1, abs=0.001)
    assert step["calls"] == {"dynamodb PutItem": 1, "sqs SendMessage": 1}
    assert (step["write_units"], step["index_units"], step["sqs_requests"]) == (1, {}, 1)


def test_the_executors_worked_at_the_same_time(result: dict[str, Any]) -> None:
    assert result["functions"]["step_executor"]["processes"] >= EXECUTORS
