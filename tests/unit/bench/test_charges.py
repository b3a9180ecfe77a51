"""What runs say that they have cost is held against what was counted."""

from __future__ import annotations

from bench.budget import lines
from bench.charges import compared
from bench.ledger import Ledger, Phase, Tally
from bench.table_model import TableModel

HEAD = {"total": {"S": "D3R2W2X5Q1I1y0Tv"}}


def ledger(**more: int) -> Ledger:
    table = TableModel(
        indexes=(),
        items={
            ("RUN#1", "#HEAD"): HEAD,
            ("RUN#2", "#HEAD"): {},
            ("RUN#other", "#HEAD"): HEAD,
            ("RUN#1", "OP#a"): {},
        },
    )
    made = Ledger(table=table, groups={"1": "plain", "2": "plain"})
    tally = Tally(read_units=1, write_units=2, sqs_requests=1 + more.get("sends", 0))
    tally.index_units["due put"] = 5
    tally.calls["dynamodb Query"] = 3
    tally.calls["sqs SendMessage"] = 1
    made.tallies = {(Phase.STEP, "plain"): tally, (Phase.OTHER, "plain"): Tally(read_units=9)}
    return made


def test_both_counts_of_the_same_runs_agree() -> None:
    found = compared(ledger())
    assert set(found["differences"].values()) == {0}
    assert found["time"] == {"invocations": 1.0, "milliseconds": 31}


def test_a_difference_breaks_the_budget() -> None:
    found = compared(ledger(sends=1))
    assert found["differences"]["SQS requests to send"] == -1
    step = {
        "calls": {"dynamodb Query": 1, "sqs SendMessage": 1},
        "write_units": 1,
        "index_units": {},
    }
    result = {
        "plan": {"runs": 0, "steps": 0, "result_bytes": 0},
        "outcome": {
            "statuses": {},
            "steps_done": 0,
            "effects_not_exactly_once": 0,
            "left_in_queue": 0,
            "left_in_dead_letters": 0,
        },
        "counted": {"step": step, "start_plain": step, "start_keyed": step, "end": step},
        "ledger": found,
    }
    broken = [each.what for each in lines(result) if not each.kept]
    assert broken == ["runs' own count of SQS requests to send, too much or too little"]
