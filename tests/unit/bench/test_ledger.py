"""Calls are booked where they belong: to a step, to a run's start, to its end, or to nobody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from bench.ledger import Ledger, Phase, book_all, phase_of, read_lines, run_of

if TYPE_CHECKING:
    from pathlib import Path

EXECUTOR = "stack-step-executor"
TRIGGER = "stack-trigger"
HEAD = {"PK": {"S": "RUN#r1"}, "SK": {"S": "#HEAD"}}
RECORD = {"PK": {"S": "RUN#r1"}, "SK": {"S": "OP#count#1"}}
CLAIM = {"PK": {"S": "IDEM#flow#k"}, "SK": {"S": "-"}}
UPDATE = {
    "Key": HEAD,
    "UpdateExpression": "SET #a = :a",
    "ExpressionAttributeNames": {"#a": "a"},
    "ExpressionAttributeValues": {":a": {"S": "b"}},
}


def line(function: str, kind: str | None = None, **facts: object) -> dict[str, Any]:
    return {
        "at": 1.0,
        "pid": 1,
        "function": function,
        "message": {"run": "r1", "kind": kind} if kind else None,
        "service": "service",
        "operation": "Operation",
        "requests": 1,
        "sent": 10,
        "received": 20,
        "error": None,
        **facts,
    }


def body(kind: str) -> str:
    return json.dumps({"run": "r1", "kind": kind})


QUERY: Final[dict[str, Any]] = {"read": [4096, 1], "consistent": True, "run": "r1"}


@pytest.mark.parametrize(
    ("call", "phase"),
    [
        (line(TRIGGER, writes=[{"Item": HEAD}]), Phase.START),
        (line(TRIGGER, bodies=[body("start")]), Phase.START),
        (line(EXECUTOR, "start", **QUERY), Phase.START),
        # The message that brings a step is the step's, whoever sends it.
        (line(EXECUTOR, "start", bodies=[body("step")]), Phase.STEP),
        (line(EXECUTOR, "step", bodies=[body("step")]), Phase.STEP),
        (line(EXECUTOR, "step", **QUERY), Phase.STEP),
        (line(EXECUTOR, "step", writes=[{"Item": RECORD}]), Phase.STEP),
        (line(EXECUTOR, "step", writes=[UPDATE]), Phase.END),
        (line(EXECUTOR, "timer", **QUERY), Phase.OTHER),
        (line(EXECUTOR), Phase.OTHER),
        (line("stack-api", **QUERY), Phase.OTHER),
        (line("stack-sweeper"), Phase.OTHER),
    ],
)
def test_a_call_belongs_to_what_it_was_made_for(call: dict[str, Any], phase: Phase) -> None:
    assert phase_of(call) is phase


@pytest.mark.parametrize(
    ("call", "run"),
    [
        (line(EXECUTOR, "step"), "r1"),
        (line(TRIGGER, bodies=[body("start")]), "r1"),
        (line(TRIGGER, writes=[{"Item": CLAIM}, {"Item": HEAD}]), "r1"),
        (line("stack-api", **QUERY), "r1"),
        (line("stack-sweeper", read=[], consistent=False), None),
        (line(TRIGGER, writes=[{"Item": CLAIM}]), None),
    ],
)
def test_a_call_is_about_the_run_that_it_names(call: dict[str, Any], run: str | None) -> None:
    assert run_of(call) == run


def booked(*calls: dict[str, Any], group: str = "plain") -> Ledger:
    return book_all(calls, (), {"r1": group})


def test_sums_are_shared_among_the_steps() -> None:
    ledger = booked(
        line(EXECUTOR, "step", **QUERY),
        line(EXECUTOR, "step", **{**QUERY, "read": [10]}),
        line(EXECUTOR, "step", writes=[{"Item": RECORD}]),
        line(EXECUTOR, "step", bodies=[body("step")]),
    )
    shared = ledger.of(Phase.STEP).per(2)
    assert shared["calls"] == {"service Operation": 2.0}
    assert shared["read_units"] == 1.5
    assert shared["write_units"] == 0.5
    assert shared["sqs_requests"] == 0.5
    assert (shared["bytes_sent"], shared["bytes_received"]) == (20, 40)
    assert ledger.queries == {1: 1, 2: 1}


def test_groups_are_kept_apart_and_can_be_added() -> None:
    ledger = booked(line(TRIGGER, writes=[{"Item": HEAD}]), group="keyed")
    assert ledger.of(Phase.START, "keyed").write_units == 1
    assert ledger.of(Phase.START, "plain").write_units == 0
    assert ledger.of(Phase.START).write_units == 1


def test_runs_of_others_are_left_out() -> None:
    ledger = book_all([line(EXECUTOR, "step", **QUERY)], (), {"another": "plain"})
    assert ledger.tallies == {}


def test_lines_of_all_processes_come_in_the_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text('{"at": 3}\n{"at": 5}\n{"at"', encoding="utf-8")
    (tmp_path / "2.jsonl").write_text('{"at": 4}\n', encoding="utf-8")
    assert read_lines(tmp_path) == [{"at": 3}, {"at": 4}, {"at": 5}]


def test_of_a_batch_every_item_is_paid_for_by_itself() -> None:
    read = {"read": [100, 0], "consistent": True, "one_by_one": True, "run": "r1"}
    together = book_all([line(EXECUTOR, "step", **read)], (), {"r1": "plain"})
    assert together.of(Phase.STEP).read_units == 2
    query = {**read, "one_by_one": False}
    assert (
        book_all([line(EXECUTOR, "step", **query)], (), {"r1": "plain"}).of(Phase.STEP).read_units
        == 1
    )
