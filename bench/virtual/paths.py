"""Where the time between two steps goes: the path from one record to the next, as it was."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bench.virtual.cloud import Segment, Trace
    from bench.virtual.deployment import Commit


def between(first: Commit, second: Commit) -> list[Segment]:
    """Return what lay between two records, in order: whatever the second had to wait for.

    It is followed backwards, from a message to who sent it and when. What a sender did after its
    send is not part of it, nor is the rest of the send itself.
    """
    found: list[Segment] = []
    trace: Trace | None = second.trace
    segments: Sequence[Segment] = second.trace.segments[: second.segments]
    while trace is not None and trace is not first.trace:
        found[:0] = segments
        begun, trace = trace.segments[0].begin, trace.sender
        segments = [each for each in trace.segments if each.begin < begun] if trace else []
    found[:0] = [each for each in segments if each.begin >= first.at]
    return found


def gaps(commits: Sequence[Commit]) -> list[int]:
    """Return the microseconds between each two records of a run."""
    return [second.at - first.at for first, second in pairwise(commits)]


def path_of(runs: Iterable[Sequence[Commit]]) -> list[tuple[str, float, float]]:
    """Return what lies on the way from record to record, in the order of time.

    Returns:
        What it is, how often it comes per step, and its mean share of a step in milliseconds.
    """
    found = [between(*pair) for commits in runs for pair in pairwise(commits)]
    times: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    for path in found:
        for each in path:
            times[each.what] += 1
            sums[each.what] += each.end - each.begin
    return [
        (what, times[what] / len(found), sums[what] / len(found) / 1_000) for what in _order(found)
    ]


def _order(found: Sequence[Sequence[Segment]]) -> Iterator[str]:
    """Yield each thing once, in the order of the longest kind of path that is usual."""
    kinds = Counter(tuple(each.what for each in path) for path in found)
    seen: set[str] = set()
    for kind, _ in kinds.most_common():
        for what in kind:
            if what not in seen:
                seen.add(what)
                yield what
