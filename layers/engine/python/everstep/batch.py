"""Process a batch of queue messages, each by itself.

A loop of our own: powertools' batch module imports for longer than the rest of the executor.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from everstep.logs import described, message_fields

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
    failed = [record["messageId"] for record in event["Records"] if not _process(record, process)]
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failed]}


def _process(record: Mapping[str, Any], process: Callable[[Mapping[str, Any]], object]) -> bool:
    fields = {
        "message_id": record["messageId"],
        "receives": record.get("attributes", {}).get("ApproximateReceiveCount"),
        **message_fields(record["body"]),
    }
    try:
        outcome = process(record)
    except Exception as error:  # noqa: BLE001 - logged, and the queue delivers it again
        _LOG.error("message failed", extra=fields | described(error))
        return False
    _LOG.info("message processed", extra=fields | {"outcome": str(outcome)})
    return True
