"""A deployed stack, as the load script uses it: its API, and the services under it."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

from bench import layer
from bench.table_model import Index, indexes_of
from everstep_localstack import Deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from everstep_localstack import LocalStack

STACK: Final = "everstep-load"
_MAPPING_SECONDS: Final = 20
_LOOK_EVERY: Final = 0.2
_PLATFORM: Final = ("START ", "END ", "REPORT ", "INIT_")
_REPORT: Final = re.compile(r"^REPORT .*\tBilled Duration: (\d+) ms")


class LoadError(Exception):
    """The load did not come through; the message says how far it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionLog:
    """What a function left in its log.

    Attributes:
        billed_ms: Billed duration of each invocation.
        own_bytes: Size of what the function itself logged.
        platform_bytes: Size of Lambda's own lines about invocations.
    """

    billed_ms: tuple[int, ...]
    own_bytes: int
    platform_bytes: int


@dataclass(frozen=True, slots=True)
class Target:
    """A stack on a LocalStack that runs with the metering in its workflows layer.

    Attributes:
        server: The LocalStack.
        outputs: What the stack tells.
        key: An API key, where the stack asks for one.
    """

    server: LocalStack
    outputs: dict[str, str]
    key: str | None = None

    @property
    def api_url(self) -> str:
        """Return where LocalStack serves the API of the stack."""
        stage = f"{self.outputs['ApiId']}/{self.outputs['StageName']}"
        return f"{self.server.endpoint_url}/_aws/execute-api/{stage}"

    @property
    def metering(self) -> Path:
        """Return the folder that functions write their calls to."""
        return self.server.folders.root / "metering"

    def client(self, service: str) -> Any:  # noqa: ANN401 - one type per service
        """Return an AWS client for the LocalStack."""
        return self.server.session().client(service, endpoint_url=self.server.endpoint_url)

    def indexes(self) -> tuple[Index, ...]:
        """Return the indexes that the table really has."""
        answer = self.client("dynamodb").describe_table(TableName=self.outputs["TableName"])
        return indexes_of(answer["Table"])

    def depth(self, queue: str) -> int:
        """Return how many messages a queue holds: visible, delayed and hidden."""
        answer = self.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs[queue], AttributeNames=["All"]
        )
        counts = (
            int(value)
            for name, value in answer["Attributes"].items()
            if name.startswith("ApproximateNumberOfMessages")
        )
        return sum(counts)

    def memory_mb(self, function: str) -> int:
        """Return the memory size of a function, by the name of its output."""
        answer = self.client("lambda").get_function_configuration(
            FunctionName=self.outputs[function]
        )
        return int(answer["MemorySize"])

    def log(self, function: str, since: float) -> FunctionLog:
        """Return what a function logged since an instant, by the name of its output."""
        pages = (
            self.client("logs")
            .get_paginator("filter_log_events")
            .paginate(
                logGroupName=f"/aws/lambda/{self.outputs[function]}", startTime=int(since * 1000)
            )
        )
        lines = [event["message"] for page in pages for event in page["events"]]
        found = (_REPORT.match(line) for line in lines)
        platform = sum(len(line.encode()) for line in lines if line.startswith(_PLATFORM))
        return FunctionLog(
            billed_ms=tuple(int(match[1]) for match in found if match),
            own_bytes=sum(len(line.encode()) for line in lines) - platform,
            platform_bytes=platform,
        )

    @contextmanager
    def patient(self, seconds: int = 60) -> Iterator[None]:
        """Let messages stay hidden for so long: eight processes may start at once here."""
        sqs, url = self.client("sqs"), self.outputs["QueueUrl"]
        name = "VisibilityTimeout"
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: str(seconds)})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={name: before[name]})

    @contextmanager
    def batches_of(self, size: int) -> Iterator[None]:
        """Let the executor take so many messages at a time."""
        functions, name = self.client("lambda"), self.outputs["StepExecutorFunctionName"]
        (mapping,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        self._set_batch(mapping["UUID"], size)
        try:
            yield
        finally:
            self._set_batch(mapping["UUID"], mapping["BatchSize"])

    def _set_batch(self, mapping: str, size: int) -> None:
        functions = self.client("lambda")
        functions.update_event_source_mapping(UUID=mapping, BatchSize=size)
        deadline = time.monotonic() + _MAPPING_SECONDS
        while functions.get_event_source_mapping(UUID=mapping)["State"] != "Enabled":
            if time.monotonic() > deadline:
                raise LoadError("the event source mapping did not take its new batch size")
            time.sleep(_LOOK_EVERY)

    def http(self) -> httpx.Client:
        """Return a client for the API."""
        headers = {} if self.key is None else {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.api_url, headers=headers, timeout=40)


def deploy(
    server: LocalStack, build: Path, say: Callable[[str], None], *, batch_size: int
) -> Target:
    """Deploy everything, with the workload and the metering in the workflows layer."""
    deployment = Deployment(
        template=layer.ROOT / "template.yaml",
        stack=STACK,
        parameters={
            "TableDeletionProtection": "false",
            "ApiAuthorization": "NONE",
            "ExecutorBatchSize": str(batch_size),
            "Workflows": ",".join(("workflows", *layer.PACKAGES)),
        },
        artifacts={"WorkflowsLayer": layer.make(build)},
    )
    return Target(server, server.stacks(say).deploy(deployment))
