"""Handle several batches of an SQS event source mapping at once, and promptly.

LocalStack polls a queue, invokes the function, waits, and polls again: one batch at a time. AWS
starts with five pollers and adds more. Here one thread polls, and each batch is handled in a thread
of its own, as long as fewer than the configured number are at work. The slot is taken before
the queue is asked, so that no message waits, invisible, for its turn.
"""

from __future__ import annotations

import logging
import threading
from functools import wraps
from typing import Any, Final

from localstack.services.lambda_.event_source_mapping import esm_worker, esm_worker_factory
from localstack.services.lambda_.event_source_mapping.event_processor import BatchFailureError
from localstack.services.lambda_.event_source_mapping.pollers.poller import (
    EmptyPollResultsException,
)
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import (
    SqsPoller,
    split_by_message_group_id,
)
from typing_extensions import override

LOG: Final = logging.getLogger(__name__)
# The queue answers as soon as there is a message. A deleted mapping ends after this time.
WAIT_SECONDS: Final = 2
MAX_WAIT_SECONDS: Final = 20
MAX_BATCH: Final = 10


def install(pollers: int) -> None:
    """Have every SQS event source mapping handle up to `pollers` batches at once."""
    ConcurrentSqsPoller.default_slots = pollers
    esm_worker_factory.SqsPoller = ConcurrentSqsPoller
    _honour_maximum_concurrency()
    _honour_maximum_backoff()


class ConcurrentSqsPoller(SqsPoller):  # type: ignore[misc] # LocalStack has no types
    """Poll with a long wait, and handle up to `slots` batches concurrently.

    FIFO queues keep one batch at a time: their order is worth more than their speed.
    """

    default_slots = 1

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on as they are
        super().__init__(*args, **kwargs)
        self._ordered = self.source_arn.endswith(".fifo")
        self._slots = threading.Semaphore(1 if self._ordered else self.default_slots)

    def limit(self, batches: int) -> None:
        """Handle at most `batches` at once; to be called before the first poll."""
        if not self._ordered:
            self._slots = threading.Semaphore(min(batches, self.default_slots))

    @override
    def poll_events(self) -> None:
        """Receive one batch and hand it over, or return when all slots stay busy for a while."""
        if not self._slots.acquire(timeout=WAIT_SECONDS):
            return
        handed_over = False
        try:
            messages = self._receive()
            if not messages:
                raise EmptyPollResultsException(service="sqs", source_arn=self.source_arn)
            threading.Thread(
                target=self._handle, args=(messages,), name="sqs-batch", daemon=True
            ).start()
            handed_over = True
        finally:
            if not handed_over:
                self._slots.release()

    def _receive(self) -> list[dict[str, Any]]:
        wait = min(self.maximum_batching_window or WAIT_SECONDS, MAX_WAIT_SECONDS)
        response = self.source_client.receive_message(
            QueueUrl=self.queue_url,
            MaxNumberOfMessages=min(self.batch_size, MAX_BATCH),
            WaitTimeSeconds=wait,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
            # Beyond what SQS's own limits allow, as Lambda does for batches of up to 10,000.
            sqs_override_max_message_count=self.batch_size,
            sqs_override_wait_time_seconds=self.maximum_batching_window,
        )
        return list(response.get("Messages", []))

    def _handle(self, messages: list[dict[str, Any]]) -> None:
        batches = split_by_message_group_id(messages).values() if self._ordered else [messages]
        try:
            for batch in batches:
                self._handle_batch(batch)
        finally:
            self._slots.release()

    def _handle_batch(self, messages: list[dict[str, Any]]) -> None:
        try:
            self.handle_messages(messages)
        except BatchFailureError:
            # Ordinary: the messages come back after their visibility time-out, as on AWS.
            LOG.info("A batch of %d from %s failed", len(messages), self.source_arn)
        except Exception as error:  # noqa: BLE001 - a throttled or deleted function, a deleted queue
            LOG.warning("A batch from %s was not handled: %s", self.source_arn, error)


def _honour_maximum_concurrency() -> None:
    original = esm_worker_factory.EsmWorkerFactory.get_esm_worker

    @wraps(original)
    def get_esm_worker(self: Any) -> Any:  # noqa: ANN401 - LocalStack's factory and worker
        worker = original(self)
        maximum = self.esm_config.get("ScalingConfig", {}).get("MaximumConcurrency")
        if maximum and isinstance(worker.poller, ConcurrentSqsPoller):
            worker.poller.limit(maximum)
        return worker

    esm_worker_factory.EsmWorkerFactory.get_esm_worker = get_esm_worker


def _honour_maximum_backoff() -> None:
    """Let the configured maximum bound the first pause as well, which LocalStack fixes at 1 s."""
    original = esm_worker.ExponentialBackoff

    def backoff(*, initial_interval: float, max_interval: float) -> Any:  # noqa: ANN401
        return original(
            initial_interval=min(initial_interval, max_interval), max_interval=max_interval
        )

    esm_worker.ExponentialBackoff = backoff
