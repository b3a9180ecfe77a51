"""What is due is read once, in turns, and whatever stands in the way is passed by."""

from __future__ import annotations

from dataclasses import dataclass, field

from everstep.app.due import PAGE, Reader, in_turns
from everstep.core.model import HEAD, DueEntry
from everstep.core.unreadable import Unreadable, UnreadableError

FAR = 1_000_000


def entries(count: int, due_at: int | None = None, run: str = "run") -> list[DueEntry]:
    """Return entries a millisecond apart, or all at one instant."""
    return [
        DueEntry(run_id=f"{run}-{n:05}", key=HEAD, due_at=n + 1 if due_at is None else due_at)
        for n in range(count)
    ]


@dataclass
class Index:
    """A due index that counts what is read of it."""

    held: dict[int, list[DueEntry]]
    unreadable: list[Unreadable] = field(default_factory=list)
    reads: list[tuple[int, int, int]] = field(default_factory=list)

    @property
    def shards(self) -> int:
        return len(self.held)

    @property
    def waking(self) -> int:
        return len(self.held)

    def due(self, shard: int, until: int, limit: int, since: int = 0) -> list[DueEntry]:
        found = [each for each in self.held[shard] if since <= each.due_at <= until][:limit]
        self.reads.append((shard, since, len(found)))
        if self.unreadable:
            raise UnreadableError(self.unreadable, found)
        return found


def noted(items: list[Unreadable]) -> None:
    raise AssertionError(items)


def read(index: Index, *readers: Reader, size: int = 10) -> list[list[DueEntry]]:
    return list(in_turns(index, readers, lambda item: noted([item]), size))


def reader(shard: int = 0) -> Reader:
    return Reader(shard=shard, since=0, until=FAR)


def test_everything_is_read_once_in_order_however_much_it_is() -> None:
    index = Index({0: entries(1_050)})
    found = [each for batch in read(index, reader()) for each in batch]
    assert found == index.held[0]
    # Each page begins with the last instant of the one before: that entry is read twice.
    assert sum(count for _, _, count in index.reads) <= 1_050 + len(index.reads)
    assert len(index.reads) <= 1_050 / (PAGE - 1) + 1


def test_batches_are_as_large_as_asked_for() -> None:
    assert {len(batch) for batch in read(Index({0: entries(40)}), reader())} == {10}
    assert {len(batch) for batch in read(Index({0: entries(4)}), reader(), size=1)} == {1}


def test_shards_take_turns_page_by_page() -> None:
    index = Index({0: entries(300, run="a"), 1: entries(150, run="b")})
    found = [batch[0].run_id[0] for batch in read(index, reader(0), reader(1), size=PAGE)]
    assert found[:4] == ["a", "b", "a", "b"]


def test_many_of_one_instant_that_stay_where_they_are_hide_nothing() -> None:
    index = Index({0: [*entries(450, due_at=5), *entries(3, due_at=6, run="later")]})
    found = [each for batch in read(index, reader()) for each in batch]
    assert found == index.held[0]


def test_what_moves_away_while_it_is_read_makes_nobody_miss_what_comes_after() -> None:
    index = Index({0: entries(500, due_at=5)})
    found = []
    for batch in in_turns(index, [reader()], lambda item: noted([item]), 10):
        found += batch
        index.held[0] = [each for each in index.held[0] if each not in batch]
    assert len(found) == 500


def test_what_is_outside_its_time_is_not_read() -> None:
    index = Index({0: entries(50)})
    (batch,) = read(index, Reader(shard=0, since=20, until=25))
    assert [each.due_at for each in batch] == [20, 21, 22, 23, 24, 25]


def test_what_cannot_be_read_is_noted_once_and_everything_else_is_read() -> None:
    broken = [Unreadable(run_id=f"x-{n}", key=HEAD, reason="status") for n in range(3)]
    index = Index({0: entries(250)}, unreadable=broken)
    told: list[Unreadable] = []
    found = [each for batch in in_turns(index, [reader()], told.append, 10) for each in batch]
    assert found == index.held[0]
    assert told == broken
