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
from everstep.core.keys import scope_of
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


def is_left_to_others(engine: Engine, head: Head, replay: Replay) -> bool:
    """Say whether others are to look whether the group is complete of which branches have ended.

    Args:
        engine: The ports.
        head: The run.
        replay: The pass; its last record, written just now, has ended them.

    Raises:
        UnavailableError: The store did not answer.
    """
    group, ended = in_question(replay), [branch for _, branch in replay.ended]
    if group is None or head.ending is not None or not _is_worth_it(engine, replay):
        return False
    for _ in range(_ROUNDS):
        wanted = needed(group, ended) if replay.waits else None
        if wanted is None or wanted > _MOST:
            return False
        seen = [each.key for each in islice(replay.frontier.latest(group), wanted)]
        if len(seen) < wanted:
            return False
        if all(_goes_on(engine, head.run_id, replay, scope_of(key)) for key in seen):
            return True
    return False


def _is_worth_it(engine: Engine, replay: Replay) -> bool:
    """Say whether reading everything takes more."""
    return engine.kept is not None and engine.kept.is_long(replay)


def _goes_on(engine: Engine, run_id: str, replay: Replay, scope: str) -> bool:
    """Say whether a branch goes on, and bring the pass to where it stands."""
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
        return False
    # What the pass does not know of was asked for by other code.
    return all(key == pending.key or key in replay.records for key in records)
