"""One LocalStack for this folder, with the stack in `stack/`, on a port of its own."""

from __future__ import annotations

import base64
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from types_boto3_lambda.client import LambdaClient
    from types_boto3_sqs.client import SQSClient

ROOT: Final = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "localstack"))

from everstep_localstack import LocalStack, Options  # noqa: E402 - after its folder is on the path

TEMPLATE: Final = Path(__file__).parent / "stack/template.yaml"
STACK: Final = "plugin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an invocation answered."""

    payload: dict[str, Any]
    error: str | None
    log: str


@dataclass(slots=True, kw_only=True)
class System:
    """The deployed stack, and how to talk to it."""

    server: LocalStack
    outputs: dict[str, str]
    lambda_client: LambdaClient
    sqs: SQSClient
    # Results of other tests, such as the schedule's, which come through the same queue.
    results: list[dict[str, Any]] = field(default_factory=list)

    def invoke(self, function: str, event: dict[str, Any]) -> Reply:
        """Invoke a function of the stack, by logical id."""
        answer = self.lambda_client.invoke(
            FunctionName=self.outputs[function], Payload=json.dumps(event), LogType="Tail"
        )
        return Reply(
            payload=json.loads(answer["Payload"].read()),
            error=answer.get("FunctionError"),
            log=base64.b64decode(answer["LogResult"]).decode(),
        )

    def send(self, queue: str, *tasks: dict[str, Any]) -> None:
        """Send one message per task, in batches, so that they arrive together."""
        for start in range(0, len(tasks), 10):
            self.sqs.send_message_batch(
                QueueUrl=self.outputs[queue],
                Entries=[
                    {"Id": str(number), "MessageBody": json.dumps(task)}
                    for number, task in enumerate(tasks[start : start + 10])
                ],
            )

    def receive_results(
        self, wanted: Callable[[dict[str, Any]], bool], count: int, seconds: float
    ) -> list[dict[str, Any]]:
        """Return the results that match, as soon as there are `count`, or what came in time."""
        deadline = time.monotonic() + seconds
        while len(found := [each for each in self.results if wanted(each)]) < count:
            if time.monotonic() > deadline:
                break
            self.results += self.receive("ResultsUrl")
        return found

    def receive(self, queue: str) -> list[dict[str, Any]]:
        """Take what is in a queue, and wait a second for it."""
        url = self.outputs[queue]
        messages = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """Return the deployed stack."""
    with LocalStack(Options(instance="test-plugin", port=4666)) as server:
        outputs = server.deploy(TEMPLATE, STACK)
        session = boto3.Session()
        yield System(
            server=server,
            outputs=outputs,
            lambda_client=session.client("lambda", endpoint_url=server.endpoint_url),
            sqs=session.client("sqs", endpoint_url=server.endpoint_url),
        )
