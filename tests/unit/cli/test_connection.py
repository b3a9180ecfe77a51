"""Options come before the stack, the stack before the environment; errors say what to mend."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto import mock_aws

from everstep.app.start import start
from everstep.cli.connection import connect_reader
from everstep.cli.exits import CommandError, ExitCode
from everstep.cli.options import Target
from everstep.cli.session import real
from everstep.settings import Settings
from everstep.wiring import Clients, build_engine
from tests.contract.backends import create_table
from tests.unit.cli.stacks import Stacks
from tests.unit.cli.typed import DEPLOYMENT, Verifier, session, typed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from everstep.app.engine import Engine
    from everstep.cli.session import Session

REGION: Final = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
AWS: Final = "https://dynamodb.eu-west-1.amazonaws.com"
FLOW: Final = """
from everstep import Context, workflow
print("imported")
@workflow(name="nap")
async def nap(ctx: Context) -> str:
    await ctx.sleep(60)
    return "rested"
"""


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Stand in an empty folder; forget afterwards what was imported from it."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("flows", None)


@pytest.fixture
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


def with_stacks() -> Session:
    by = session()
    by.readers = Stacks
    return by


def table_of(engine: Engine) -> str:
    runs: Any = engine.runs
    return str(runs._table._name)


def test_what_is_typed_comes_before_the_environment() -> None:
    target = Target(table="typed", workflows="json")
    engine = connect_reader(session(), target)
    assert (table_of(engine), engine.registry.names) == ("typed", [])
    assert table_of(connect_reader(session(), Target())) == "table"


def test_a_stack_comes_between_what_is_typed_and_the_environment(folder: Path) -> None:
    (folder / "flows.py").write_text(FLOW, encoding="utf-8")
    engine = connect_reader(with_stacks(), Target(stack="shop"))
    assert (table_of(engine), engine.registry.names) == ("from-stack", ["nap"])
    assert table_of(connect_reader(with_stacks(), Target(stack="shop", table="typed"))) == "typed"


def test_workflows_are_found_where_the_template_takes_them_from(folder: Path) -> None:
    layer = folder / "layers" / "workflows" / "python"
    layer.mkdir(parents=True)
    (layer / "flows.py").write_text(FLOW, encoding="utf-8")
    assert connect_reader(session(), Target(workflows="flows")).registry.names == ["nap"]


def test_a_module_that_cannot_be_imported_is_a_warning_and_output_of_imports_is_no_answer(
    folder: Path,
) -> None:
    what = (
        "flows cannot be imported, its workflows are left out: ZeroDivisionError: division by zero"
    )
    (folder / "flows.py").write_text("print('hello')\n1 / 0\n", encoding="utf-8")
    seen = typed("doctor", "--check", "--workflows", "flows", by=session(Verifier()))
    # Nothing was checked with it, so nobody may take this for a gate that is open.
    assert seen.code is ExitCode.FAILED
    assert "workflows of flows were not looked at" in seen.out
    assert seen.err.splitlines()[:2] == ["hello", f"warning: {what}"]


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "no table and no bucket to look at: give --stack, or --table and --bucket, or set"),
        ({"EVERSTEP_TABLE": "t", "EVERSTEP_BUCKET": " "}, "no bucket to look at: give --stack"),
        ({"EVERSTEP_BUCKET": "b"}, "--bucket, or set EVERSTEP_TABLE$"),
    ],
)
def test_reading_needs_no_queue_but_a_table_and_a_bucket(
    environment: dict[str, str], says: str
) -> None:
    with pytest.raises(CommandError, match=says) as error:
        connect_reader(session(environment=environment), Target())
    assert error.value.exit_code is ExitCode.USAGE


def test_a_variable_that_is_wrong_is_named() -> None:
    seen = typed(
        "doctor", "--check", by=session(environment=DEPLOYMENT | {"EVERSTEP_WORKFLOWS": "a b"})
    )
    assert (seen.code, seen.err.count("\n")) == (2, 1)
    assert seen.err.startswith("error: EVERSTEP_WORKFLOWS must name Python packages")


def test_an_address_without_scheme_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(CommandError, match="must begin with http"):
        connect_reader(session(), Target(endpoint_url="127.0.0.1:4566"))


@pytest.mark.usefixtures("_aws")
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--stack", "none"), 3, f"there is no stack none in {REGION} at https://cloudformation"),
        (("--stack", "other"), 3, "stack other (CREATE_COMPLETE) has no output TableName, Bucket"),
        (
            ("--region", "eu-west-1"),
            3,
            "there is no such table (table table, bucket bucket, region",
        ),
        (
            ("--table", "t", "--region", "eu-west-1", "--endpoint-url", AWS),
            3,
            f"there is no such table (table t, bucket bucket, region eu-west-1, at {AWS}); look",
        ),
        (
            ("--stack", "secret"),
            1,
            "CloudFormation DescribeStacks: AccessDenied: no; let these credentials do it",
        ),
        (("--aws-profile", "nobody"), 2, "the AWS configuration has no such profile"),
    ],
)
def test_what_is_not_there_is_said_with_the_way_to_mend_it(
    arguments: tuple[str, ...], code: int, says: str
) -> None:
    by = replace(real(), environment=DEPLOYMENT | {"EVERSTEP_WORKFLOWS": "json"}, readers=Stacks)
    seen = typed("doctor", "--check", *arguments, by=by)
    assert (seen.code, seen.out, seen.err.count("\n")) == (code, "", 1)
    assert seen.err.startswith(f"error: {says}")


def test_a_stack_in_no_region_is_asked_for_the_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    seen = typed("doctor", "--check", "--stack", "any")
    assert seen.code == 2
    assert seen.err.startswith("error: no AWS region is chosen: give --region")


@pytest.mark.usefixtures("_aws")
def test_a_live_table_is_checked_by_the_engine_itself(folder: Path) -> None:
    (folder / "flows.py").write_text(FLOW, encoding="utf-8")
    create_table(boto3.client("dynamodb"), "live")
    boto3.client("s3").create_bucket(Bucket="payloads")
    queue = boto3.client("sqs").create_queue(QueueName="steps")["QueueUrl"]
    environment = {
        "EVERSTEP_TABLE": "live",
        "EVERSTEP_BUCKET": "payloads",
        "EVERSTEP_QUEUE_URL": queue,
        "EVERSTEP_WORKFLOWS": "flows",
    }
    sys.path.insert(0, str(folder))
    writer = build_engine(Settings.read(environment), Clients())
    run_id = start(writer, "nap", None).run_id
    by = real()
    by.environment = environment
    for arguments in ((), ("--since", "1h"), ("--run", run_id)):
        seen = typed("doctor", "--check", *arguments, by=by)
        assert (seen.code, seen.err) == (0, "")
        assert seen.out.splitlines()[-1] == "1 run checked: every invariant holds"
    assert typed("doctor", "--check", "--since", "2200-01-01", by=by).out == "no runs to check\n"
    assert typed("doctor", "--check", "--run", "none", by=by).code == 3
