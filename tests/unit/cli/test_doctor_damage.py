"""``everstep doctor`` over a table in which items are damaged: each is told, none stops it."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto import mock_aws

from everstep.adapters.dynamodb import items, keys
from everstep.app.options import StartOptions
from everstep.app.start import start
from everstep.cli.session import real
from everstep.core.model import OpKind, OpRecord, OpStatus, Payload
from everstep.settings import Settings
from everstep.wiring import Clients, build_engine
from tests.contract.backends import create_table
from tests.unit.cli.typed import typed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from types_boto3_dynamodb import DynamoDBClient

TABLE: Final = "damaged"
ENVIRONMENT: Final = {
    "EVERSTEP_TABLE": TABLE,
    "EVERSTEP_BUCKET": "bucket",
    "EVERSTEP_QUEUE_URL": "http://127.0.0.1:9/queue",
    "EVERSTEP_WORKFLOWS": "damage_flows",
}
FLOW: Final = """
from everstep import Context, step, workflow

@step
def pay(card: str) -> str:
    return card

@workflow(name="buy")
async def buy(ctx: Context, card: str) -> str:
    return await ctx.step(pay, card)
"""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDBClient]:
    """A table in which two runs wait for their first step, and indexes need no pause."""
    (tmp_path / "damage_flows.py").write_text(FLOW, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        create_table(dynamodb, TABLE)
        yield dynamodb
    sys.modules.pop("damage_flows", None)


class NoQueue:
    """A queue that loses everything."""

    def send(self, _outgoing: object) -> None:
        """Lose it."""


@pytest.fixture
def run_id(table: DynamoDBClient) -> str:
    assert table is not None
    engine = replace(build_engine(Settings.read(ENVIRONMENT), Clients()), queue=NoQueue())
    start(engine, "buy", "4111-SECRET")
    return start(engine, "buy", "4242-SECRET", StartOptions(idempotency_key="key-SECRET")).run_id


def damage(table: DynamoDBClient, run_id: str, sort_key: str, **attributes: Any) -> None:  # noqa: ANN401 - any value, None for none
    key = {"PK": {"S": keys.run(run_id)}, "SK": {"S": sort_key}}
    item = table.get_item(TableName=TABLE, Key=key)["Item"]
    item.update(attributes)
    whole = {name: value for name, value in item.items() if value is not None}
    table.put_item(TableName=TABLE, Item=whole)


def put_operation(table: DynamoDBClient, run_id: str) -> None:
    record = OpRecord(
        key="pay#1",
        kind=OpKind.STEP,
        status=OpStatus.RETRY,
        by="token",
        input_hash="h",
        attempt=1,
        wake_at=2**45,
        due_at=2**45,
        result=Payload(text='"4242-SECRET"', size=13),
    )
    table.put_item(TableName=TABLE, Item=items.from_record(run_id, record))


def violations() -> tuple[int, list[tuple[str, str, str]]]:
    """Return how many runs were checked, and what is told."""
    by = real()
    by.environment = ENVIRONMENT
    seen = typed("doctor", "--check", "--json", by=by)
    assert "SECRET" not in seen.out + seen.err
    answer = json.loads(seen.out)
    told = [(each["run_id"], each["invariant"], each["detail"]) for each in answer["violations"]]
    assert seen.code == (1 if told else 0)
    return answer["runs"], told


def test_what_is_whole_is_in_order(run_id: str) -> None:
    assert run_id
    assert violations() == (2, [])


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"gen": None}, "gen is missing"),
        ({"input": {"S": "SECRET"}}, "input is not of the form that this release writes"),
        ({"created_at": {"S": "SECRET"}}, "created_at is not of the form that this release writes"),
        (
            {"status": {"S": "HIBERNATING"}},
            "status is 'HIBERNATING', unknown to this release: written by a newer release?",
        ),
        ({"input": {"M": {"t": {"S": "{{SECRET"}}}}, "input is not JSON"),
        ({"input": {"M": {}}}, "input is not JSON"),
    ],
)
def test_a_head_that_cannot_be_read_is_told(
    table: DynamoDBClient, run_id: str, attributes: dict[str, Any], reason: str
) -> None:
    damage(table, run_id, keys.RUN_HEAD, **attributes)
    expected = (run_id, "records_are_readable", f"the run itself: {reason}")
    runs, told = violations()
    # An input that can be read as a payload, and is another one, shows in the audit as well.
    assert runs == 2
    assert [each for each in told if each[1] != "the_audit_is_whole"] == [expected]


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"attempt": None}, "attempt is missing"),
        ({"hash": None}, "hash is missing"),
        ({"by": {"N": "1"}}, "by is not of the form that this release writes"),
        ({"kind": {"S": "signal"}}, "kind is 'signal', unknown to this release"),
        ({"status": {"N": "1"}}, "status is not of the form that this release writes"),
    ],
)
def test_an_operation_that_cannot_be_read_is_told(
    table: DynamoDBClient, run_id: str, attributes: dict[str, Any], reason: str
) -> None:
    put_operation(table, run_id)
    damage(table, run_id, keys.operation("pay#1"), **attributes)
    runs, told = violations()
    assert runs == 2
    ((told_run, invariant, detail),) = told
    assert (told_run, invariant) == (run_id, "records_are_readable")
    assert detail.startswith(f"pay#1: {reason}")


def test_a_run_whose_head_is_gone_is_told(table: DynamoDBClient, run_id: str) -> None:
    put_operation(table, run_id)
    key = {"PK": {"S": keys.run(run_id)}, "SK": {"S": keys.RUN_HEAD}}
    table.delete_item(TableName=TABLE, Key=key)
    detail = "there is no such run, but it is due: pay#1"
    assert violations() == (2, [(run_id, "every_entry_has_its_run", detail)])
