"""Counts times prices, checked by hand for one case each."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import pytest

from bench import budget
from bench.drive import Outcome
from bench.prices import (
    ALARMS,
    Assumption,
    bill,
    history_read_units,
    idle_month,
    load_prices,
    mean_read_units,
)
from tests import cloudformation

STEP: Final[dict[str, Any]] = {
    "calls": {"dynamodb Query": 1.0, "dynamodb PutItem": 1.0, "sqs SendMessage": 1.0},
    "read_units": 2,
    "write_units": 1,
    "index_units": {},
    "sqs_requests": 1,
}
ROUND: Final = Assumption(memory_mb=1024, billed_ms=100)


def test_prices_name_their_date_and_region() -> None:
    prices = load_prices()
    assert prices["date"].year >= 2026
    assert prices["region"] == "us-east-1"


def test_a_step_alone_in_its_batch_pays_for_three_queue_requests() -> None:
    made = bill(load_prices(), STEP, ROUND)
    assert made.writes == pytest.approx(0.625)
    assert made.reads == pytest.approx(2 * 0.125)
    assert made.messages == pytest.approx(3 * 0.40)
    assert made.requests == pytest.approx(0.20)
    assert made.compute == pytest.approx(0.1 * 13.3334)
    assert made.api == 0
    assert made.total == pytest.approx(0.625 + 0.25 + 1.2 + 0.2 + 1.33334)


def test_a_full_batch_shares_receive_delete_and_invocation_but_no_time() -> None:
    made = bill(load_prices(), STEP, Assumption(memory_mb=1024, billed_ms=100, batch=10))
    assert made.messages == pytest.approx(1.2 * 0.40)
    assert made.requests == pytest.approx(0.02)
    assert made.compute == pytest.approx(0.1 * 13.3334)


def test_a_start_pays_for_the_api_and_a_second_invocation() -> None:
    made = bill(load_prices(), STEP, ROUND, through_api=True)
    assert made.api == pytest.approx(3.50)
    assert made.requests == pytest.approx(0.40)
    assert made.compute == pytest.approx(2 * 0.1 * 13.3334)


def test_index_writes_cost_what_other_writes_cost() -> None:
    made = bill(load_prices(), {**STEP, "index_units": {"a put": 2, "b delete": 1}}, ROUND)
    assert made.index_writes == pytest.approx(3 * 0.625)


def test_large_payloads_cost_what_s3_asks() -> None:
    calls = {"s3 PutObject": 1.0, "s3 GetObject": 2.0}
    made = bill(load_prices(), {**STEP, "calls": calls}, ROUND)
    assert made.payloads == pytest.approx(5.00 + 2 * 0.40)


def test_the_last_read_of_a_long_run_is_larger_than_the_mean() -> None:
    assert [history_read_units(n, 300, 200) for n in (1, 19, 20, 40)] == [1, 1, 2, 2]
    assert mean_read_units(1, 300, 200) == 1
    assert mean_read_units(40, 300, 200) == pytest.approx((19 * 1 + 21 * 2) / 40)


def test_an_idle_month_has_a_sweep_every_minute() -> None:
    parts = idle_month(load_prices(), {"read_units_per_sweep": 4})
    assert parts["sweeper: reads of the due index"] == pytest.approx(43_200 * 4 * 0.125e-6)
    assert parts["polls of two empty queues"] == pytest.approx(43_200 * 30 * 0.40e-6)
    assert sum(parts.values()) < 5


def test_the_template_has_as_many_metrics_in_alarms_as_are_paid_for() -> None:
    alarms = cloudformation.of_type(cloudformation.load(), "AWS::CloudWatch::Alarm").values()
    looked_at = [
        sum("MetricStat" in each for each in alarm.get("Metrics", [])) or 1 for alarm in alarms
    ]
    assert sum(looked_at) == ALARMS


def result(**step: object) -> dict[str, Any]:
    start = {**STEP, "calls": {"dynamodb PutItem": 1, "dynamodb Query": 1, "sqs SendMessage": 1}}
    return {
        "plan": {"runs": 2, "steps": 3, "result_bytes": 0},
        "outcome": {
            "statuses": {"COMPLETED": 2},
            "steps_done": 6,
            "effects_not_exactly_once": 0,
            "left_in_queue": 0,
            "left_in_dead_letters": 0,
        },
        "counted": {
            "step": {**STEP, **step},
            "start_plain": start,
            "start_keyed": {**start, "write_units": 4},
            "end": {**STEP, "index_units": {"due delete": 1}},
        },
    }


def broken(found: dict[str, Any]) -> list[str]:
    return [line.what for line in budget.lines(found) if not line.kept]


def test_what_is_within_the_budget_passes() -> None:
    assert broken(result()) == []


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ({"calls": {**STEP["calls"], "dynamodb GetItem": 1.0}}, "step: reads"),
        ({"calls": {**STEP["calls"], "sqs SendMessage": 1.01}}, "step: sends"),
        ({"calls": {**STEP["calls"], "dynamodb Scan": 0.01}}, "step: any other request"),
        ({"write_units": 1.01}, "step: write units"),
        ({"index_units": {"due put": 0.01}}, "step: index write units"),
    ],
)
def test_every_request_too_many_is_noticed(step: dict[str, Any], what: str) -> None:
    assert broken(result(**step)) == [what]


@pytest.mark.parametrize(
    ("outcome", "value"),
    [
        ("statuses", {"COMPLETED": 1, "FAILED": 1}),
        ("steps_done", 5),
        ("effects_not_exactly_once", 1),
        ("left_in_queue", 1),
        ("left_in_dead_letters", 1),
    ],
)
def test_a_load_that_lost_or_repeated_something_is_noticed(outcome: str, value: object) -> None:
    found = result()
    found["outcome"][outcome] = value
    assert len(broken(found)) == 1


def test_a_run_that_writes_too_much_is_noticed() -> None:
    found = result()
    found["counted"]["end"]["write_units"] = 3
    assert broken(found) == ["run with idempotency key: write units"]


def test_payloads_may_take_more_units_and_other_services() -> None:
    found = result(write_units=5, calls={**STEP["calls"], "s3 PutObject": 1.0})
    found["plan"]["result_bytes"] = 4096
    assert broken(found) == []


def test_an_effect_that_is_missing_or_doubled_is_named() -> None:
    outcome = Outcome(
        groups={},
        statuses=Counter(),
        done=0,
        effects=Counter({"/r/0": 1, "/r/1": 0, "/r/2": 2}),
        seconds=1,
        left={},
    )
    assert outcome.repeated == {"/r/1": 0, "/r/2": 2}
