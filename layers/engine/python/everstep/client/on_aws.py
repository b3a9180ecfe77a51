"""From a stack, or from table, queue and bucket, to an engine with the caller's credentials."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from everstep.adapters.aws_errors import translated
from everstep.adapters.cloudformation import stack_variables
from everstep.authoring.registry import Registry
from everstep.core.errors import InvalidRequestError
from everstep.settings import Settings
from everstep.wiring import Clients, SessionClients, build_engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_sqs import SQSClient

    from everstep.app.engine import Engine
    from everstep.authoring.workflows import Workflow

_URL: Final = ("http://", "https://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where runs are: the name of a stack, or of its parts."""

    stack: str | None = None
    table: str | None = None
    queue: str | None = None
    bucket: str | None = None


def engine_on_aws(
    place: Place,
    workflows: Iterable[Workflow[Any, Any]] | str | None,
    session: Any,  # noqa: ANN401 - boto3 has no types of its own
    endpoint_url: str | None,
) -> Engine:
    """Return the engine of a place, see ``Client.on_aws``."""
    clients = (
        Clients(endpoint_url=endpoint_url)
        if session is None
        else SessionClients(session, endpoint_url)
    )
    named = workflows if isinstance(workflows, str) else None
    engine = build_engine(Settings.read(_variables(place, named, clients)), clients)
    if workflows is None or isinstance(workflows, str):
        return engine
    return replace(engine, registry=Registry(workflows))


def _variables(place: Place, workflows: str | None, clients: Clients) -> dict[str, str]:
    found: Mapping[str, str] = {}
    if place.stack is not None:
        cloudformation = cast("CloudFormationClient", clients.make("cloudformation"))
        found = stack_variables(cloudformation, place.stack)
    given = {
        "EVERSTEP_TABLE": place.table,
        "EVERSTEP_QUEUE_URL": None if place.queue is None else _queue_url(place.queue, clients),
        "EVERSTEP_BUCKET": place.bucket,
        "EVERSTEP_WORKFLOWS": workflows,
    }
    variables = {**found, **{name: value for name, value in given.items() if value is not None}}
    missing = [
        name.removeprefix("EVERSTEP_").removesuffix("_URL").lower()
        for name in ("EVERSTEP_TABLE", "EVERSTEP_QUEUE_URL", "EVERSTEP_BUCKET")
        if not variables.get(name)
    ]
    if missing:
        raise InvalidRequestError(
            f"say stack=…, or table=…, queue=… and bucket=…; missing: {', '.join(missing)}"
        )
    return variables


def _queue_url(queue: str, clients: Clients) -> str:
    if queue.startswith(_URL):
        return queue
    sqs = cast("SQSClient", clients.make("sqs"))
    with translated("SQS GetQueueUrl"):
        return sqs.get_queue_url(QueueName=queue)["QueueUrl"]
