"""Instances start beside one another, and leave nothing behind, even when they are killed."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Final

import boto3
import pytest

from everstep_localstack import LocalStack, LocalStackError, Options, ports, processes
from tests.integration.localstack.conftest import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTION: Final = "Probe"


@pytest.fixture
def other() -> Iterator[LocalStack]:
    """Return a second instance, which is stopped at the end."""
    server = LocalStack(Options(instance="test-other", port=4667, pollers=2))
    server.start()
    server.wait()
    yield server
    server.stop()


def _spawn_grandchild(server: LocalStack) -> int:
    outputs = server.deploy(TEMPLATE, "lifecycle")
    client = boto3.client("lambda", endpoint_url=server.endpoint_url)
    answer = client.invoke(FunctionName=outputs[FUNCTION], Payload='{"do": "spawn"}')
    payload = answer["Payload"].read().decode()
    return int(payload.split('"child": ')[1].split(",")[0])


@pytest.mark.timeout(120)
def test_stop_leaves_no_process_and_frees_the_port(other: LocalStack) -> None:
    grandchild = _spawn_grandchild(other)
    before = other.process_ids()

    assert other.stop()

    assert grandchild in before
    assert len(before) >= 3
    assert [pid for pid in before if processes.start_time(pid) is not None] == []
    assert not other.is_ready()


@pytest.mark.timeout(120)
def test_functions_die_with_a_killed_localstack_and_start_cleans_up_the_rest(
    other: LocalStack,
) -> None:
    grandchild = _spawn_grandchild(other)
    record = other.status()
    assert record is not None
    functions = set(other.process_ids()) - {record.pid, grandchild}

    os.kill(record.pid, signal.SIGKILL)

    _wait_until_gone(functions)
    assert processes.start_time(grandchild) is not None
    other.start()
    other.wait()
    assert processes.start_time(grandchild) is None
    assert other.is_ready()


def _wait_until_gone(pids: set[int]) -> None:
    deadline = time.monotonic() + 5
    while any(processes.start_time(pid) is not None for pid in pids):
        assert time.monotonic() < deadline, "a function survived LocalStack"
        time.sleep(0.02)


@pytest.mark.timeout(120)
def test_two_instances_do_not_see_one_another(system: object, other: LocalStack) -> None:
    assert system is not None
    queue = boto3.client("sqs", endpoint_url=other.endpoint_url)

    queue.create_queue(QueueName="mine")

    urls = queue.list_queues()["QueueUrls"]
    assert urls == ["http://127.0.0.1:4667/queue/us-east-1/000000000000/mine"]


@pytest.mark.timeout(120)
def test_starting_what_runs_changes_nothing_but_other_options_are_refused(
    other: LocalStack,
) -> None:
    before = other.status()

    other.start()

    assert other.status() == before
    with pytest.raises(LocalStackError, match="stop it first"):
        LocalStack(Options(instance="test-other", port=4667, pollers=3)).start()


@pytest.mark.timeout(120)
def test_a_taken_port_is_told_with_its_holder(other: LocalStack) -> None:
    record = other.status()
    assert record is not None

    with pytest.raises(LocalStackError, match=f"port 4667 is taken by process {record.pid} "):
        LocalStack(Options(instance="test-third", port=4667)).start()


@pytest.mark.timeout(120)
def test_only_this_machine_can_reach_it(other: LocalStack) -> None:
    assert ports.is_private(other.options.port)


@pytest.mark.timeout(120)
def test_dynamodb_is_answered(other: LocalStack) -> None:
    client = other.session().client("dynamodb", endpoint_url=other.endpoint_url)
    client.create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )

    client.put_item(TableName="t", Item={"pk": {"S": "a"}})

    assert client.get_item(TableName="t", Key={"pk": {"S": "a"}})["Item"] == {"pk": {"S": "a"}}
