"""Deploying again changes what has changed, and nothing else."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from everstep_localstack import LocalStackError, processes
from tests.integration.localstack.conftest import STACK, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.localstack.conftest import System


@pytest.fixture
def _restored(system: System) -> Iterator[None]:
    """Deploy the stack as it was, for the other tests."""
    yield
    system.server.deploy(TEMPLATE, STACK)


def test_deploying_what_is_deployed_is_quick_and_changes_nothing(system: System) -> None:
    before = system.invoke("Probe", {}).payload["pid"]
    said: list[str] = []
    began = time.monotonic()

    outputs = system.server.deploy(TEMPLATE, STACK, say=said.append)

    assert time.monotonic() - began < 2
    assert said == ["stack plugin: no changes"]
    assert outputs == system.outputs
    assert system.invoke("Probe", {}).payload["pid"] == before


@pytest.mark.usefixtures("_restored")
def test_a_parameter_reaches_the_functions(system: System) -> None:
    system.server.deploy(TEMPLATE, STACK, parameters={"Greeting": "good evening"})

    environment = system.invoke("Probe", {}).payload["environment"]

    assert environment["GREETING"] == "good evening from plugin"


@pytest.mark.usefixtures("_restored")
def test_an_artifact_replaces_the_folder_of_a_layer(system: System, tmp_path: Path) -> None:
    (tmp_path / "python").mkdir()
    (tmp_path / "python/greeting.py").write_text('LAYER_VERSION = "second"\n', encoding="utf-8")

    system.server.deploy(TEMPLATE, STACK, artifacts={"Layer": tmp_path})

    assert system.invoke("Probe", {}).payload["layer"] == "second"


@pytest.mark.usefixtures("_restored")
def test_an_update_lets_running_invocations_finish_with_the_old_version(system: System) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(system.invoke, "Small", {"do": "sleep", "seconds": 8})
        time.sleep(1)
        system.server.deploy(TEMPLATE, STACK, parameters={"Greeting": "welcome"})
        during = running.done()
        after = system.invoke("Small", {}).payload["environment"]
        reply = running.result()

    assert not during, "the update took longer than the invocation: this test shows nothing"
    assert after["GREETING"] == "welcome from plugin"
    assert reply.error is None
    assert reply.payload["environment"]["GREETING"] == "hello from plugin"


@pytest.mark.usefixtures("_restored")
def test_what_a_function_was_updated_from_ends_when_it_is_idle(system: System) -> None:
    idle = system.invoke("Small", {}).payload["pid"]

    system.server.deploy(TEMPLATE, STACK, parameters={"Greeting": "welcome"})

    deadline = time.monotonic() + 5
    while processes.start_time(idle) is not None:
        assert time.monotonic() < deadline, "the old version's process is still there"
        time.sleep(0.05)


def test_a_refused_template_says_why(system: System, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n"
        "    Properties:\n      QueueName: 'not a name!'\n",
        encoding="utf-8",
    )

    with pytest.raises(LocalStackError, match="Queue"):
        system.server.deploy(template, "refused")

    system.server.teardown("refused")


def test_a_deleted_stack_is_gone(system: System, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n"
        "Outputs:\n  Url:\n    Value: !Ref Queue\n",
        encoding="utf-8",
    )
    url = system.server.deploy(template, "short")["Url"]

    system.server.teardown("short")

    with pytest.raises(LocalStackError, match="there is no stack 'short'"):
        system.server.outputs("short")
    with pytest.raises(system.sqs.exceptions.QueueDoesNotExist):
        system.sqs.get_queue_attributes(QueueUrl=url)
