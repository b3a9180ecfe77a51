"""Let a run that is to begin later begin no earlier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.outbox import send
from everstep.core.durations import is_far
from everstep.core.model import MessageKind
from everstep.core.records import replace

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.model import History, Message


def put_off(engine: Engine, message: Message, history: History) -> bool:
    """Keep what would begin a run before its time until then; say whether that is so.

    It is the same message, which goes on owing what it owes. Where the queue cannot hold it back
    for so long, the sweeper sends another one in time.
    """
    now, begins_at = engine.clock.now(), history.head.begins_at
    begins = message.kind is MessageKind.START or message.take
    if not begins or not history.begins_later(now):
        return False
    if not is_far(begins_at, now):
        send(engine, [replace(message, due=begins_at)])
    return True
