"""How whoever ends a branch can be sure that somebody after it looks at the group: pure judgement.

Whoever ends a branch has to find out, after its record is written, whether the group can be closed.
That takes the whole history. But if the group cannot be closed as long as another branch goes on,
and that one is seen to go on after the record was written, then whoever ends that branch finds out
later, and sees the record. A branch that is seen to go on is a witness of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.keys import scope_of
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from everstep.core.fibers import Branch, Group
    from everstep.core.replay import Replay

# So many branches may have ended of those that come next before another one is asked for.
_NEXT: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Branches of a group that were read, and are as a pass has them.

    Attributes:
        group: The group.
        first: The first key that was asked for.
        last: The first one, in the order of keys, that was not.
        at: When somebody set out to read them, in milliseconds since 1970.
        but: Branches in between that are not as the pass has them.
    """

    group: str
    first: str
    last: str
    at: int
    but: frozenset[str] = frozenset()

    def shows(self, key: str) -> bool:
        """Say whether it shows what a branch itself waits for."""
        scope = scope_of(key)
        read = self.first <= key < self.last
        return read and scope_of(scope) == self.group and scope not in self.but


def in_question(replay: Replay) -> Group | None:
    """Return the group of which the last record has ended branches, if it is as simple as that."""
    groups = {id(group): group for group, _ in replay.ended}
    if len(groups) != 1 or replay.frontier.news:
        return None
    (group,) = groups.values()
    return group


def needed(group: Group, ended: list[Branch]) -> int | None:
    """Return how many branches must go on for a group to be open, whatever the others came to.

    Args:
        group: The group, as far as it is known.
        ended: Those of its branches that the last record has ended.

    Returns:
        How many; None if no number is enough, or nobody should rely on one.
    """
    told = group.interrupted or group.undoing or any(branch.told for branch in ended)
    if group.join is not None or told or group.verdict() is not None:
        return None
    rule, total = group.call.completion, group.call.total
    failures = [branch for branch in ended if branch.end.error is not None]
    if failures and (rule.tolerated_failures, rule.tolerated_ratio) != (None, None):
        # Others may have failed, too, and this one have made them too many.
        return None
    # Whoever ends a branch that was not successful makes no more of those that were.
    successful = rule.min_successful if len(failures) < len(ended) else None
    enough = min(each for each in (total, rule.first, successful) if each is not None)
    return total - enough + 1


def coming(replay: Replay, group: Group, index: int) -> tuple[str, ...]:
    """Return the scopes of those branches that come next after one, and go on, as a pass has it.

    Those are carried out next, more or less: messages come in about the order of sending.
    """
    after = range(index + 1, min(index + 1 + _NEXT, group.call.total))
    found = (replay.frontier.within(group.scope(each)) for each in after)
    return tuple(scope_of(pending.key) for pending in found if pending is not None)
