"""Every minute → send what is due: long timers, lost first messages, runs without progress."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from everstep import telemetry
from everstep.app.sweep import sweep
from everstep.wiring import engine_from_env

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

RESERVE: Final = 10_000
"""Milliseconds kept for the entry at hand; the next minute goes on with the rest."""

engine = engine_from_env()


class Before:
    """What this process knows of the sweep before; one that knows nothing looks at everything."""

    behind = True


def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Sweep once and return the counts; they are logged, too."""
    behind, Before.behind = Before.behind, True
    with telemetry.invocation(context.aws_request_id):
        swept = sweep(
            engine,
            lambda: context.get_remaining_time_in_millis() < RESERVE,
            behind=behind,
        )
        Before.behind = not swept.finished
        counts = asdict(swept)
        logging.getLogger("everstep.sweeper").info("swept", extra=counts)
        return counts
