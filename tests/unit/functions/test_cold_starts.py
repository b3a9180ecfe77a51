"""What a function loads at its start is what its messages need, and no more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from bench.starts.process import ENVIRONMENT, LAMBDA
from tests.cloudformation import load

ROOT: Final = Path(__file__).parents[3]
WORKFLOW: Final = """
from everstep import Context, step, workflow


@step
def greet(name: str) -> dict[str, str]:
    return {"greeting": f"Hello, {name}"}


@workflow(name="greeting")
async def greeting(ctx: Context, name: str) -> dict[str, str]:
    return await ctx.step(greet, name)
"""
# Installed for tests, and not where functions run: there it would be loaded, and is wanted.
PROGRAM: Final = """
import sys
sys.modules["opentelemetry"] = None
before = set(sys.modules)
import handler
import json
print(json.dumps(sorted(set(sys.modules) - before)))
"""

QUEUES: Final = ("step_executor", "dead_letter", "sweeper", "authorizer")
EVERYWHERE: Final = ("step_executor", "dead_letter", "sweeper", "authorizer", "trigger", "api")

NOT_OF_QUEUES: Final = frozenset(
    {
        *("annotated_types", "asyncio", "aws_lambda_powertools", "pydantic", "pydantic_core"),
        *("typing_extensions", "everstep.http.application", "ulid", "everstep.core.typed"),
    }
)
"""Packages, and modules, that no message needs whose workflow has plain data and plain steps."""

NOT_ANYWHERE: Final = frozenset(
    {
        *("boto3", "s3transfer", "tomllib", "difflib", "httpx", "tenacity", "typer", "rich"),
        *("cryptography", "opentelemetry.trace", "pytest", "hypothesis", "moto"),
        *("everstep.cli", "everstep.client", "everstep.testing", "everstep.check"),
        *("everstep.adapters.kms", "everstep.adapters.memory", "everstep.adapters.s3"),
        *("everstep.adapters.opentelemetry", "everstep.adapters.cloudformation"),
    }
)
"""What is for other programs, for what is switched off, and for large payloads."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, frozenset[str]]:
    """Give the modules that the start of each function loads."""
    package = tmp_path_factory.mktemp("layer") / "flows"
    package.mkdir()
    (package / "__init__.py").write_text(WORKFLOW, encoding="utf-8")
    return {name: _loaded(name, package.parent) for name in EVERYWHERE}


def _loaded(function: str, layer: Path) -> frozenset[str]:
    return frozenset(json.loads(_printed(function, layer, PROGRAM)))


def _printed(function: str, layer: Path, program: str) -> str:
    """Return what a program prints that runs where Lambda would run a function."""
    folder = ROOT / "functions" / function
    path = [folder, ROOT / "layers/engine/python", layer]
    environment = {
        **LAMBDA,
        **ENVIRONMENT,
        "PYTHONPATH": ":".join(map(str, path)),
    }
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return ended.stdout.splitlines()[-1]


def _packages(modules: frozenset[str]) -> set[str]:
    """Return the modules with everything that they are part of."""
    parts = [each.split(".") for each in modules]
    return {".".join(each[:length]) for each in parts for length in range(1, len(each) + 1)}


@pytest.mark.parametrize("function", EVERYWHERE)
def test_no_function_loads_what_is_for_others(
    loaded: dict[str, frozenset[str]], function: str
) -> None:
    assert not _packages(loaded[function]) & NOT_ANYWHERE


@pytest.mark.parametrize("function", QUEUES)
def test_functions_without_http_load_no_routing_and_no_validation(
    loaded: dict[str, frozenset[str]], function: str
) -> None:
    assert not _packages(loaded[function]) & NOT_OF_QUEUES


def test_clients_are_made_at_the_start_where_a_processor_is_given_in_full(
    loaded: dict[str, frozenset[str]],
) -> None:
    assert {"botocore.client", "botocore.httpsession"} <= loaded["step_executor"]


def test_starts_are_measured_with_what_the_template_tells_every_function() -> None:
    told = load()["Globals"]["Function"]["Environment"]["Variables"]
    assert set(ENVIRONMENT) == set(told)


FIRST_MESSAGE: Final = """
import dataclasses, json, sys
sys.modules["opentelemetry"] = None
import handler
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.queue import MemoryQueue
from everstep.adapters.memory.store import MemoryStore
from everstep.app.start import start

clock = VirtualClock(1_767_225_600_000)
store, queue = MemoryStore(), MemoryQueue(clock)
engine = handler.engine = dataclasses.replace(
    handler.engine, runs=store, timers=store, lists=store, dead_letters=store,
    queue=queue, clock=clock, ids=SequenceIds(),
)
start(engine, "greeting", "Ada")

class Context:
    aws_request_id = "request-1"
    get_remaining_time_in_millis = staticmethod(lambda: 60_000)

before = set(sys.modules)
while delivery := queue.receive(360):
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "1767225600000"}
    record = {"messageId": "m-1", "body": delivery.body, "attributes": attributes}
    assert handler.handler({"Records": [record]}, Context()) == {"batchItemFailures": []}
    queue.delete(delivery)
loaded = sorted(set(sys.modules) - before)
(run_id,) = store.run_ids
print(json.dumps([loaded, str(store.head(run_id).status)]))
"""


def test_the_messages_of_a_plain_workflow_load_nothing_that_the_start_did_not(
    tmp_path: Path,
) -> None:
    package = tmp_path / "flows"
    package.mkdir()
    (package / "__init__.py").write_text(WORKFLOW, encoding="utf-8")
    loaded, status = json.loads(_printed("step_executor", tmp_path, FIRST_MESSAGE))
    assert status == "COMPLETED"
    assert loaded == []
