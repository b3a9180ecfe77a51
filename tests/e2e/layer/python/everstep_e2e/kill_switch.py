"""Kill the function's own process at a chosen point around a commit, once per run.

A step names the point; the commit and the send that follow that step in the same process then
die there with SIGKILL, as a machine would: no cleanup, no answer.
"""

from __future__ import annotations

import os
import signal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from everstep.adapters.dynamodb.store import DynamoRuns
from everstep.adapters.sqs import SqsQueue

if TYPE_CHECKING:
    from collections.abc import Callable


class Point(StrEnum):
    """Where to die."""

    BEFORE_COMMIT = "before commit"
    AFTER_COMMIT = "after commit"
    BEFORE_SEND = "before send"
    AFTER_SEND = "after send"


_armed: set[Point] = set()


def arm(point: Point, once: str) -> None:
    """Die at the next such point in this process, unless the file ``once`` is there already."""
    try:
        Path(once).touch(exist_ok=False)
    except FileExistsError:
        return
    _armed.add(point)


def die() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def _around(call: Callable[..., Any], before: Point, after: Point) -> Callable[..., Any]:
    def watched(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever is wrapped
        if before in _armed:
            die()
        answer = call(*args, **kwargs)
        if after in _armed:
            die()
        return answer

    return watched


# The points are methods of the adapters: what lies between them is the code under test. Only in a
# function's process: the tests import these workflows too, to replay what they did.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    setattr(DynamoRuns, "put", _around(DynamoRuns.put, Point.BEFORE_COMMIT, Point.AFTER_COMMIT))  # noqa: B010
    setattr(SqsQueue, "send", _around(SqsQueue.send, Point.BEFORE_SEND, Point.AFTER_SEND))  # noqa: B010
