"""What is recorded when a group of branches is closed: why, and which branches count.

A group that runs side by side can be seen complete by several messages at once, each with
another picture of it. So the first to record a ``Join`` decides for everybody, for ever.
"""

from __future__ import annotations

import json

from everstep.core.completion import Reason
from everstep.core.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """The end of a group.

    Attributes:
        reason: Why it was closed.
        picked: The branches that count, in the order in which they ended; None for all of them.
        begun: How many branches had been begun.
    """

    reason: Reason
    picked: tuple[int, ...] | None
    begun: int

    def counts(self, index: int) -> bool:
        """Say whether a branch counts."""
        return self.picked is None or index in self.picked


def write_join(join: Join) -> str:
    """Return the recorded text of a join."""
    recorded: dict[str, object] = {"reason": join.reason.value, "begun": join.begun}
    if join.picked is not None:
        recorded["picked"] = list(join.picked)
    return json.dumps(recorded, separators=(",", ":"))


def read_join(text: str) -> Join:
    """Return what a recorded text says."""
    recorded = json.loads(text)
    picked = recorded.get("picked")
    return Join(
        reason=Reason(recorded["reason"]),
        picked=None if picked is None else tuple(picked),
        begun=recorded["begun"],
    )
