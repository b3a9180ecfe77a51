"""The step queue on SQS."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from everstep.adapters.aws_errors import translated
from everstep.core import messages
from everstep.core.errors import UnavailableError
from everstep.core.meter import meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Literal, TypedDict

    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import (
        BatchResultErrorEntryTypeDef,
        MessageSystemAttributeValueTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

    from everstep.core.model import Outgoing

    class _Traced(TypedDict, total=False):
        MessageSystemAttributes: Mapping[
            Literal["AWSTraceHeader"], MessageSystemAttributeValueTypeDef
        ]


_PER_BATCH: Final = 10


class SqsQueue:
    """Send messages to one standard queue."""

    def __init__(
        self, client: SQSClient, url: str, trace: Callable[[], str | None] = lambda: None
    ) -> None:
        """Use this queue.

        Args:
            client: Low-level SQS client.
            url: The queue's address.
            trace: Tells which trace of X-Ray messages belong to, if one is recorded.
        """
        self._client = client
        self._url = url
        self._trace = trace

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send every message, in as few requests as possible.

        What a batch request leaves out is sent once more; order is not kept.

        Raises:
            UnavailableError: At least one may not have been sent. Sending all again is harmless.
        """
        if len(outgoing) == 1:
            self._send_one(outgoing[0])
            return
        rest = iter(outgoing)
        while batch := list(islice(rest, _PER_BATCH)):
            self._send_batch(batch)

    def _send_one(self, outgoing: Outgoing) -> None:
        # A message is far below the 64 KB that are billed as one request, and so is a batch.
        meter().send(1)
        with translated("SQS SendMessage"):
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=messages.encode(outgoing.message, outgoing.cost),
                DelaySeconds=outgoing.delay,
                **self._traced(),
            )

    def _send_batch(self, batch: Sequence[Outgoing]) -> None:
        entries = dict(_entries(batch, self._traced()))
        failed = self._request(list(entries.values()))
        if failed:
            failed = self._request([entries[each["Id"]] for each in failed])
        if failed:
            codes = ", ".join(sorted({each["Code"] for each in failed}))
            raise UnavailableError(
                f"SQS SendMessageBatch: {len(failed)} of {len(batch)} messages not sent ({codes})"
            )

    def _traced(self) -> _Traced:
        header = self._trace()
        if header is None:
            return {}
        # No part of the message: it does not count for its size.
        value: MessageSystemAttributeValueTypeDef = {"DataType": "String", "StringValue": header}
        return {"MessageSystemAttributes": {"AWSTraceHeader": value}}

    def _request(
        self, entries: Sequence[SendMessageBatchRequestEntryTypeDef]
    ) -> Sequence[BatchResultErrorEntryTypeDef]:
        """Send one batch; return the entries that the queue did not take."""
        meter().send(1)
        with translated("SQS SendMessageBatch"):
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        return answer.get("Failed", ())


def _entries(
    batch: Sequence[Outgoing], traced: _Traced
) -> Iterator[tuple[str, SendMessageBatchRequestEntryTypeDef]]:
    for position, each in enumerate(batch):
        name = str(position)
        entry: SendMessageBatchRequestEntryTypeDef = {
            "Id": name,
            "MessageBody": messages.encode(each.message, each.cost),
            "DelaySeconds": each.delay,
        }
        if traced:
            entry["MessageSystemAttributes"] = traced["MessageSystemAttributes"]
        yield name, entry
