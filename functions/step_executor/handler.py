"""A batch of the step queue → at most one attempt of one step per message → what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everstep import telemetry
from everstep.app.receive import receive
from everstep.batch import process_batch
from everstep.wiring import engine_from_env

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

engine = engine_from_env()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Process the messages one after another; each is acknowledged or reported by itself."""
    coming = iter([record["body"] for record in event["Records"]][1:])

    def process(record: Mapping[str, Any]) -> str:
        return receive(
            engine,
            record["messageId"],
            record["body"],
            context.get_remaining_time_in_millis,
            receives=int(record["attributes"]["ApproximateReceiveCount"]),
            sent_at=int(record["attributes"]["SentTimestamp"]),
            following=next(coming, ""),
            batch=len(event["Records"]),
        )

    with telemetry.invocation(context.aws_request_id):
        return process_batch(event, process)
