"""Whether whoever has ended a branch may leave it to others to see whether its group is complete.

The rule is in ``core.witnesses``. Here a branch is seen to go on: everything that is recorded of it
is read, strongly consistent, after the record that ended another one was written. If that is what
the pass knows of it, then what the pass waits for there has no result yet; whoever records one has
to look at the group after that. If it is more, the pass catches up with it, and asks on.

Whoever finds anything else, or no branch that goes on, reads everything: so does whoever ends the
last one, and closes the group.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from everstep.app.payloads import at_hand
from everstep.core.errors import MalformedMessageError
from everstep.core.keys import scope_of
from everstep.core.messages import decode
from everstep.core.model import HEAD
from everstep.core.witnesses import in_question, needed

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.decisions import Pending
    from everstep.core.model import Head, OpRecord
    from everstep.core.replay import Replay

# More branches than this are not asked for at a time: reading everything is one request.
_MOST: Final = 3
_ROUNDS: Final = 3
# Of a branch with more records reading everything is not much more.
_RECORDS: Final = 16


def answers(record: OpRecord, pending: Pending) -> bool:
    """Say whether a record is of what the code asks for."""
    asked = pending.operation
    return (record.kind, record.input_hash) == (asked.kind, asked.input_hash)


def witnesses(engine: Engine, head: Head, replay: Replay, following: str) -> frozenset[str]:
    """Return operations that show that others are to look whether a group is complete.

    Args:
        engine: The ports.
        head: The run.
        replay: The pass; its last record, written just now, has ended branches of the group.
        following: The body of the message that comes next: what it asks for is looked at first,
            and need not be looked at again.

    Returns:
        The operations, seen to be as the pass has them; none if it is to be looked now.

    Raises:
        UnavailableError: The store did not answer.
    """
    nobody: frozenset[str] = frozenset()
    group, ended = in_question(replay), [branch for _, branch in replay.ended]
    if group is None or head.ending is not None or not _is_worth_it(engine, replay):
        return nobody
    first = _asked_for(following, head.run_id)
    for _ in range(_ROUNDS):
        wanted = needed(group, ended) if replay.waits else None
        if wanted is None or wanted > _MOST:
            return nobody
        asked = [each.key for each in islice(replay.frontier.latest(group, first), wanted)]
        if len(asked) < wanted:
            return nobody
        seen = [_awaited(engine, head.run_id, replay, scope_of(key)) for key in asked]
        if None not in seen:
            return frozenset(key for key in seen if key is not None)
    return nobody


def _asked_for(body: str, run_id: str) -> str:
    """Return what operation a message asks for, if it is about this run."""
    try:
        message = decode(body) if body else None
    except MalformedMessageError:
        return HEAD
    return message.op if message is not None and message.run_id == run_id else HEAD


def _is_worth_it(engine: Engine, replay: Replay) -> bool:
    """Say whether reading everything takes more."""
    return engine.kept is not None and engine.kept.is_long(replay)


def _awaited(engine: Engine, run_id: str, replay: Replay, scope: str) -> str | None:
    """Bring a pass to where a branch stands, and return what it waits for there, if it goes on."""
    found = engine.runs.within(run_id, scope, _RECORDS)
    records = {record.key: record for record in found or ()}
    pending = replay.frontier.within(scope)
    while pending is not None and pending.key in records:
        record = records[pending.key]
        if not record.status.final or not answers(record, pending):
            break
        replay.resume(at_hand(engine, run_id, record), fresh=False)
        pending = replay.frontier.within(scope) if replay.waits else None
    if found is None or pending is None:
        return None
    # What the pass does not know of was asked for by other code.
    known = all(key == pending.key or key in replay.records for key in records)
    return pending.key if known else None
