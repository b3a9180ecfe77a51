"""Release delayed and timed-out messages on time.

LocalStack looks once a second, so that a delay of 2 s takes up to 3. Durable sleep is made of such
delays; looking more often makes it as precise as on AWS.
"""

from __future__ import annotations

from typing import Any, Final

from localstack.services.sqs import provider
from localstack.utils.scheduler import Scheduler
from localstack.utils.threads import start_thread

PERIOD_SECONDS: Final = 0.1


def install() -> None:
    """Replace the start of LocalStack's queue worker by one with a shorter period."""
    provider.QueueUpdateWorker.start = _start


def _start(self: Any) -> None:  # noqa: ANN401 - LocalStack's QueueUpdateWorker
    with self.mutex:
        if self.thread:
            return
        self.scheduler = Scheduler()
        self.scheduler.schedule(self.do_update_all_queues, period=PERIOD_SECONDS)
        self.thread = start_thread(lambda *_: self.scheduler.run(), name="sqs-queue-update-worker")
