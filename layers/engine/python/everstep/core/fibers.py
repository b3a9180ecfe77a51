"""The coroutines of one pass over a workflow: the workflow's own, and one per branch."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from everstep.core.answers import Answer
from everstep.core.completion import Reason
from everstep.core.decisions import Closable
from everstep.core.errors import RunCancelled
from everstep.core.joins import Join
from everstep.core.keys import branch_of, branch_scope, lies_within
from everstep.core.model import HEAD
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence

    from everstep.core.operations import BranchEnd, GroupCall, Operation
    from everstep.core.session import Frame


@dataclass(slots=True, eq=False)
class Fiber:
    """One coroutine and where it stands.

    Attributes:
        coroutine: The code.
        frame: Its key space, its time, and whether it runs for the first time.
        group: The group that it is a branch of; None for the workflow itself.
        index: Its place among the branches.
        last: Key of the operation whose end let it come to where it stands.
        interrupted: Whether it was told that the run is to end.
    """

    coroutine: Coroutine[Any, Any, object]
    frame: Frame
    group: Group | None = None
    index: int = 0
    last: str = HEAD
    interrupted: bool = False

    def hear(self) -> None:
        """Note that its code hears that the run is to end.

        From then on the groups that it is in wait for it, so that it undoes what it has to.
        """
        self.interrupted = True
        fiber = self
        while fiber.group is not None:
            fiber.group.undoing.add(fiber.index)
            fiber = fiber.group.parent


@dataclass(slots=True, eq=False)
class Branch:
    """A branch that has ended: what it came to, by which operation, and where it stood.

    Attributes:
        end: What it came to.
        last: The operation.
        frame: Where it stood.
        told: Whether it was told that the run is to end.
    """

    end: BranchEnd
    last: str
    frame: Frame
    told: bool = False

    @property
    def at(self) -> int:
        """Return when it has ended."""
        return self.frame.now


@dataclass(slots=True, eq=False)
class Group:
    """Branches that run side by side for an operation of a fiber.

    Attributes:
        key: The operation.
        operation: What was asked for.
        call: The same, as a group.
        parent: The fiber that waits for it.
        join: How the group was closed, once that is recorded.
        begun: How many branches have been begun.
        answered: Whether its fiber goes on already.
        ended: The branches that have ended, in the order in which they did.
        failures: How many of those have failed.
        interrupted: Whether one of those has ended because the run is to end.
        undoing: The branches that were told so, or whose own branches were, and have not ended.
    """

    key: str
    operation: Operation[Any]
    call: GroupCall
    parent: Fiber
    join: Join | None = None
    begun: int = 0
    answered: bool = False
    ended: list[Branch] = field(default_factory=list)
    failures: int = 0
    interrupted: bool = False
    undoing: set[int] = field(default_factory=set)

    def scope(self, index: int) -> str:
        """Return the scope path of a branch."""
        return branch_scope(self.key, index)

    def first(self) -> Iterable[int]:
        """Return the branches to begin with: the first of each lane, or all that count."""
        if self.join is None:
            return range(self.call.width)
        return range(self.call.total) if self.join.picked is None else self.join.picked

    def begin(self, index: int, frame: Frame, last: str) -> Fiber:
        """Return a branch that begins.

        Args:
            index: Its place among the branches.
            frame: Where it begins.
            last: Key of the operation whose end let it begin.
        """
        fiber = Fiber(self.call.begin(index), frame, self, index, last)
        # What was said before a group goes with whatever its first branch asks for.
        frame.heard, self.parent.frame.heard = self.parent.frame.heard, None
        # Whoever undoes work side by side is not interrupted again.
        fiber.interrupted = self.parent.interrupted
        if self.join is None:
            self.begun += 1
        return fiber

    def next_in_lane(self, index: int) -> int | None:
        """Return the branch that begins when this one has ended, if there is one.

        Lanes are fixed: a branch follows the one that is a lane's width before it. So whoever
        ended that one owes the message for this one, and nobody has to agree on anything.
        """
        if self.call.lanes is None:
            return None
        following = index + self.call.lanes
        return following if following < self.call.total else None

    def end(self, branch: Branch) -> None:
        """Note that a branch has ended."""
        self.ended.append(branch)
        self.undoing.discard(branch.end.index)
        error = branch.end.error
        if error is not None:
            self.failures += 1
            self.interrupted = self.interrupted or isinstance(error, RunCancelled)

    def verdict(self) -> Join | None:
        """Return how the group can be closed; None if it cannot yet."""
        reason = self._reason()
        if reason is None:
            return None
        picked = tuple(branch.end.index for branch in self.ended)
        if reason is Reason.FIRST_COMPLETED:
            picked = picked[: self.call.completion.first]
        everyone = len(picked) == self.call.total
        return Join(reason=reason, picked=None if everyone else picked, begun=self.begun)

    def goes_on(self) -> bool:
        """Say whether further branches are to begin."""
        return not self.interrupted and self._judged() is None

    def _reason(self) -> Reason | None:
        """Return why the group can be closed; asked at each end, so it counts nothing anew."""
        if self.interrupted:
            # Each branch that has begun comes to its own end, and undoes what it has to.
            return Reason.INTERRUPTED if len(self.ended) >= self.begun else None
        # Nor does a failure, or a winner, keep a branch from undoing what it has to.
        return None if self.undoing else self._judged()

    def _judged(self) -> Reason | None:
        return self.call.completion.judge(self.call.total, len(self.ended), self.failures)

    def closable(self) -> Closable | None:
        """Return how the group can be closed, if it can and nobody has."""
        if self.join is not None or self.answered or (join := self.verdict()) is None:
            return None
        return Closable(
            key=self.key,
            operation=self.operation,
            join=join,
            closers=self.closers(),
            ready_at=max(branch.at for branch in self.ended),
            patches=tuple(dict.fromkeys(mark for each in self._frames() for mark in each.patches)),
        )

    def _frames(self) -> Iterable[Frame]:
        return (self.parent.frame, *(branch.frame for branch in self.ended))

    def abandons(self, key: str) -> bool:
        """Say whether a key lies in a branch that the group no longer waits for."""
        if self.join is None or not lies_within(key, self.key):
            return False
        return not self.join.counts(branch_of(key, self.key))

    def counted(self, join: Join) -> Sequence[Branch] | None:
        """Return the branches that count where a group is closed, once they have all ended."""
        picked = join.picked
        if len(self.ended) < (self.call.total if picked is None else len(picked)):
            return None
        if picked is None:
            return sorted(self.ended, key=lambda branch: branch.end.index)
        # Of a closed group no other branches are begun.
        by_index = {branch.end.index: branch for branch in self.ended}
        return [by_index[index] for index in picked]

    def hand_on_lines(self, counted: Sequence[Branch]) -> None:
        """Let what branches have said last go with what their group's code asks for next."""
        for branch in counted:
            if branch.frame.heard is not None:
                self.parent.frame.said.extend(branch.frame.heard)

    def closers(self) -> tuple[str, ...]:
        """Return the operations whose ends let the group be closed."""
        return tuple(dict.fromkeys(branch.last for branch in self.ended))


def given_by(group: Group, reason: Reason, ends: Sequence[BranchEnd]) -> Answer:
    """Return what the fiber of a group goes on with."""
    told = [end.error for end in ends if isinstance(end.error, RunCancelled)]
    if told:
        # However many failures the group tolerates: the run is to end.
        return Answer(error=told[0])
    try:
        return Answer(value=group.call.answer(reason, group.begun, ends))
    except BaseException as error:  # noqa: BLE001 - what a branch raised goes on in its group's fiber
        return Answer(error=error)
