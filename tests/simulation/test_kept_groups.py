"""Processes that keep passes over many branches come to what a replay comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from everstep.app import witnesses
from everstep.app.cancel import cancel
from everstep.core.durations import SECOND
from everstep.core.model import RunStatus
from everstep.testing.simulation.explore import Scenario, single_faults
from everstep.testing.simulation.faults import FaultKind, Once
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.outcomes import outcome
from tests.simulation.scenarios import LIMITS
from tests.simulation.workflows import DAY
from tests.simulation.workflows_kept import SMALL, WIDE

if TYPE_CHECKING:
    from everstep.testing.simulation.faults import Faults

NAMES: Final = tuple(each.name for each in WIDE)
# Which of two processes gets each message, over and over.
ALONE: Final = (0,)
TURNS: Final = ((0, 1), (0, 0, 1), (0, 1, 1))
# Which branches count, and so what comes of it, depends on which came first.
_FIRST_COME: Final = frozenset({"has_enough", "has_too_much", "first_of_three"})


@dataclass(slots=True)
class Turns:
    """Give the messages to processes in turns; everything else is as usual."""

    turns: tuple[int, ...]
    taken: int = -1

    def pick(self, about: str, options: int, odds: float | None = None) -> int:
        """Return whose turn it is."""
        del options, odds
        if about != "process":
            return 0
        self.taken += 1
        return self.turns[self.taken % len(self.turns)]


def wide(name: str, turns: tuple[int, ...] = ALONE, fresh: int = 0) -> Scenario:
    """Return a scenario in which processes keep passes over branches."""
    return Scenario(
        begin=lambda world: world.trigger(name, 1, "key"),
        workflows=WIDE,
        settings=lambda: Settings(limits=LIMITS, keeps=True, fresh=fresh),
        choices=lambda: Turns(turns),
    )


def replaying(name: str) -> World:
    """Return what is left of a play in which every message replays."""
    scenario = wide(name)
    plain = Scenario(begin=scenario.begin, workflows=WIDE, settings=lambda: Settings(limits=LIMITS))
    return plain.play()


def check(name: str, world: World, usual: World) -> None:
    """Check what came of a play: the run is over, and nobody had to rescue it."""
    assert world.history().head.status is RunStatus.COMPLETED
    assert not world.facts.recovered
    if name not in _FIRST_COME:
        assert outcome(world) == outcome(usual)


def changes_no_outcome(name: str, turns: tuple[int, ...], fresh: int) -> None:
    usual, played = replaying(name), 0
    for _, world in single_faults(wide(name, turns, fresh)):
        check(name, world, usual)
        played += 1
    assert played > 100


@pytest.mark.parametrize("fresh", [0, SECOND])
@pytest.mark.parametrize("turns", [ALONE, *TURNS])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_of_branches_costs_no_message_and_no_write(
    name: str, turns: tuple[int, ...], fresh: int
) -> None:
    world, usual = wide(name, turns, fresh).play(), replaying(name)
    check(name, world, usual)
    assert len(world.queue.sent) == len(usual.queue.sent)
    assert world.counts["runs.put"] == usual.counts["runs.put"]
    assert world.counts["runs.load"] < usual.counts["runs.load"]
    assert set(world.facts.attempts.values()) == {1}


@pytest.mark.parametrize("fresh", [0, SECOND])
def test_one_fault_at_any_call_changes_no_outcome_of_a_map(fresh: int) -> None:
    changes_no_outcome("widens", (0, 1), fresh)


def test_one_fault_at_any_call_changes_no_outcome_of_a_map_of_which_little_is_read_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(witnesses, "_STRETCH", 2)
    changes_no_outcome("widens", (0, 1), SECOND)


def test_one_fault_at_any_call_changes_no_outcome_of_lanes() -> None:
    changes_no_outcome("in_turns", (0, 1), SECOND)


@pytest.mark.slow
@pytest.mark.parametrize("fresh", [0, SECOND])
@pytest.mark.parametrize("turns", [ALONE, *TURNS])
@pytest.mark.parametrize("name", NAMES)
def test_one_fault_at_any_call_changes_no_outcome_of_branches(
    name: str, turns: tuple[int, ...], fresh: int
) -> None:
    changes_no_outcome(name, turns, fresh)


# --- The rules, one by one


def begun(
    flow: str, turns: tuple[int, ...] = TURNS[0], fresh: int = 0, faults: Faults | None = None
) -> World:
    """Return a world in which a run is started whose messages go to two processes in turns."""
    settings = Settings(limits=LIMITS, keeps=True, fresh=fresh)
    world = World([*WIDE, *SMALL], settings=settings, choices=Turns(turns), faults=faults)
    world.trigger(flow, 1, "key")
    return world


def comes_to_its_end(world: World) -> None:
    """Let everything happen, and check that nobody had to help."""
    world.run()
    world.check()
    assert world.history().head.status is RunStatus.COMPLETED
    assert not world.facts.recovered


def test_two_branches_that_end_at_once_are_not_each_left_to_the_other() -> None:
    with begun("pairs") as world:
        last = world.next_message("gather#1/1/add#1")
        (first,) = [each for each in world.queue.letters if each is not last]
        tasks = world.execute(first), world.execute(last)
        for task in tasks:
            world.go_on_until(task, "runs.put")
        for task in tasks:
            world.finish(task)
        comes_to_its_end(world)


def test_whoever_ends_the_last_branch_finds_that_the_others_have_ended() -> None:
    with begun("pairs") as world:
        comes_to_its_end(world)
    assert world.counts["runs.between"] > 0


def test_whoever_ends_the_last_branch_finds_that_another_process_has_ended_all_others() -> None:
    with begun("fours", (0, 1, 1, 1, 0)) as world:
        first = world.next_message("one#1/0/add#1")
        others = [each for each in world.queue.letters if each is not first]
        for letter in (*others, first):
            world.finish(world.execute(letter))
        comes_to_its_end(world)


def test_whoever_repeats_the_end_of_a_branch_looks_at_the_whole_group() -> None:
    dies = Once("runs.put", FaultKind.CRASH_AFTER, nth=3)
    with begun("triples", (0, 0, 1, 1, 0), faults=dies) as world:
        comes_to_its_end(world)


@pytest.mark.parametrize("flow", ["needs_two", "bears_one"])
def test_enough_is_noticed_though_another_branch_goes_on_for_long(flow: str) -> None:
    with begun(flow) as world:
        began = world.time
        world.happen_until(lambda: bool(world.store.run_ids))
        world.happen_until(lambda: world.history().head.status.terminal)
        assert world.history().head.status is RunStatus.COMPLETED
        assert world.time - began < DAY * SECOND


def test_a_branch_that_does_not_count_any_more_is_not_begun_by_a_kept_pass() -> None:
    with begun("spares", (0, 0, 1), fresh=SECOND) as world:
        comes_to_its_end(world)
    attempted = {key for _, key, _ in world.facts.attempts}
    assert attempted == {"one#1/0/add#1", "one#1/1/add#1", "add#1"}


def test_a_pause_is_seen_a_second_after_the_last_look_however_much_is_done_by_then() -> None:
    with begun("hurries", ALONE, fresh=SECOND) as world:
        letter = world.next_message("add#1")
        run_id = world.store.run_ids[0]
        world.pass_time(600)
        world.finish(world.execute(letter))
        world.pause(run_id)
        world.happen_until(lambda: world.history().head.status is RunStatus.PAUSED)
        world.pass_time(600)
        world.run()
        assert set(world.history().records) == {"add#1"}
        world.resume(run_id)
        comes_to_its_end(world)


@pytest.mark.parametrize("turns", [ALONE, *TURNS])
def test_a_cancellation_of_branches_is_heard_by_all_of_them(turns: tuple[int, ...]) -> None:
    with begun("widens", turns, fresh=SECOND) as world:
        world.next_message("twice#1/2/add#2")
        world.call("client", lambda: cancel(world.engine, world.store.run_ids[0]))
        world.pass_time(SECOND)
        world.run()
        world.check()
    assert world.history().head.status is RunStatus.CANCELLED
    assert not world.facts.recovered
