"""The workloads and their sizes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from bench.peers.protocol import Item

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

TITLES: Final = {
    "W1": "many runs",
    "W2": "one long run",
    "W2b": "short sleeps",
    "W3": "many sleeping runs",
    "W4": "side by side and join",
    "W5": "kill -9 in the middle",
}
MEMORY: Final = "everstep-memory"
MOTO: Final = "everstep-moto"
LOCALSTACK: Final = "everstep-localstack"
BURST: Final = 50
"""How many steps a message may carry out where burst mode is measured."""

_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large each workload is.

    Attributes:
        many: Runs and steps of W1.
        long: Steps of W2.
        naps: Runs, naps of each, seconds of a nap: W2b.
        sleepers: Runs, and seconds that they sleep: W3.
        fans: Steps side by side: W4, once for each.
        crash: Steps, milliseconds of each, after how many the worker is killed: W5.
        rounds: How often what is short is repeated.
    """

    many: tuple[int, int] = (200, 10)
    long: int = 1_000
    naps: tuple[int, int, int] = (10, 10, 1)
    sleepers: tuple[int, int] = (1_000, 10)
    fans: tuple[int, ...] = (100, 1_000)
    crash: tuple[int, int, int] = (50, 20, 25)
    rounds: int = _ROUNDS


FULL: Final = Sizes()
QUICK: Final = Sizes(
    many=(10, 5),
    long=50,
    naps=(2, 2, 1),
    sleepers=(20, 2),
    fans=(10, 40),
    crash=(20, 20, 8),
    rounds=1,
)
# Every message is an invocation there, some ten a second: until a thousand runs have begun, those
# that began first sleep.
_ON_LOCALSTACK: Final = replace(FULL, sleepers=(1_000, 300))
_QUICK_ON_LOCALSTACK: Final = replace(QUICK, many=(5, 5), long=20, sleepers=(5, 5), fans=(5, 20))
# moto looks at every delayed message whenever it is asked for one, and copies what it returns.
_ON_MOTO: Final = replace(FULL, sleepers=(200, 10))
_ELSEWHERE: Final = {
    MOTO: (_ON_MOTO, QUICK),
    LOCALSTACK: (_ON_LOCALSTACK, _QUICK_ON_LOCALSTACK),
}


def sizes(baseline: str, *, quick: bool) -> Sizes:
    """Return how large the workloads are for engines that are compared with a mode of Everstep."""
    full, small = _ELSEWHERE.get(baseline, (FULL, QUICK))
    return small if quick else full


def items(sizes: Sizes, workloads: Collection[str], folder: Path) -> tuple[Item, ...]:
    """Return what to play, in order, each with its own file of marks.

    Args:
        sizes: How large.
        workloads: Which ones.
        folder: For the files of marks.
    """
    wanted = [each for each in _all(sizes) if each.workload in workloads]
    return tuple(
        replace(each, number=number, marks=str(folder / f"marks-{number}.txt"))
        for number, each in enumerate(wanted)
    )


def _all(sizes: Sizes) -> list[Item]:
    runs, steps = sizes.many
    sleepers, asleep = sizes.sleepers
    nappers, naps, nap = sizes.naps
    crashed, millis, kill_at = sizes.crash
    short = [
        Item(number=0, workload="W1", shape="sequence", runs=runs, steps=steps),
        Item(number=0, workload="W2", shape="sequence", steps=sizes.long),
        *(Item(number=0, workload="W4", shape="fan", steps=n) for n in sizes.fans),
    ]
    rounds = [replace(each, again=n > 0) for each in short for n in range(sizes.rounds)]
    long = [
        Item(number=0, workload="W2b", shape="naps", runs=nappers, steps=naps, seconds=nap),
        Item(number=0, workload="W3", shape="naps", runs=sleepers, steps=1, seconds=asleep),
        Item(
            number=0,
            workload="W5",
            shape="crash",
            steps=crashed,
            millis=millis,
            kill_at=kill_at,
        ),
    ]
    order = list(TITLES)
    return sorted([*rounds, *long], key=lambda each: order.index(each.workload))


def name_of(item: Item) -> str:
    """Return the name of an item's workload, W4 with its size."""
    return f"{item.workload} {item.steps}" if item.shape == "fan" else item.workload


def as_data(item: Item) -> dict[str, Any]:
    """Return an item as plain data."""
    return asdict(item)
