"""One use of the whole system, in which every function is invoked as it was built.

The table, the queues and the bucket are LocalStack's. The functions that LocalStack runs itself are
kept from the queues, so that each message is processed by the artifact under test.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from tools.sam.cli import TEMPLATE, SamError
from tools.sam.keys import api_key
from tools.scrubbing import KEY, RUN_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from everstep_localstack import LocalStack

PARAMETERS: Final = {"TableDeletionProtection": "false", "ApiAuthorization": "KEY"}
_FIRST: Final = ("trigger", "step-executor")
"""They make what the others ask about."""
_LAST: Final = ("sweeper",)
_RUN_ENDS: Final = ("api-cancel-run",)
_SERVER_ERROR: Final = 500
_RECEIVE_SECONDS: Final = 10


class Invoker(Protocol):
    """What runs a built function."""

    @property
    def name(self) -> str:
        """How it runs them, in words."""

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Hand an event to a function and return its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoked:
    """One invocation that was answered as it must be."""

    event: str
    function: str
    answer: Any
    milliseconds: int

    @property
    def summary(self) -> str:
        """Return the answer in a few words."""
        if isinstance(self.answer, dict) and "statusCode" in self.answer:
            return str(self.answer["statusCode"])
        return json.dumps(self.answer)[:70]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The services that the functions use."""

    server: LocalStack
    variables: Mapping[str, str]
    queue_url: str
    key: str

    def message(self) -> dict[str, Any]:
        """Take one message from the step queue.

        Raises:
            SamError: None came.
        """
        queue = self.server.session().client("sqs", endpoint_url=self.server.endpoint_url)
        answer = queue.receive_message(QueueUrl=self.queue_url, WaitTimeSeconds=_RECEIVE_SECONDS)
        for message in answer.get("Messages", []):
            queue.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
            return dict(message)
        raise SamError("no message came to the step queue")


def deploy(server: LocalStack, stack: str, say: Callable[[str], None]) -> Deployed:
    """Deploy the system; its own functions get nothing from the queues.

    LocalStack cannot delete what is switched off for that: use each name once in an instance.
    """
    outputs = server.stacks(say).deploy(_deployment(stack))
    functions = server.session().client("lambda", endpoint_url=server.endpoint_url)
    for mapping in _mappings(functions, outputs):
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        _until_disabled(functions, mapping["UUID"])
    shown = functions.get_function_configuration(FunctionName=outputs["DeadLetterFunctionName"])
    return Deployed(
        server=server,
        variables=shown["Environment"]["Variables"],
        queue_url=outputs["QueueUrl"],
        key=api_key(server, outputs),
    )


def _deployment(stack: str) -> Any:  # noqa: ANN401 - see the import
    from everstep_localstack import Deployment  # noqa: PLC0415 - pulls in boto3

    return Deployment(template=TEMPLATE, stack=stack, parameters=PARAMETERS)


def _mappings(functions: Any, outputs: Mapping[str, str]) -> list[Any]:  # noqa: ANN401 - a client
    """Return what brings this stack's messages to its functions; other stacks keep theirs."""
    names = (outputs["StepExecutorFunctionName"], outputs["DeadLetterFunctionName"])
    return [
        mapping
        for name in names
        for mapping in functions.list_event_source_mappings(FunctionName=name)[
            "EventSourceMappings"
        ]
    ]


def _until_disabled(functions: Any, mapping: str) -> None:  # noqa: ANN401 - a client
    for _ in range(100):
        if functions.get_event_source_mapping(UUID=mapping)["State"] == "Disabled":
            return
        time.sleep(0.1)
    raise SamError("LocalStack does not stop reading the queues")


def events_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Read the recorded events, in the order in which they make sense."""
    read = {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    return {name: read[name] for name in sorted(read, key=_order)}


def one_each(
    events: Mapping[str, dict[str, Any]], functions: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Return the first event of each function."""
    first: dict[str, str] = {}
    for name in events:
        first.setdefault(function_of(name, functions), name)
    return {name: event for name, event in events.items() if name in first.values()}


def _order(name: str) -> tuple[int, str]:
    for rank, names in enumerate((_FIRST, (), _RUN_ENDS, _LAST)):
        if name in names:
            return rank, str(names.index(name))
    return 1, name


def function_of(event: str, functions: Mapping[str, str]) -> str:
    """Return the logical id of the function that an event is for: ``api-health`` → ApiFunction.

    Raises:
        SamError: There is no such function.
    """
    for folder in sorted(functions, key=len, reverse=True):
        if event.replace("-", "_").startswith(folder):
            return functions[folder]
    raise SamError(f"events/{event}.json is for none of {', '.join(functions)}")


def use(
    invoker: Invoker,
    deployed: Deployed,
    events: Mapping[str, dict[str, Any]],
    functions: Mapping[str, str],
) -> Iterator[Invoked]:
    """Invoke every function with every event of its own; yield what was answered.

    The run that the trigger starts takes the place of the recorded one, and messages are the ones
    that it sent.

    Raises:
        SamError: A function did not answer, or not as it must; the message says how.
    """
    run = RUN_ID
    for name, event in events.items():
        function = function_of(name, functions)
        adapted = _about(event, run, deployed.key)
        if "Records" in adapted:
            _put_message(adapted["Records"][0], deployed.message())
        began = time.monotonic()
        answer = invoker.invoke(function, adapted)
        milliseconds = round((time.monotonic() - began) * 1000)
        _check(name, answer)
        if name == "trigger":
            run = json.loads(answer["body"])["run_id"]
        yield Invoked(event=name, function=function, answer=answer, milliseconds=milliseconds)


def _about(event: dict[str, Any], run: str, key: str) -> dict[str, Any]:
    text = json.dumps(event).replace(RUN_ID, run).replace(KEY, key)
    adapted: dict[str, Any] = json.loads(text)
    return adapted


def _put_message(record: dict[str, Any], message: Mapping[str, Any]) -> None:
    record["messageId"], record["body"] = message["MessageId"], message["Body"]
    # It is what SQS sends, and protects nothing.
    record["md5OfBody"] = hashlib.md5(message["Body"].encode(), usedforsecurity=False).hexdigest()


def _check(name: str, answer: Any) -> None:  # noqa: ANN401 - JSON
    if not isinstance(answer, dict) or "errorType" in answer:
        raise SamError(f"{name}: the function failed: {json.dumps(answer)}")
    if int(answer.get("statusCode", 0)) >= _SERVER_ERROR:
        raise SamError(f"{name}: {json.dumps(answer)}")
    if answer.get("batchItemFailures"):
        raise SamError(f"{name}: messages were not processed: {json.dumps(answer)}")
