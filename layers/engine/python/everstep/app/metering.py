"""Charge runs with what is taken for them, without a request of its own.

What has been taken when something of a run is written is written with it, the write included. What
is taken after that (a send, above all) travels in a message that is sent for one operation, and
is written with that operation's record, once: its guard sees to that. What has nobody to travel
with waits in this process for the next write to the run. So what a crash loses is what was taken
since the last write; nothing is ever counted twice.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from everstep.app.payloads import recorded
from everstep.core.meter import METER, Meter, meter
from everstep.core.model import MessageKind, Outgoing
from everstep.core.records import replace
from everstep.core.spending import NOTHING, sends_for, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextvars import Token

    from everstep.app.engine import Engine
    from everstep.core.model import Head, Message, OpRecord
    from everstep.core.transitions import Guard

_CARRIERS: Final = (MessageKind.STEP, MessageKind.TIMER)


class processing:  # noqa: N801 - used as a function is
    """Charge a run with the processing of a message during the block."""

    __slots__ = ("_counts", "_engine", "_reset")
    _reset: Token[Meter]

    def __init__(self, engine: Engine, message: Message, batch: int) -> None:
        """Begin to count.

        Args:
            engine: The ports.
            message: The message.
            batch: How many messages share the invocation.
        """
        self._engine = engine
        self._counts = Meter(message.run_id, memory=engine.memory, since=engine.clock.ticks())
        self._counts.invoked(batch)
        self._counts.bring(message.op, message.token, message.cost)
        if (waiting := engine.unbilled.take(message.run_id)) is not NOTHING:
            self._counts.keep(waiting.parts)

    def __enter__(self) -> None:
        """Let adapters count here."""
        self._reset = METER.set(self._counts)

    def __exit__(self, *_: object) -> None:
        """Let what nobody has recorded wait for the run's next write."""
        METER.reset(self._reset)
        left = self._counts.left(self._engine.clock.ticks())
        if left is not NOTHING:
            self._engine.unbilled.put(self._counts.run_id, left)


@contextmanager
def recording() -> Iterator[Meter]:
    """Make a write in the block that records what was taken, and itself.

    Whoever finds it refused says so to the meter. If it failed, it may have been made.
    """
    counts = meter()
    try:
        yield counts
    except BaseException:
        counts.recorded()
        raise


def put_record(
    engine: Engine, run_id: str, record: OpRecord, guard: Guard, before: OpRecord | None
) -> OpRecord | None:
    """Write a record with what was taken for it; return it as it was written, None if refused.

    Args:
        engine: The ports.
        run_id: The run.
        record: What is to be written, everything at hand.
        guard: What must be recorded before.
        before: What it replaces: what was taken for that counts on.
    """
    counts = meter()
    earlier, by = (before.cost, before.by) if before is not None else ("", None)
    brought = counts.brought(record.key, by)
    text = counts.take(engine.clock.ticks(), earlier, brought, requests=1)
    try:
        put = engine.runs.put(run_id, recorded(record), guard, before, text)
    except BaseException:
        counts.recorded()
        raise
    if not put:
        counts.refused()
        return None
    return replace(record, cost=text + counts.recorded())


def load(engine: Engine, outgoing: Sequence[Outgoing]) -> tuple[Sequence[Outgoing], int]:
    """Let one of the messages that are to be sent carry what was taken until then.

    Args:
        engine: The ports.
        outgoing: The messages.

    Returns:
        The messages, and how many requests to send them are told of by that.
    """
    counts = meter()
    carrier = _carrier(outgoing, counts.run_id)
    if carrier is None:
        return outgoing, 0
    sends = sends_for(len(outgoing))
    counts.send(sends)
    cost = counts.take(engine.clock.ticks(), carrier.message.cost)
    carrying = Outgoing(message=carrier.message, delay=carrier.delay, cost=cost)
    return [carrying if each is carrier else each for each in outgoing], sends


def _carrier(outgoing: Sequence[Outgoing], run_id: str) -> Outgoing | None:
    for kind in _CARRIERS if run_id else ():
        for each in outgoing:
            if each.message.kind is kind and each.message.run_id == run_id:
                return each
    return None


def accepted(engine: Engine, head: Head, *, sends: int) -> Head:
    """Return a head as it is to be written, with what was taken to accept the run.

    Args:
        engine: The ports.
        head: The run.
        sends: How many requests follow, to send its first message.
    """
    return replace(head, cost=meter().take(engine.clock.ticks(), requests=1, sends=sends))


def total(engine: Engine, head: Head, records: Iterable[OpRecord], *, sends: int) -> str:
    """Return what was taken for a run that is to end, with the write that says so.

    Args:
        engine: The ports.
        head: The run.
        records: All that is recorded of it.
        sends: How many requests follow, to send the last messages.
    """
    taken = meter().take(engine.clock.ticks(), requests=1, sends=sends)
    return together((head.cost, *[each.cost for each in records], taken)).text
