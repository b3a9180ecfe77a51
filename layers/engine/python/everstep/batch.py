"""Process a batch of queue messages, each by itself, and log what came of each.

Written here, not powertools' batch processor: this is all of it that a queue needs, and importing
that one took more than a quarter of the step executor's cold start.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

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
    failed = [each for each in event["Records"] if not _done(each, process)]
    return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in failed]}


def _done(record: Mapping[str, Any], process: Callable[[Mapping[str, Any]], object]) -> bool:
    """Process a record and log what came of it; say whether it need not come again."""
    about(None)
    fields = {"message_id": record["messageId"], **message_fields(record["body"])}
    receives = record.get("attributes", {}).get("ApproximateReceiveCount", "1")
    if receives != "1":
        fields["receives"] = receives
    try:
        outcome = process(record)
    except Exception as error:  # noqa: BLE001 - whatever it is, the message comes again
        _LOG.error("message failed", extra=fields | described(error))
        return False
    _LOG.info("message processed", extra=fields | {"outcome": str(outcome)})
    return True
