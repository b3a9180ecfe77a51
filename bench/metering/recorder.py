"""Write one JSON line per call that this process makes with the AWS SDK.

A line holds who called (function, process, message of the step queue), what (service,
operation, HTTP requests, bytes of their bodies), and what is needed to say what it costs:
the items written, the sizes of the items read, the bodies of the messages sent.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bench.metering.sizes import item_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_WRITTEN: Final = (
    "Item",
    "Key",
    "UpdateExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
)


@dataclass(slots=True)
class Traffic:
    """HTTP requests of one call, retries included."""

    requests: int = 0
    sent: int = 0
    received: int = 0


@dataclass(slots=True)
class Recorder:
    """Append lines to a file that no other process writes to.

    Attributes:
        path: The file.
        message: The message of the step queue that is being processed, as it arrived.
    """

    path: Path
    message: dict[str, Any] | None = None
    _traffic: ContextVar[Traffic | None] = field(
        default_factory=lambda: ContextVar("everstep_bench_traffic", default=None)
    )

    def call(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a client's method that makes API calls."""

        def recorded(client: Any, operation: str, parameters: dict[str, Any]) -> Any:  # noqa: ANN401 - botocore's
            service = client.meta.service_model.service_name
            with self._watched() as traffic:
                answer: Any = None
                error: str | None = "unknown"
                try:
                    answer = call(client, operation, parameters)
                    error = None
                except Exception as raised:
                    error = error_code(raised)
                    raise
                finally:
                    facts = facts_of(service, operation, parameters, answer or {})
                    self._write(service, operation, traffic, {"error": error, **facts})
            return answer

        return recorded

    def transfer(self, send: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap the method that makes one HTTP request."""

        def counted(session: Any, request: Any) -> Any:  # noqa: ANN401 - botocore's
            response = send(session, request)
            traffic = self._traffic.get()
            if traffic is not None:
                traffic.requests += 1
                traffic.sent += body_size(request)
                traffic.received += int(response.headers.get("Content-Length", 0))
            return response

        return counted

    def decoding(self, decode: Callable[[str], Any]) -> Callable[[str], Any]:
        """Wrap what reads a message: from then on calls belong to it."""

        def noted(body: str) -> Any:  # noqa: ANN401 - whatever is wrapped
            self.message = None
            message = decode(body)
            self.message = json.loads(body)
            return message

        return noted

    @contextmanager
    def _watched(self) -> Iterator[Traffic]:
        traffic = Traffic()
        token = self._traffic.set(traffic)
        try:
            yield traffic
        finally:
            self._traffic.reset(token)

    def _write(
        self, service: str, operation: str, traffic: Traffic, facts: Mapping[str, Any]
    ) -> None:
        line = {
            "at": time.time(),
            "pid": os.getpid(),
            "function": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            "message": self.message,
            "service": service,
            "operation": operation,
            "requests": traffic.requests,
            "sent": traffic.sent,
            "received": traffic.received,
            **facts,
        }
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=str) + "\n")


def body_size(request: Any) -> int:  # noqa: ANN401 - botocore's
    """Return the bytes of a request's body; of a stream, those that its header announces."""
    if isinstance(request.body, bytes | str):
        return len(request.body)
    return int(request.headers.get("Content-Length", 0)) if request.body is not None else 0


def error_code(error: Exception) -> str:
    """Return the service's code of an error, or the class of one that is not the service's."""
    response = getattr(error, "response", None)
    return str(response["Error"]["Code"]) if response else type(error).__name__


def facts_of(
    service: str, operation: str, parameters: Mapping[str, Any], answer: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a call's cost depends on."""
    match service, operation:
        case "dynamodb", "Query" | "GetItem":
            items = answer.get("Items", [answer["Item"]] if "Item" in answer else [])
            return {
                "run": _run_of_partition(parameters),
                "index": parameters.get("IndexName"),
                "consistent": bool(parameters.get("ConsistentRead")),
                "read": [item_size(item) for item in items],
            }
        case "dynamodb", "BatchGetItem":
            ((table, asked),) = parameters["RequestItems"].items()
            items = answer.get("Responses", {}).get(table, [])
            missing = [0] * (len(asked["Keys"]) - len(items))
            return {
                "run": _run_of_partition({"Key": asked["Keys"][0]}),
                "index": None,
                "consistent": bool(asked.get("ConsistentRead")),
                "read": [*map(item_size, items), *missing],
                "one_by_one": True,
            }
        case "dynamodb", "TransactWriteItems":
            writes = [
                _written(item) for each in parameters["TransactItems"] for item in each.values()
            ]
            return {"writes": writes}
        case "dynamodb", _:
            return {"writes": [_written(parameters)]}
        case "sqs", "SendMessage":
            return {"bodies": [parameters["MessageBody"]]}
        case "sqs", "SendMessageBatch":
            return {"bodies": [each["MessageBody"] for each in parameters["Entries"]]}
        case _:
            return {}


def _written(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: parameters[name] for name in _WRITTEN if name in parameters}


def _run_of_partition(parameters: Mapping[str, Any]) -> str | None:
    """Return the run whose partition is read, of a query or of a read by key."""
    values = parameters.get("ExpressionAttributeValues", {})
    partition = parameters.get("Key", {}).get("PK") or values.get(":partition") or {}
    kind, _, run = str(partition.get("S", "")).partition("#")
    return run if kind == "RUN" else None
