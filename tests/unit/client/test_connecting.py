"""Clients come from an address, from the environment, from AWS itself or from a test engine."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

import everstep
from everstep import Client
from everstep.adapters.cloudformation import NoSuchStackError
from everstep.adapters.errors import AdapterError
from everstep.app.receive import receive
from everstep.client import on_aws
from everstep.client.testing import client_of
from everstep.core.errors import InvalidRequestError, UnknownWorkflowError
from everstep.core.model import RunStatus
from everstep.settings import SettingsError
from everstep.testing import TestEngine
from tests.unit.cli.stacks import OUTPUTS, Stacks
from tests.unit.client.deployments import Accepted, awaiting
from tests.unit.http.world import ORDER, anything, shop

if TYPE_CHECKING:
    from tests.contract.backends import Clients

NOBODY: Final = "Nobody"
VARIABLES: Final = ("EVERSTEP_URL", "EVERSTEP_API_KEY", "EVERSTEP_STACK")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def _stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(endpoint_url: str | None = None) -> Stacks:
        return Stacks(endpoint_url=endpoint_url)

    monkeypatch.setattr(on_aws, "Clients", make)


def engine_of(client: Client) -> Any:  # noqa: ANN401
    transport: Any = client._connection.transport
    return transport._engine()


# --- The environment


def test_the_environment_names_an_api_and_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSTEP_URL", "https://api.invalid/v1")
    monkeypatch.setenv("EVERSTEP_API_KEY", "k-1")
    client = Client.from_env(actor="ada")
    transport: Any = client._connection.transport
    assert str(transport._http.base_url) == "https://api.invalid/v1/"
    assert transport._http.headers["Authorization"] == "Bearer k-1"
    assert transport._http.headers["Everstep-Actor"] == "ada"


@pytest.mark.usefixtures("_stacks")
def test_without_an_address_the_environment_names_a_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVERSTEP_STACK", "shop")
    engine = engine_of(Client.from_env())
    assert engine.runs._table._name == OUTPUTS["TableName"]


def test_an_environment_that_names_neither_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"set EVERSTEP_URL.* or EVERSTEP_STACK"):
        Client.from_env()


# --- AWS itself


def on_moto(clients: Clients, **changes: Any) -> Client:  # noqa: ANN401
    place = {"table": clients.table, "queue": clients.table, "bucket": clients.bucket}
    session = boto3.Session(region_name="us-east-1")
    given: dict[str, Any] = {"session": session, "workflows": [shop, anything]}
    given |= place | changes
    return Client.on_aws(**given)


def work(client: Client, clients: Clients) -> None:
    answer = clients.sqs.receive_message(QueueUrl=clients.queue_url)
    for each in answer.get("Messages", ()):
        receive(engine_of(client), each["MessageId"], each["Body"])
        clients.sqs.delete_message(QueueUrl=clients.queue_url, ReceiptHandle=each["ReceiptHandle"])


def test_a_run_is_started_on_aws_without_the_api(clients: Clients) -> None:
    with on_moto(clients, actor="ada") as client:
        run = client.start(anything, "x" * 100_000, idempotency_key="A-1")
        assert not run.status().terminal
        work(client, clients)
        assert run.result(timeout=5) == "x" * 100_000
        assert client.start(anything, "x" * 100_000, idempotency_key="A-1").id == run.id


def test_the_queue_is_named_or_addressed(clients: Clients) -> None:
    url = clients.queue_url
    for queue in (url, url.rpartition("/")[2]):
        assert engine_of(on_moto(clients, queue=queue)).queue._url == url
    with pytest.raises(AdapterError, match="GetQueueUrl"):
        on_moto(clients, queue="nobody")


def test_workflows_are_named_by_their_packages(clients: Clients) -> None:
    client = on_moto(clients, workflows="tests.unit.http.world")
    assert "shop" in engine_of(client).registry.names
    other = on_moto(clients, workflows=[anything])
    with pytest.raises(UnknownWorkflowError, match="deployed: anything"):
        other.start("shop", ORDER)


def test_what_is_not_said_is_asked_for(clients: Clients) -> None:
    with pytest.raises(InvalidRequestError, match=r"missing: table, bucket$"):
        on_moto(clients, table=None, bucket=None)


@pytest.mark.usefixtures("_stacks")
def test_a_stack_says_what_is_not_given() -> None:
    engine = engine_of(Client.on_aws(stack="shop", table="mine", workflows=[shop]))
    assert engine.runs._table._name == "mine"
    assert engine.queue._url == OUTPUTS["QueueUrl"]
    with pytest.raises(NoSuchStackError, match="there is no stack nobody in us-east-1"):
        Client.on_aws(stack="nobody")
    with pytest.raises(NoSuchStackError, match="has no output TableName"):
        Client.on_aws(stack="other")


# --- A test engine


def test_code_that_uses_clients_is_tested_in_virtual_time() -> None:
    engine = TestEngine([shop, awaiting])
    client = client_of(engine, actor="ada")
    before = engine.now
    assert client.start("shop", ORDER).result(timeout=3600) == {"receipt": "charged 20"}
    assert 60 <= (engine.now - before).total_seconds() < 62
    run = client.start(awaiting)
    run.send_event("accepted", Accepted(minutes=5))
    assert run.result() == Accepted(minutes=5)
    assert engine.get(run.id).status is RunStatus.COMPLETED
    assert client_of(engine).get(run.id).status() is RunStatus.COMPLETED


# --- Imports


def loaded_by(code: str) -> set[str]:
    """Return the modules that a fresh process has after running some code."""
    program = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return set(answer.stdout.split())


def test_nothing_of_the_client_is_loaded_before_somebody_asks_for_it() -> None:
    loaded = loaded_by("import everstep, everstep.wiring, everstep.http.api, everstep.http.trigger")
    assert {"everstep.client", "httpx", "tenacity"} & loaded == set()


def test_only_a_client_over_http_needs_the_extra() -> None:
    loaded = loaded_by("from everstep import Client\nfrom everstep.client import direct, on_aws")
    assert {"httpx", "tenacity"} & loaded == set()


def test_a_missing_extra_is_named() -> None:
    code = (
        "sys.modules['httpx'] = None\n"
        "from everstep import Client\n"
        "try:\n    Client('http://127.0.0.1')\n"
        "except ImportError as error:\n"
        "    assert \"pip install 'everstep[client]'\" in str(error)\n"
        "else:\n    raise SystemExit('no error')"
    )
    assert "everstep.client" in loaded_by(code)


def test_a_name_that_nobody_has_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nobody'"):
        getattr(everstep, NOBODY)
