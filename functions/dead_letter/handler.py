"""A dead letter → mark its run, or keep it.

How often this queue delivered the letter decides whether the workflow's code is run once more.
ApproximateReceiveCount alone does not say: it goes on counting from the step queue, as do the
timestamps. So the step queue's maxReceiveCount, after which a message is moved here, is taken
off. A count that is off by some either way is safe: too low runs the code again, and every
delivery brings the count closer; too high stalls a run without asking its code, which is seen
and can be resumed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everstep import telemetry
from everstep.app.dead_letter import dead_letter
from everstep.batch import process_batch
from everstep.wiring import engine_from_env, settings_from_env

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

engine = engine_from_env()
before = settings_from_env().max_receives


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Bury the letters one after another; one that could not be buried comes again."""

    def bury(record: Mapping[str, Any]) -> str:
        receives = max(1, int(record["attributes"]["ApproximateReceiveCount"]) - before)
        return dead_letter(engine, record["messageId"], record["body"], receives)

    with telemetry.invocation(context.aws_request_id):
        return process_batch(event, bury)
