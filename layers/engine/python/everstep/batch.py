"""Process a batch of queue messages, each by itself, and log what came of each."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, cast

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)

from everstep.logs import about, described, message_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LOG: Final = logging.getLogger("everstep.batch")


def process_batch(
    event: Mapping[str, Any], process: Callable[[Mapping[str, Any]], object]
) -> dict[str, Any]:
    """Process every record of an SQS event and report those that are to be delivered again.

    An exception fails its record alone, also when that is every record: failing the whole
    invocation instead would make Lambda back off from the queue.

    Args:
        event: The event of an SQS event source with ReportBatchItemFailures.
        process: Processes one record; what it returns is logged as the outcome.

    Returns:
        The partial batch response.
    """
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    response = process_partial_response(
        event=dict(event),
        record_handler=lambda record: _process(record.raw_event, process),
        processor=processor,
    )
    return cast("dict[str, Any]", response)


def _process(record: Mapping[str, Any], process: Callable[[Mapping[str, Any]], object]) -> object:
    about(None)
    fields = {
        "message_id": record["messageId"],
        "receives": record.get("attributes", {}).get("ApproximateReceiveCount"),
        **message_fields(record["body"]),
    }
    try:
        outcome = process(record)
    except Exception as error:
        _LOG.error("message failed", extra=fields | described(error))
        raise
    _LOG.info("message processed", extra=fields | {"outcome": str(outcome)})
    return outcome
