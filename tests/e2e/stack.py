"""The whole system on a LocalStack of its own, as tests see it."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
from typing_extensions import override

from bench import layer as load_layer
from everstep.core.access import Scope
from everstep.settings import Settings
from everstep.wiring import Clients, build_engine
from everstep_localstack import Deployment
from tools.local_key import make_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.client import BaseClient
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_lambda.client import LambdaClient
    from types_boto3_sqs.client import SQSClient

    from everstep.app.engine import Engine
    from everstep_localstack import LocalStack

ROOT: Final = Path(__file__).parents[2]
STACK: Final = "everstep-tests"
PARAMETERS: Final = {
    "TableDeletionProtection": "false",
    # What a test has revoked is to be forgotten while it waits.
    "ApiKeyCacheSeconds": "5",
    "ExecutorTimeout": "30",
    "MaxReceiveCount": "3",
    "InlineLimitBytes": "4096",
    "MaxPayloadBytes": "200000",
    "Workflows": ",".join(("workflows", "everstep_e2e", *load_layer.PACKAGES)),
}
TERMINAL: Final = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT", "CONTINUED"})
# Lambda's own rule is six times the time-out; a test that kills a function cannot wait for that.
VISIBILITY_SECONDS: Final = "3"


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: its API over HTTP, and the services under it."""

    server: LocalStack
    outputs: dict[str, str]
    http: httpx.Client
    key: str

    @property
    def sqs(self) -> SQSClient:
        """Return a client for the queues."""
        client: SQSClient = self.server.session().client(
            "sqs", endpoint_url=self.server.endpoint_url
        )
        return client

    @property
    def dynamodb(self) -> DynamoDBClient:
        """Return a client for the table."""
        client: DynamoDBClient = self.server.session().client(
            "dynamodb", endpoint_url=self.server.endpoint_url
        )
        return client

    @property
    def functions(self) -> LambdaClient:
        """Return a client for the functions."""
        client: LambdaClient = self.server.session().client(
            "lambda", endpoint_url=self.server.endpoint_url
        )
        return client

    def trigger(self, workflow: str, body: object, **headers: str) -> str:
        """Start a run that must be accepted; return its id."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.http.post(f"/triggers/{workflow}", json=body, headers=named)
        assert answer.status_code in (200, 202), answer.text
        return str(answer.json()["run_id"])

    def run(self, run_id: str) -> dict[str, Any]:
        """Return a run with its steps."""
        answer = self.http.get(f"/runs/{run_id}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def until(
        self, run_id: str, seconds: float = 60, *, status: str | None = None
    ) -> dict[str, Any]:
        """Wait until a run has ended, or has a status; return it."""
        wanted = frozenset({status}) if status else TERMINAL
        deadline = time.monotonic() + seconds
        while True:
            run = self.run(run_id)
            if run["status"] in wanted:
                return run
            assert time.monotonic() < deadline, f"waited {seconds} s: {json.dumps(run, indent=1)}"
            time.sleep(0.1)

    def depth(self, output: str) -> int:
        """Return how many messages a queue holds: visible, delayed and hidden."""
        answer = self.sqs.get_queue_attributes(
            QueueUrl=self.outputs[output], AttributeNames=["All"]
        )
        return sum(int(value) for name, value in answer["Attributes"].items() if _counts(name))

    def forget_messages(self) -> None:
        """Empty the queues of what runs of other tests still wait for."""
        for output in ("QueueUrl", "DeadLetterQueueUrl"):
            self.sqs.purge_queue(QueueUrl=self.outputs[output])

    def engine(self) -> Engine:
        """Return the engine's ports on this stack, to do by hand what functions do."""
        limit = PARAMETERS["InlineLimitBytes"]
        settings = Settings.read(
            {
                "EVERSTEP_TABLE": self.outputs["TableName"],
                "EVERSTEP_QUEUE_URL": self.outputs["QueueUrl"],
                "EVERSTEP_BUCKET": self.outputs["BucketName"],
                "EVERSTEP_WORKFLOWS": PARAMETERS["Workflows"],
                "EVERSTEP_INLINE_LIMIT_BYTES": limit,
            }
        )
        return build_engine(settings, _LocalClients(self.server))


class _LocalClients(Clients):
    """Makes clients of the tests' LocalStack, whatever the environment says."""

    def __init__(self, server: LocalStack) -> None:
        self._server = server

    @override
    def make(self, service: str) -> BaseClient:
        session = self._server.session()
        url = self._server.endpoint_url
        client: BaseClient = session.client(service, endpoint_url=url)
        return client


def _counts(attribute: str) -> bool:
    return attribute.startswith("ApproximateNumberOfMessages")


def deploy(server: LocalStack, build: Path, say: Callable[[str], None]) -> Stack:
    """Deploy everything, the tests' workflows included."""
    deployment = Deployment(
        template=ROOT / "template.yaml",
        stack=STACK,
        parameters=PARAMETERS,
        artifacts={"WorkflowsLayer": _workflows(build)},
    )
    outputs = server.stacks(say).deploy(deployment)
    key = make_key(server, outputs["TableName"], "tests", list(Scope))
    headers = {"Authorization": f"Bearer {key}"}
    http = httpx.Client(base_url=_api_url(server, outputs), timeout=40, headers=headers)
    stack = Stack(server, outputs, http, key)
    stack.sqs.set_queue_attributes(
        QueueUrl=outputs["QueueUrl"], Attributes={"VisibilityTimeout": VISIBILITY_SECONDS}
    )
    return stack


def _workflows(build: Path) -> Path:
    """Lay the tests' workflows and the metering beside the examples, in one layer."""
    for source in (ROOT / "layers/workflows/python", ROOT / "tests/e2e/layer/python"):
        shutil.copytree(source, build / "python", dirs_exist_ok=True)
    load_layer.add_to(build)
    return build


def _api_url(server: LocalStack, outputs: dict[str, str]) -> str:
    return f"{server.endpoint_url}/_aws/execute-api/{outputs['ApiId']}/{outputs['StageName']}"
