"""Names that one run at a time has, and runs that go when their time has come."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.app.options import StartOptions
from everstep.core.circumstances import Reference
from everstep.testing.simulation.explore import Scenario, interleavings, single_plans
from everstep.testing.simulation.faults import FaultKind, Planned
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.scenarios import LIMITS, MIXED, SCENARIOS
from tests.simulation.workflows import HOUR

if TYPE_CHECKING:
    from everstep.core.model import History

REMOVES = ("runs.release", "blobs.clear", "runs.clear")

# Those after which the actor makes no further call that it had in mind before.
FAILURES = (
    FaultKind.CRASH_BEFORE,
    FaultKind.CRASH_AFTER,
    FaultKind.ANSWER_LOST,
    FaultKind.UNAVAILABLE,
)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Check at every write that nobody shares a name; count what was looked at."""
    looked_at: Counter[str] = Counter()
    original = World._hold

    def hold(world: World, before: History | None, after: History | None) -> None:
        original(world, before, after)
        heads = [world.store.head(run_id) for run_id in world.store.run_ids]
        named = [head for head in heads if head is not None and head.reference_id is not None]
        going_on = Counter(head.reference_id for head in named if not head.status.terminal)
        assert max(going_on.values(), default=0) <= 1
        looked_at["writes"] += 1

    monkeypatch.setattr(World, "_hold", hold)
    return looked_at


def two_clients(workflow: str) -> Scenario:
    """Let two clients with keys of their own ask for the run with one name."""
    options = StartOptions(reference_id="name", on_conflict="existing")

    def begin(world: World) -> None:
        for key in ("one", "other"):
            world.trigger(workflow, 1, key, options=options)

    return Scenario(begin=begin, workflows=MIXED, settings=lambda: Settings(limits=LIMITS))


def test_two_clients_who_ask_at_once_are_told_one_run(alone: Counter[str]) -> None:
    played = 0
    for _, world in interleavings(two_clients("waits_in_vain")):
        (run_id,) = world.store.run_ids
        assert {told for told, _ in world.facts.accepted} == {run_id}
        played += 1
    assert played > 5
    assert alone["writes"] > played


def test_a_run_has_a_name_only_after_the_one_before_it_has_ended(alone: Counter[str]) -> None:
    scenario = two_clients("without_operations")
    runs: Counter[int] = Counter()
    for plan in single_plans(scenario.play()):
        world = scenario.play(Planned(plan))
        runs[len(world.store.run_ids)] += 1
    # Whoever comes late finds the first one at its end, and begins another.
    assert runs.keys() == {1, 2}
    assert alone["writes"] > runs.total()


def nothing_is_left(world: World) -> bool:
    store = world.store
    kept = (store._heads, store._records, store._events, store._claims, store._references)
    blobs = world.inside.blobs
    assert isinstance(blobs, MemoryBlobs)
    return not any(kept) and not store._audit and not blobs.refs


def test_nothing_is_left_of_a_run_that_was_removed_wherever_the_sweeper_dies() -> None:
    scenario = SCENARIOS["is_removed"]
    usual = scenario.play()
    assert nothing_is_left(usual)
    removal = {call.number for call in usual.calls if call.name in REMOVES}
    assert len(removal) == 4
    died = 0
    for plan in single_plans(usual):
        if plan.keys() <= removal and set(plan.values()) <= set(FAILURES):
            assert nothing_is_left(scenario.play(Planned(plan)))
            died += 1
    assert died == len(removal) * len(FAILURES)


def large_and_kept(world: World) -> None:
    world.trigger("large_payload", 1, "key", options=StartOptions(retention=HOUR))


@pytest.mark.parametrize("kind", FAILURES)
def test_large_payloads_go_with_their_run_wherever_the_sweeper_dies(kind: FaultKind) -> None:
    scenario = Scenario(
        begin=large_and_kept,
        workflows=MIXED,
        settings=lambda: Settings(limits=LIMITS, removes=True),
    )
    usual = scenario.play()
    assert nothing_is_left(usual)
    assert usual.counts["blobs.put"] > 0
    removal = {call.number for call in usual.calls if call.name in REMOVES}
    assert len(removal) == 4
    for number in removal:
        assert nothing_is_left(scenario.play(Planned({number: kind})))


def test_a_name_is_free_again_once_its_run_was_removed() -> None:
    world = SCENARIOS["is_removed"].play()
    assert world.store.reference("short_sleep", "name") is None
    other = Reference(workflow="short_sleep", reference_id="name", run_id="other")
    assert other.may_follow(None)
