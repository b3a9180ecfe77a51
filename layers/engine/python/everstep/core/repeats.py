"""What a message asks for, and what has come of it already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.model import MessageKind, OpStatus

if TYPE_CHECKING:
    from everstep.core.decisions import Pending
    from everstep.core.model import Message, OpRecord

ABOUT_ONE: Final = frozenset({MessageKind.STEP, MessageKind.TIMER})
"""Messages that ask for one operation; the others ask for what is owed."""


def has_begun(pending: Pending) -> bool:
    """Say whether an attempt was begun of which nothing has come yet."""
    return pending.record is not None and pending.record.status is OpStatus.STARTED


def is_repeat(message: Message, record: OpRecord | None) -> bool:
    """Say whether what the message asks for has been done, by it or by somebody else."""
    if record is None:
        return False
    # An attempt that was begun is not made yet.
    made = record.attempt - (record.status is OpStatus.STARTED)
    attempted = message.kind is MessageKind.STEP and made >= message.attempt
    return record.status.final or attempted


def is_anothers(message: Message, record: OpRecord | None) -> bool:
    """Say whether what the message asks for was begun by another message, which sees to it."""
    if record is None or record.status is not OpStatus.STARTED:
        return False
    return record.by != message.token and not message.take


def is_looked_after(message: Message, pending: Pending) -> bool:
    """Say whether a wait that was given more time has a timer without this message."""
    record = pending.record
    if record is None or (record.wake_at or 0) <= message.due:
        return False
    mine = message.take or record.by == message.token
    return record.due_at is not None or not mine
