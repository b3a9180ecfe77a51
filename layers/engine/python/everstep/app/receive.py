"""Take a message from the queue as it comes: text that may be anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.advance import Done, advance
from everstep.core import messages
from everstep.core.errors import MalformedMessageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.engine import Engine


def receive(
    engine: Engine,
    message_id: str,
    body: str,
    time_left: Callable[[], int] | None = None,
    *,
    receives: int = 1,
) -> Done:
    """Process the body of a message; one that belongs to no run is kept, not retried.

    Args:
        engine: The ports.
        message_id: The queue's id of the message.
        body: The message as it was sent.
        time_left: Tells the milliseconds that the function may still run.
        receives: How often the message was delivered, this time included.

    Raises:
        UnavailableError: A service did not answer; deliver the message again.
        OutOfTimeError: No time for an attempt; deliver the message again.
    """
    try:
        message = messages.decode(body)
    except MalformedMessageError as error:
        engine.dead_letters.keep(message_id, body, str(error), engine.clock.now())
        return Done.MALFORMED
    done = advance(engine, message, time_left, receives=receives)
    if done is Done.UNKNOWN_RUN:
        engine.dead_letters.keep(
            message_id, body, f"there is no run {message.run_id}", engine.clock.now()
        )
    return done
