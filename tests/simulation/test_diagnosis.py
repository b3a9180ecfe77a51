"""Runs that got stuck: the diagnosis names it, and the repair has them go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from everstep.app.diagnosis import examine, repair
from everstep.core.audit import Action
from everstep.core.diagnosis import Cause, Diagnosis, Repair, Window
from everstep.core.model import MessageKind, RunStatus
from everstep.testing.simulation.faults import FaultKind, Once
from everstep.testing.simulation.happenings import happenings
from everstep.testing.simulation.world import World
from tests.simulation.plays import GRACE, end, play
from tests.simulation.scenarios import MIXED, send_events

if TYPE_CHECKING:
    from everstep.testing.simulation.faults import Call

RUN: Final = "run-0-00000001"
# What it says of a run that needs no help.
CALM: Final = {Cause.ENDED, Cause.WAITING}


@dataclass(slots=True)
class DiesAt:
    """The death of whoever makes a numbered call, right before it or right after."""

    number: int
    kind: FaultKind
    done: bool = False

    def at(self, call: Call) -> FaultKind | None:
        if call.number != self.number:
            return None
        self.done = True
        return self.kind


def stuck(world: World, run_id: str) -> Diagnosis:
    """Let time pass, in which nobody does anything, until the run is more than late."""
    found = examine(world.inside, run_id)
    for _ in range(3):
        if found.repair is None and found.cause is not Cause.ENDED:
            world.hold_up(max((found.until or 0) - world.time, 0) + GRACE)
            found = examine(world.inside, run_id)
    return found


def after_the_death_at(number: int, kind: FaultKind, name: str) -> World:
    """Return a world in which somebody has died at a call and every message is lost."""
    faults = DiesAt(number, kind)
    world = World(MIXED, faults=faults)
    world.trigger(name, 1, "key", lambda run_id: send_events(world, name, run_id))
    while not faults.done:
        next(happenings(world)).act()
    world.lose_messages()
    return world


def statuses(world: World) -> set[RunStatus]:
    return {world.history(each).head.status for each in world.store.run_ids}


@pytest.mark.parametrize("kind", [FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER])
@pytest.mark.parametrize(
    "name",
    [
        *(
            "three_steps",
            "retries",
            "short_sleep",
            "long_sleep",
            "long_retry",
            "without_operations",
        ),
        *("waits", "waits_in_vain", "is_not_answered", "delegates", "talks"),
        *("side_by_side", "races", "lanes", "sleeps_first"),
    ],
)
def test_whatever_gets_lost_is_named_and_the_repair_has_the_run_go_on(
    name: str, kind: FaultKind
) -> None:
    windows = set()
    for call in play(name).calls:
        with after_the_death_at(call.number, kind, name) as world:
            for run_id in world.store.run_ids:
                found = stuck(world, run_id)
                if found.cause in CALM:
                    continue
                windows.add(found.window)
                assert found.repair is Repair.RECOVER, (call, found)
                assert found.foreseen is not None, (call, found)
                done = repair(world.inside, run_id, who="ada", why="stuck")
                assert done.done is Repair.RECOVER
                last = world.inside.runs.audit(run_id)[-1]
                assert (last.action, last.who, last.why) == (Action.RECOVERED, "ada", "stuck")
            recovered = world.facts.recovered
            world.run()
            world.check()
            assert all(each.terminal for each in statuses(world)), (call, statuses(world))
            # The watchdog was not needed.
            assert world.facts.recovered == recovered, call
    assert Window.FIRST_SEND in windows
    assert windows <= {
        Window.FIRST_SEND,
        Window.MESSAGE,
        Window.LONG_TIMER,
        Window.LAST_COMMIT,
    }


def test_what_is_under_way_is_left_alone() -> None:
    for call in play("three_steps").calls:
        with after_the_death_at(call.number, FaultKind.CRASH_AFTER, "three_steps") as world:
            if RUN not in world.store.run_ids or world.history().head.status.terminal:
                continue
            assert examine(world.inside, RUN).repair is None
            done = repair(world.inside, RUN)
            assert (done.done, world.inside.runs.audit(RUN)) == (None, [])


def test_the_sweeper_does_what_is_foreseen_when_it_is_foreseen() -> None:
    with after_the_death_at(1, FaultKind.CRASH_AFTER, "three_steps") as world:
        found = examine(world.inside, RUN)
        assert found.foreseen is not None
        assert found.foreseen.kind is MessageKind.START
        world.hold_up(found.foreseen.at - world.time)
        world.finish(world.sweep())
        sent = [each.message.kind for each in world.queue.letters]
        assert sent == [MessageKind.START]


@pytest.mark.parametrize("kind", list(FaultKind)[:4])
@pytest.mark.parametrize("call", ["runs.load", "runs.change", "queue.send"])
def test_a_repair_that_breaks_off_is_repeated_or_made_up_for(call: str, kind: FaultKind) -> None:
    with after_the_death_at(1, FaultKind.CRASH_AFTER, "three_steps") as world:
        world.hold_up(2 * GRACE)
        world.faults = Once(call, kind)
        world.ask("operator", lambda: repair(world.engine, RUN, who="ada"))
        assert end(world).status is RunStatus.COMPLETED
        # Or the sweeper was there first, and nothing was left to repair.
        assert len(world.inside.runs.audit(RUN)) <= 1


def test_two_who_repair_at_once_repair_once() -> None:
    with after_the_death_at(1, FaultKind.CRASH_AFTER, "three_steps") as world:
        world.hold_up(2 * GRACE)
        first, second = repair(world.inside, RUN), repair(world.inside, RUN)
        assert (first.done, second.done) == (Repair.RECOVER, None)
        assert end(world).status is RunStatus.COMPLETED


def test_a_run_whose_code_is_lost_is_resumed_once_it_is_back() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#2")
        world.deploy([])
        found = examine(world.inside, RUN)
        assert (found.cause, found.window) == (Cause.VERSION_MISSING, Window.VERSION)
        world.run()
        found = examine(world.inside, RUN)
        assert (found.cause, found.window, found.repair) == (Cause.STALLED, Window.VERSION, None)
        assert repair(world.inside, RUN).done is None
        world.deploy(MIXED)
        assert examine(world.inside, RUN).repair is Repair.RESUME
        assert repair(world.inside, RUN, who="ada").done is Repair.RESUME
        world.facts.resumptions += 1
        assert end(world).status is RunStatus.COMPLETED
