"""What is recorded of a run's operations, and which of it the code has asked for by now."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from everstep.core import disagreements
from everstep.core.blocking import blocking_error
from everstep.core.decisions import Broken
from everstep.core.errors import DefinitionError
from everstep.core.failures import describe
from everstep.core.keys import (
    branch_of,
    branch_scope,
    groups_of,
    lies_within,
    scope_of,
)
from everstep.core.model import ANY_INPUT, OpKind
from everstep.core.spending import Spent, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from everstep.core.model import OpRecord
    from everstep.core.operations import Operation


class Ledger:
    """The records of one pass, compared with what today's code asks for.

    Attributes:
        records: By key.
        size: Bytes of their results.
        fresh: Keys of those that were written just now: code after them runs for the first time.
    """

    def __init__(self, records: Mapping[str, OpRecord], fresh: Iterable[str] = ()) -> None:
        """Begin with nothing asked for.

        Args:
            records: What is recorded.
            fresh: Keys of what was recorded just now.
        """
        self.records = dict(records)
        self.size = sum(map(_size, records.values()))
        self._marks = {mark for record in records.values() for mark in record.patches}
        self.fresh = set(fresh)
        self._spent: Spent | None = None
        self._answered: set[str] = set()
        self._children: dict[str, None] = {}
        # Scopes in which nothing is unclaimed are left out.
        self._unclaimed: defaultdict[str, set[str]] = defaultdict(set)
        for key in self.records:
            self._unclaimed[scope_of(key)].add(key)
        # The branches around each scope, and how much is unclaimed in those within them.
        self._around: dict[str, tuple[str, ...]] = {}
        self._within: dict[str, int] = {}
        for scope, keys in self._unclaimed.items():
            self._leave(scope, len(keys))

    def add(self, record: OpRecord, *, fresh: bool) -> None:
        """Take in a record; say whether it was written just now."""
        before = self.records.get(record.key)
        self.size += _size(record) - _size(before)
        if self._spent is not None:
            self._spent += Spent.read(record.cost) - Spent.read(before.cost if before else "")
        self.records[record.key] = record
        self._marks.update(record.patches)
        if fresh:
            self.fresh.add(record.key)

    @property
    def spent(self) -> Spent:
        """Return what was taken for all records; added up once, and then record by record."""
        if self._spent is None:
            self._spent = together(each.cost for each in self.records.values())
        return self._spent

    def note_child(self, child: str, kind: OpKind, *, interrupted: bool) -> None:
        """Keep in mind which children run that are to end with this run if it is cancelled.

        Args:
            child: The run that the code has heard of.
            kind: The kind of the operation by which it did.
            interrupted: Whether that code knows already that the run is to end.
        """
        if kind is OpKind.START and not interrupted:
            self._children[child] = None
        elif kind is OpKind.CHILD:
            self._children.pop(child, None)

    @property
    def children(self) -> tuple[str, ...]:
        """Return the runs that were started and are not known to have ended."""
        return tuple(self._children)

    def is_passed_by(self, record: OpRecord, now: int) -> bool:
        """Say whether code comes by a result that is old to it, and so is not led on by it.

        Only a callback can be awaited again. Whoever made its result known owes what followed then,
        not what follows now.

        Args:
            record: The callback that the code has asked for.
            now: The time of the code before that.
        """
        before = record.key in self._answered or (record.ended_at or 0) < now
        self._answered.add(record.key)
        return before

    def claim(self, key: str) -> None:
        """Note that the code knows of an operation, whether or not it goes on to await it."""
        self._claim(key, scope_of(key))

    def _claim(self, key: str, scope: str) -> None:
        unclaimed = self._unclaimed.get(scope)
        if unclaimed and key in unclaimed:
            unclaimed.remove(key)
            if not unclaimed:
                del self._unclaimed[scope]
            self._leave(scope, -1)

    def _leave(self, scope: str, number: int) -> None:
        """Count so many more that are unclaimed in a scope: within the branches around it."""
        if scope.count("/") > 1:
            for around in self._around.get(scope) or self._look_around(scope):
                self._within[around] = self._within.get(around, 0) + number

    def _look_around(self, scope: str) -> tuple[str, ...]:
        """Return the branches around a branch; once, as it is asked for again and again."""
        around = scope.rpartition("/")[0].rpartition("/")[0]
        found = (around, *(self._around.get(around) or self._look_around(around))) if around else ()
        self._around[scope] = found
        return found

    def _is_left(self, scope: str) -> bool:
        """Say whether anything is unclaimed in a scope, or in a scope within it."""
        if not scope:
            return bool(self._unclaimed)
        return scope in self._unclaimed or bool(self._within.get(scope))

    def is_new(self, scope: str, mark: str) -> bool:
        """Say whether a run comes by a change of the code as new code.

        It does if its records say so, or if nothing is recorded of what comes after it: older code
        has gone no further.

        Args:
            scope: The key space of the code that asks.
            mark: What operations are marked with that new code has asked for.
        """
        return mark in self._marks or not (self._is_left(scope) or self._is_closed(scope))

    def _is_closed(self, scope: str) -> bool:
        """Say whether a group that a scope lies in is closed: its branches have come to an end."""
        while scope:
            group = scope_of(scope)
            if group in self.records:
                return True
            scope = scope_of(group)
        return False

    def disagreement(
        self, operation: Operation[Any], key: str, scope: str, record: OpRecord | None
    ) -> Broken | None:
        """Compare what the code asks for with what is recorded under its key."""
        if record is None:
            unclaimed = self._unclaimed.get(scope)
            if not unclaimed:
                return None
            error = disagreements.inserted(key, unclaimed)
            return Broken(error=error, keys=frozenset(unclaimed), asked=operation)
        self._claim(key, scope)
        if record.kind is not operation.kind:
            error = disagreements.other_kind(operation, record)
        elif record.input_hash not in (operation.input_hash, ANY_INPUT) and (
            operation.session.knows(operation.call)
        ):
            error = disagreements.other_input(operation, record)
        else:
            return None
        return Broken(error=error, keys=frozenset({key}), asked=operation)

    def forget(self, group: str, counted: Iterable[str]) -> None:
        """Let records of branches lie where they are that a group does not count.

        Args:
            group: Key of the group.
            counted: Scopes of the branches that count.
        """
        kept = set(counted)
        for scope in self._of_groups.get(group, ()):
            if branch_scope(group, branch_of(scope, group)) not in kept:
                self._leave(scope, -len(self._unclaimed.pop(scope, ())))

    @cached_property
    def _of_groups(self) -> dict[str, list[str]]:
        """Return the key spaces of each group's branches, and those within them."""
        found: dict[str, list[str]] = {}
        for scope in self._unclaimed:
            for group in groups_of(scope):
                found.setdefault(group, []).append(scope)
        return found

    def leftover(self, scope: str, error: BaseException | None) -> Broken | None:
        """Notice recorded operations that code no longer asks for, because it ends before.

        Args:
            scope: The key space of the code that ends.
            error: What it raises, if it does.
        """
        if not self._is_left(scope):
            return None
        left = {
            key
            for within, keys in self._unclaimed.items()
            if within == scope or lies_within(within, scope)
            for key in keys
        }
        return Broken(
            error=disagreements.missing(left, error),
            keys=frozenset(left),
            raised=None if error is None else describe(error),
        )


def _size(record: OpRecord | None) -> int:
    return 0 if record is None or record.result is None else record.result.size


def mistake_of(error: BaseException) -> Broken | None:
    """Return the mistake that an error of the code tells of: to be mended, and not its outcome."""
    blocking = blocking_error(error)
    if blocking is not None:
        return Broken(error=describe(blocking))
    # Such as a step that is called with wrong arguments.
    return Broken(error=describe(error)) if isinstance(error, DefinitionError) else None
