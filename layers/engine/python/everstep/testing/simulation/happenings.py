"""What can happen next in a world, by itself or because something is odd."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from everstep.app.query import inspect
from everstep.core.durations import LONGEST_DELAY, MINUTE, SECOND
from everstep.core.model import RunStatus
from everstep.testing.simulation.deployment import FAR_FUTURE
from everstep.testing.simulation.policies import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.core.model import DueEntry, Head
    from everstep.testing.simulation.world import World

_MANY: Final = 10_000
_REPEATABLE: Final = 12
_JUMPS: Final = (5, 400, 1000)
_AT_REST: Final = frozenset({RunStatus.STALLED, RunStatus.PAUSED})


def happenings(world: World) -> Iterator[Action]:
    """Return what can happen next: first what is under way, last the odd things."""
    # Lazily: most of the time only the first is wanted, and looking for the others takes long.
    anything = False
    for action in _ordinary(world):
        anything = True
        yield action
    if anything and world.odd_left:
        yield from _oddities(world)


def _ordinary(world: World) -> Iterator[Action]:
    nothing = True
    for action in present(world):
        nothing = False
        yield action
    if nothing:
        yield from _time_passes(world)


def present(world: World) -> Iterator[Action]:
    """Return what can happen without any time passing."""
    yield from _under_way(world)
    yield from _arrivals(world)
    yield from _visits(world)


def _under_way(world: World) -> Iterator[Action]:
    for task in reversed([each for each in world.tasks if each not in world.held]):
        act = partial(world.go_on, task, world.policy.stops_at)
        yield Action(label=task.name, act=act, under_way=True)


def _arrivals(world: World) -> Iterator[Action]:
    for letter in world.dead.visible():
        yield Action(label=f"bury {letter}", act=partial(world.bury, letter))
    if world.busy < world.settings.executors:
        for letter in world.queue.visible():
            yield Action(label=f"deliver {letter}", act=partial(world.deliver, letter))


def _visits(world: World) -> Iterator[Action]:
    for at, appointment in world.appointments:
        if at <= world.time:
            yield Action(label="a client calls again", act=partial(world.keep, at, appointment))
    if not world.sweeping and next_sweep(world) <= world.time:
        yield Action(label="sweep", act=world.sweep)
    for run_id in _stalled(world):
        yield Action(label=f"resume {run_id}", act=partial(world.operate, run_id))


def _stalled(world: World) -> list[str]:
    return [
        run_id
        for run_id in (world.store.run_ids if world.settings.resumes else ())
        if head_of(world, run_id).status is RunStatus.STALLED
        and world.operated[run_id] < world.settings.resumes
    ]


def _time_passes(world: World) -> Iterator[Action]:
    if _settled(world):
        yield from _at_last(world)
        return
    then = min(instants(world))
    if then == FAR_FUTURE:
        yield from _at_last(world)
    elif then <= world.horizon:
        yield Action(label="time passes", act=partial(world.pass_time, max(then - world.time, 0)))


def instants(world: World) -> tuple[int, ...]:
    """Return when something comes up by itself, for some of them long ago."""
    return (
        world.queue.next_visible_at() or FAR_FUTURE,
        world.dead.next_visible_at() or FAR_FUTURE,
        next_sweep(world),
        *(at for at, _ in world.appointments),
    )


def _at_last(world: World) -> Iterator[Action]:
    """Yield what happens when all else is over."""
    if world.sleepers:
        yield Action(label="somebody wakes up", act=world.wake_up)
    elif world.last_words and not world.held:
        yield Action(label="an old message comes again", act=partial(_say_last_word, world))


def _say_last_word(world: World) -> None:
    world.last_words.pop(0)()


def _settled(world: World) -> bool:
    """Say whether nothing is left to come of anything."""
    if world.queue.letters or world.dead.letters or world.appointments:
        return False
    return all(_at_rest(world, run_id) for run_id in world.store.run_ids)


def _at_rest(world: World, run_id: str) -> bool:
    """Say whether a run has ended, stands still, or waits for something that may never come."""
    head = head_of(world, run_id)
    if head.status.terminal:
        return head.due_at is None or not world.settings.removes
    if head.status in _AT_REST:
        return True
    if head.deadline is not None and head.ending is None:
        return False
    seen = inspect(world.inside, run_id).progress
    return seen.status is RunStatus.WAITING and seen.wake_at is None and not seen.scheduled


def head_of(world: World, run_id: str) -> Head:
    """Return the head of a run that there is.

    Raises:
        LookupError: There is no such run.
    """
    head = world.store.head(run_id)
    if head is None:
        raise LookupError(run_id)
    return head


def next_sweep(world: World) -> int:
    """Return the next full minute at which a sweep finds something to do."""
    instants = [_look_at(entry) for entry in _armed(world)]
    if not instants:
        return FAR_FUTURE
    due = max(min(instants), world.swept_at + 1)
    return -(-due // MINUTE) * MINUTE


def _look_at(entry: DueEntry) -> int:
    """Return when a sweep does something about an entry."""
    first_look = entry.due_at <= entry.wake_at
    return entry.due_at - LONGEST_DELAY if first_look else entry.due_at


def _armed(world: World) -> Iterator[DueEntry]:
    for shard in range(world.store.shards):
        yield from world.store.due(shard, FAR_FUTURE, _MANY)


def _oddities(world: World) -> Iterator[Action]:
    for letter in world.queue.sent[-_REPEATABLE:]:
        again = partial(world.queue.take_in, letter.body)
        yield Action(label=f"{letter} comes twice", act=again, odd=True)
    for letter in world.queue.letters:
        if letter.visible_at > world.time:
            early = partial(world.queue.show, letter)
            yield Action(label=f"{letter} is visible early", act=early, odd=True)
    if not world.sweeping:
        yield Action(label="a sweep more", act=world.sweep, odd=True)
    for run_id in world.store.run_ids if world.settings.cancels else ():
        head = head_of(world, run_id)
        if not head.status.terminal and head.ending is None:
            yield Action(label=f"cancel {run_id}", act=partial(world.cancel, run_id), odd=True)
    for seconds in _JUMPS:
        if world.time + seconds * SECOND > world.horizon:
            break
        jump = partial(world.hold_up, seconds * SECOND)
        yield Action(label=f"{seconds} s pass", act=jump, odd=True)
