"""Find what was done to an audit that should only ever grow: pure, and without a secret.

The entries of a run hang together by hashes: entry *n* holds that of entry *n* - 1, the head that
of the last one, and how many there are. So each altered entry tears the link behind it, or, if
what it says of the one before was altered, both links; a missing or a surplus one shows in the
count; entries that changed places fit where they are not.

Who can write the table and alters everything together, head included, leaves a chain that is
whole again. Against that helps what was written down elsewhere: the hash of the last entry.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from everstep.core.audit import seal
from everstep.core.records import dataclass, replace
from everstep.core.trail import HINT, birth, end

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from everstep.core.audit import AuditEntry
    from everstep.core.model import Head


class Harm(StrEnum):
    """What was done to an entry."""

    EDITED = "edited"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Where a chain is not whole.

    Attributes:
        entry: Number of the entry.
        harm: What was done to it.
        detail: The same in words.
    """

    entry: int
    harm: Harm
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check has found.

    Attributes:
        breaks: What was done to which entry, in order; none if the chain is whole.
        entries: How many entries there are, birth and end included.
        proven: Whether the last entry is covered, and birth and end are; not so where an earlier
            release has recorded them.
        hash: The hash of the last entry, as the head has it; empty if it has none.
    """

    breaks: tuple[Break, ...]
    entries: int
    proven: bool
    hash: str

    @property
    def whole(self) -> bool:
        """Say whether nothing was found."""
        return not self.breaks


_BIRTH: Final = "its birth (input, workflow, version, who made it, when, on what terms)"
_END: Final = "its end (status, time, result, error, who ended it)"


def check_audit(head: Head, entries: Sequence[AuditEntry]) -> Verdict:
    """Return what was done to the audit of a run.

    Args:
        head: The run's head, read before the entries or together with them.
        entries: Every entry that is stored for it.
    """
    trail = head.trail
    return Verdict(
        breaks=tuple(sorted(_breaks(head, entries), key=lambda found: found.entry)),
        entries=head.generation + 1,
        proven=trail is not None and trail.how is not None,
        hash=trail.link if trail else "",
    )


def _breaks(head: Head, entries: Sequence[AuditEntry]) -> list[Break]:
    sealed = head.trail.sealed if head.trail else None
    expected = [n for n in range(1, head.generation + 1) if n != sealed]
    stored = {each.number: each for each in entries}
    surplus = [n for n in stored if n not in expected]
    missing = [n for n in expected if n not in stored]
    held = {n: each for n, each in stored.items() if n in expected}
    found = [(n, Harm.INSERTED) for n in surplus] + [(n, Harm.REMOVED) for n in missing]
    found += [(n, Harm.EDITED) for n in _ends_elsewhere(head)]
    order = _rebuilt(head, list(held.values()))
    if order is None:
        found += [(n, Harm.EDITED) for n in _edited(head, held)]
    else:
        found += [(n, Harm.REORDERED) for n, was in zip(expected, order, strict=False) if n != was]
    if order is None and not found:
        found.append((head.generation, Harm.EDITED))
    told = {0: _BIRTH, sealed: _END}
    return [
        Break(entry=n, harm=harm, detail=f"{told.get(n, f'entry {n}')} was {harm}")
        for n, harm in dict(found).items()
    ]


def _ends_elsewhere(head: Head) -> list[int]:
    """Return where the end is to stand if what the head says of it cannot be."""
    trail = head.trail
    if trail is None or trail.how is None:
        return []
    if trail.sealed is None:
        # Nobody but the engine ends a run, and it does not do so without saying it here.
        return [head.generation + 1] if head.status.terminal else []
    ended = head.status.terminal and head.ended_at is not None
    return [] if ended and 0 < trail.sealed <= head.generation else [trail.sealed]


def _rebuilt(head: Head, entries: Sequence[AuditEntry]) -> list[int] | None:
    """Return the numbers under which entries stand, in the order in which they follow one another.

    None if they do not make a chain from the run's birth to what its head has for the last one.
    """
    left = {each.previous: each for each in entries}
    sealed = head.trail.sealed if head.trail else None
    link, order = seal(birth(head)), list[int]()
    for number in range(1, head.generation + 1):
        entry = end(head, link) if number == sealed else left.pop(link, None)
        if entry is None:
            return None
        if number == sealed and not _follows(head, link):
            return None
        order += [] if number == sealed else [entry.number]
        link = seal(replace(entry, number=number))
    fits = head.trail is None or head.trail.link == link
    return order if fits and not left else None


def _follows(head: Head, link: str) -> bool:
    """Say whether a run's end is recorded as following this entry."""
    return head.trail is not None and head.trail.after == link[:HINT]


def _edited(head: Head, held: Mapping[int, AuditEntry]) -> list[int]:
    """Return the entries by whose alteration the chain is torn as it is."""
    torn = _torn(head, held)
    sealed = head.trail.sealed if head.trail else None
    edited: list[int] = []
    for number in sorted(torn):
        if number in edited:
            # What it says of the one before was altered: that link is torn as well.
            continue
        both = number + 1 in torn and number + 1 != sealed and number + 1 in held
        edited.append(number + 1 if both else number)
    return edited


def _torn(head: Head, held: Mapping[int, AuditEntry]) -> set[int]:
    """Return the entries whose hash is not what the one behind them, or the head, has of them."""
    trail = head.trail
    sealed = trail.sealed if trail else None
    said = {number - 1: each.previous for number, each in held.items()}
    if trail is not None:
        said[head.generation] = trail.link
    nodes = {0: birth(head), **held}
    torn = {n for n, each in nodes.items() if n in said and said[n] != seal(each)}
    before = None if sealed is None else nodes.get(sealed - 1)
    if sealed is not None and before is not None:
        if not _follows(head, seal(before)):
            torn.add(sealed - 1)
        elif (ended := end(head, seal(before))) and said.get(sealed, seal(ended)) != seal(ended):
            torn.add(sealed)
    return torn
