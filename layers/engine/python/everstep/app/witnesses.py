"""Whether whoever has ended a branch may leave it to others to see whether its group is complete.

The rule is in ``core.witnesses``. Here a branch is seen to go on: everything that is recorded of it
is read, strongly consistent, after the record that ended another one was written. If that is what
the pass knows of it, then what the pass waits for there has no result yet; whoever records one has
to look at the group after that. If it is more, the pass catches up with it, and asks on.

What is read is the branch of the message that comes next. If nobody knows that one, it is a stretch
of the branches that come next: where little is recorded yet that takes no more than one of them,
and the message that comes is probably for one of these.

Whoever finds anything else, or no branch that goes on, reads everything: so does whoever ends the
last one, and closes the group.
"""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING, Final

from everstep.app.payloads import at_hand
from everstep.core.errors import MalformedMessageError
from everstep.core.keys import branch_of, scope_of, span_of
from everstep.core.messages import decode
from everstep.core.model import HEAD
from everstep.core.records import dataclass
from everstep.core.witnesses import Seen, coming, in_question, needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from everstep.app.engine import Engine
    from everstep.core.decisions import Pending
    from everstep.core.fibers import Group
    from everstep.core.model import Head, OpRecord
    from everstep.core.replay import Replay

# More branches than this are not asked for at a time: reading everything is one request.
_MOST: Final = 3
_ROUNDS: Final = 3
# Of a branch with more records reading everything is not much more.
_RECORDS: Final = 16
# So many records of a stretch, or so few that they take about two read units.
_STRETCH: Final = 16
_BYTES: Final = 8 * 1024
_RECORD: Final = 512


def answers(record: OpRecord, pending: Pending) -> bool:
    """Say whether a record is of what the code asks for."""
    asked = pending.operation
    return (record.kind, record.input_hash) == (asked.kind, asked.input_hash)


def witnesses(engine: Engine, head: Head, replay: Replay, following: str) -> tuple[Seen, ...]:
    """Return what shows that others are to look whether a group is complete.

    Args:
        engine: The ports.
        head: The run.
        replay: The pass; its last record, written just now, has ended branches of the group.
        following: The body of the message that comes next: what it asks for is looked at first,
            and need not be looked at again.

    Returns:
        Branches, seen to be as the pass has them; none if it is to be looked now.

    Raises:
        UnavailableError: The store did not answer.
    """
    group, ended = in_question(replay), [branch for _, branch in replay.ended]
    if group is None or head.ending is not None or not _is_worth_it(engine, replay):
        return ()
    look = _Look(engine=engine, run_id=head.run_id, replay=replay, group=group)
    first = _asked_for(following, head.run_id)
    ahead = () if look.has(first) else coming(replay, group, ended[-1].end.index)
    for _ in range(_ROUNDS):
        wanted = needed(group, ended) if replay.waits else None
        if wanted is None or wanted > _MOST:
            return ()
        asked = ahead if len(ahead) >= wanted else look.latest(first, wanted)
        if len(asked) < wanted:
            return ()
        seen = look.along(asked, wanted) if asked is ahead else look.each(asked)
        if look.goes_on(asked, seen) >= wanted:
            return seen if look.are_begun(asked) else ()
        ahead = ()
    return ()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A look at branches of a group; each is named by its scope."""

    engine: Engine
    run_id: str
    replay: Replay
    group: Group

    def has(self, key: str) -> bool:
        """Say whether a branch of the group waits for an operation itself."""
        return scope_of(scope_of(key)) == self.group.key and self.replay.pending(key) is not None

    def latest(self, first: str, most: int) -> tuple[str, ...]:
        """Return branches that go on, as far as the pass knows, the latest first."""
        found = self.replay.frontier.latest(self.group, first)
        return tuple(scope_of(pending.key) for pending in islice(found, most))

    def each(self, scopes: Sequence[str]) -> tuple[Seen, ...]:
        """Read some branches, each by itself, and bring the pass to where they stand."""
        return tuple(self._read((scope,), span_of(scope), _RECORDS) for scope in scopes)

    def along(self, scopes: Sequence[str], wanted: int) -> tuple[Seen, ...]:
        """Read what follows the first of some branches, and bring the pass to where they stand."""
        # Keys sort as text: what follows the ninth branch there are not the tenth and those after.
        first = min(scopes[0], sorted(scopes)[-wanted])
        span = span_of(first)[0], span_of(self.group.key)[1]
        return (self._read(scopes, span, self._affordable()),)

    def goes_on(self, scopes: Sequence[str], seen: Sequence[Seen]) -> int:
        """Return how many of some branches were seen to go on."""
        waiting = [pending for scope in scopes if (pending := self._awaited(scope)) is not None]
        return sum(any(each.shows(pending.key) for each in seen) for pending in waiting)

    def are_begun(self, scopes: Sequence[str]) -> bool:
        """Say whether these branches were begun, or the group is closed without them.

        Whoever has ended the one before in a lane begins the next, or knows of so much that the
        group is to be closed, and closes it; unless the run is to end. Whether it is, is asked for
        after the record was written: who hears of it later looks at the group, and sees that.
        """
        if all(branch_of(scope, self.group.key) < self.group.call.width for scope in scopes):
            return True
        head = self.engine.runs.head(self.run_id)
        return head is not None and head.ending is None

    def _affordable(self) -> int:
        """Return how many records to ask for, if all are as large as the last one."""
        result = next(reversed(self.replay.ledger.records.values())).result
        recorded = None if result is None else result.recorded.text
        return max(2, min(_STRETCH, _BYTES // (_RECORD + len(recorded or ""))))

    def _read(self, scopes: Sequence[str], span: tuple[str, str], most: int) -> Seen:
        (first, last), key = span, self.group.key
        at = self.engine.clock.now()
        found, more = self.engine.runs.between(self.run_id, first, last, most)
        if more:
            # Of the last branch there may be more.
            last, _ = span_of(self._branch_of(found[-1]))
        read = groupby((each for each in found if each.key < last), self._branch_of)
        but = {scope for scope, records in read if not self._knows(scope, scopes, records)}
        return Seen(group=key, first=first, last=last, at=at, but=frozenset(but))

    def _branch_of(self, record: OpRecord) -> str:
        return self.group.scope(branch_of(record.key, self.group.key))

    def _knows(self, scope: str, scopes: Sequence[str], found: Iterable[OpRecord]) -> bool:
        """Say whether the pass knows all that is recorded of a branch; bring it there if asked."""
        records = {record.key: record for record in found}
        if scope in scopes:
            self._catch_up(scope, records)
        # What the pass does not know of was asked for by other code, or by another process.
        return all(self.replay.records.get(key) == each for key, each in records.items())

    def _catch_up(self, scope: str, records: Mapping[str, OpRecord]) -> None:
        pending = self._awaited(scope)
        while pending is not None and pending.key in records:
            record = records[pending.key]
            if record == pending.record or not answers(record, pending):
                return
            self.replay.resume(at_hand(self.engine, self.run_id, record), fresh=False)
            pending = self._awaited(scope)

    def _awaited(self, scope: str) -> Pending | None:
        return self.replay.frontier.within(scope) if self.replay.waits else None
