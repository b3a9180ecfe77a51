"""The scenarios use everything that there is: what is added later has to join one of them."""

from __future__ import annotations

import inspect
from collections import Counter
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, get_args

import pytest

from everstep import Context
from everstep.core.audit import Action
from everstep.core.changes import HeadChange
from everstep.core.model import MessageKind, OpKind, OpStatus
from everstep.testing.simulation.explore import played, single_plans
from everstep.testing.simulation.faults import FaultKind
from tests.simulation.outcomes import BUDGETS
from tests.simulation.scenarios import MIXED, SCENARIOS, SMALL
from tests.simulation.test_schedules import QUICK, SLOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from everstep.core.audit import AuditEntry
    from everstep.testing.simulation.explore import Scenario
    from everstep.testing.simulation.world import World

# Methods of the context that make no operation; every other one is to be called somewhere.
RECORDS_NOTHING: Final = frozenset({"now", "random", "uuid"})
WORLDS: Final = {name: scenario.play() for name, scenario in SCENARIOS.items()}


def written(world: World, call: str) -> Iterator[list[str]]:
    """Return the details of every call of a name, word by word."""
    return (each.detail.split() for each in world.calls if each.name == call)


def test_every_kind_of_operation_is_recorded_by_some_scenario() -> None:
    kinds = {
        record.kind
        for world in WORLDS.values()
        for run_id in world.store.run_ids
        for record in world.history(run_id).records.values()
    }
    assert kinds == set(OpKind)


def test_every_status_of_an_operation_is_recorded_by_some_scenario() -> None:
    statuses = {words[2] for world in WORLDS.values() for words in written(world, "runs.put")}
    assert statuses == {str(each) for each in OpStatus}


def test_every_kind_of_message_is_sent_in_some_scenario() -> None:
    kinds = {letter.message.kind for world in WORLDS.values() for letter in world.queue.sent}
    # Only who comes a moment too late to close a group looks again later: see test_joins.
    assert kinds == set(MessageKind) - {MessageKind.CHECK}


def test_everything_that_can_happen_to_a_head_happens_in_some_scenario() -> None:
    changes = {words[1] for world in WORLDS.values() for words in written(world, "runs.change")}
    # What is noted of a run is written together with the run that comes of it.
    noted = {"RunNoted" for world in WORLDS.values() for _ in retried(world)}
    assert changes | noted == {change.__name__ for change in get_args(HeadChange)}


def retried(world: World) -> list[AuditEntry]:
    """Return what audits say of runs that others go on from."""
    again = (Action.RETRIED, Action.FORKED)
    entries = (each for run_id in world.store.run_ids for each in world.store.audit(run_id))
    return [each for each in entries if each.action in again]


def makers() -> dict[str, Callable[..., Any]]:
    """Return the public methods that make operations."""
    methods = dict(inspect.getmembers(Context, inspect.isfunction))
    return {
        name: method
        for name, method in methods.items()
        if not name.startswith("_") and name not in RECORDS_NOTHING
    }


def test_every_method_that_makes_an_operation_is_called_in_some_scenario(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: Counter[str] = Counter()

    def counted(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            called[name] += 1
            return method(*args, **kwargs)

        return call

    for name, method in makers().items():
        monkeypatch.setattr(Context, name, counted(name, method))
    for scenario in SCENARIOS.values():
        scenario.play()
    assert called.keys() == makers().keys()
    assert {"step", "sleep", "sleep_until"} <= called.keys()


def test_every_workflow_is_a_scenario_and_every_scenario_has_a_budget() -> None:
    assert {workflow.name for workflow in MIXED} <= SCENARIOS.keys()
    assert SCENARIOS.keys() == BUDGETS.keys()
    assert not set(QUICK) & set(SLOW)
    assert set(SMALL) | set(QUICK) | set(SLOW) <= SCENARIOS.keys()


# --- Kinds of faults


def with_fault(scenario: Scenario, usual: World, kind: FaultKind) -> Iterator[tuple[int, World]]:
    """Play the scenario with every fault of a kind, and say at which call."""
    for plan in single_plans(usual):
        (number,) = plan
        if plan[number] is kind:
            yield number, played(scenario, plan)


def test_a_twin_does_at_once_what_the_first_is_about_to_do() -> None:
    usual = WORLDS["three_steps"]
    worlds = dict(with_fault(SCENARIOS["three_steps"], usual, FaultKind.TWIN))
    assert worlds
    for number, world in worlds.items():
        task = usual.calls[number - 1].task
        again = [each for each in world.calls[:number] if each.task == task]
        once = [each for each in usual.calls[:number] if each.task == task]
        assert len(world.calls) > len(usual.calls)
        assert [each.name for each in again] == [each.name for each in once]
        # The next call is the twin's first.
        assert world.calls[number].task == task
        assert world.calls[number].name == once[0].name


def test_who_stands_still_goes_on_when_everything_else_is_over() -> None:
    usual = WORLDS["three_steps"]
    worlds = dict(with_fault(SCENARIOS["three_steps"], usual, FaultKind.STANDS_STILL))
    assert worlds
    for number, world in worlds.items():
        call = usual.calls[number - 1]
        ended = [each.detail.endswith("RunEnded") for each in world.calls].index(True)
        # As long as the trigger has sent nothing, nothing else happens.
        assert ended < len(world.calls) - 1
        if call.name in {"attempt", "runs.put"}:
            assert ended < len(world.calls) - 2
            assert world.calls[-1].task == call.task


@pytest.mark.parametrize("kind", [FaultKind.TWICE, FaultKind.AGAIN_LATER])
def test_a_message_that_comes_again_comes_at_once_or_after_the_end(kind: FaultKind) -> None:
    usual = WORLDS["three_steps"]
    assert len({letter.body for letter in usual.queue.sent}) == len(usual.queue.sent)
    worlds = dict(with_fault(SCENARIOS["three_steps"], usual, kind))
    assert len(worlds) == usual.counts["queue.send"]
    for world in worlds.values():
        bodies = [letter.body for letter in world.queue.sent]
        twice = [n for n, body in enumerate(bodies) if body in bodies[:n]]
        assert len(twice) == 1
        at_once = bodies[twice[0]] == bodies[twice[0] - 1]
        last = twice[0] == len(bodies) - 1
        assert at_once if kind is FaultKind.TWICE else last


def test_a_late_message_comes_minutes_later() -> None:
    usual = WORLDS["three_steps"]
    worlds = dict(with_fault(SCENARIOS["three_steps"], usual, FaultKind.LATE))
    assert len(worlds) == usual.counts["queue.send"]
    for world in worlds.values():
        assert world.time >= usual.time + 5 * 60 * 1000


def test_an_early_message_is_put_off() -> None:
    usual = WORLDS["short_sleep"]
    worlds = dict(with_fault(SCENARIOS["short_sleep"], usual, FaultKind.EARLY))
    assert len(worlds) == 1
    for world in worlds.values():
        assert len(world.queue.sent) == len(usual.queue.sent) + 1
        assert world.time == usual.time


def test_every_kind_of_fault_occurs_somewhere() -> None:
    met = Counter(kind for world in WORLDS.values() for call in world.calls for kind in call.kinds)
    assert set(FaultKind) == met.keys()
