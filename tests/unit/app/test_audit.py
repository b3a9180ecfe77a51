"""The audit of a run from its birth to its end and beyond, page by page, and what is done to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.store import MemoryStore
from everstep.app.audit import audit, began, verify_audit
from everstep.app.control import pause, resume
from everstep.app.engine import Limits
from everstep.app.fork import retry
from everstep.app.stall import stall
from everstep.core.audit import ENGINE, Action, Asked, following
from everstep.core.audit_check import Harm
from everstep.core.changes import RunNoted
from everstep.core.errors import RunNotFoundError, UnavailableError
from everstep.core.model import ErrorInfo, RunStatus
from everstep.core.transitions import RUN_NOTED
from tests.unit.app.definitions import failing, one_step, sizeable, two_steps
from tests.unit.app.world import MINUTE, NOW, InterruptedStore, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.core.audit import AuditEntry, Note
    from everstep.core.circumstances import Claim, Reference
    from everstep.core.model import Head

REASON = ErrorInfo(type="Boom", message="no")


def told(world: World, run_id: str) -> list[tuple[int, str, str | None]]:
    return [(each.number, each.action, each.who) for each in audit(world.engine, run_id)]


def test_a_run_tells_how_it_came_to_be_and_how_it_ended() -> None:
    world = World(one_step)
    run_id = world.start(value=1, who="ann").run_id
    world.run()
    assert told(world, run_id) == [(0, "created", "ann"), (1, "completed", ENGINE)]
    verdict = verify_audit(world.engine, run_id)
    assert (verdict.whole, verdict.proven, verdict.entries) == (True, True, 2)


def test_an_ordinary_run_leaves_no_entry_of_its_own() -> None:
    world = World(one_step)
    run_id = world.start(value=1).run_id
    world.run()
    assert list(world.store.audit(run_id)) == []


def test_a_stall_and_its_end_are_told() -> None:
    world = World(one_step)
    run_id = world.start(value=1).run_id
    assert stall(world.engine, run_id, REASON, by="token")
    assert stall(world.engine, run_id, REASON, by="token")
    assert not stall(world.engine, run_id, REASON, by="another")
    assert not stall(world.engine, "nobody", REASON, by="token")
    resume(world.engine, run_id, who="ann", why="mended")
    stalled, resumed = audit(world.engine, run_id)[1:]
    assert (stalled.action, stalled.who, stalled.why) == (Action.STALLED, ENGINE, "Boom: no")
    assert (resumed.action, resumed.who, resumed.why) == (Action.RESUMED, "ann", "mended")
    assert verify_audit(world.engine, run_id).whole


def test_a_stall_that_never_finds_room_between_others_is_tried_again_later() -> None:
    world = World(one_step)
    run_id = world.start(value=1).run_id

    def meanwhile() -> None:
        world.store.before_change.clear()
        pause(world.engine, run_id)
        resume(world.engine, run_id)
        world.store.before_change.append(meanwhile)

    world.store.before_change.append(meanwhile)
    with pytest.raises(UnavailableError, match="by many at the same time"):
        stall(world.engine, run_id, REASON, by="token")


def test_an_end_follows_what_was_asked_for_at_the_last_moment() -> None:
    world = World(one_step)
    run_id = world.start(value=1).run_id

    def meanwhile() -> None:
        pause(world.engine, run_id, who="ann")
        resume(world.engine, run_id, who="ann")

    world.store.before_change.append(meanwhile)
    world.run()
    assert told(world, run_id)[1:] == [
        (1, "paused", "ann"),
        (2, "resumed", "ann"),
        (3, "completed", ENGINE),
    ]
    assert verify_audit(world.engine, run_id).whole


def failed(world: World) -> str:
    run_id = world.start(failing.name).run_id
    world.run()
    assert world.status(run_id) is RunStatus.FAILED
    return run_id


def test_a_retry_is_told_on_both_runs() -> None:
    world = World(failing)
    run_id = failed(world)
    made = retry(world.engine, run_id, who="ann", why="mended")
    again = retry(world.engine, run_id)
    birth = audit(world.engine, made.run_id)[0]
    assert (birth.who, birth.why, birth.details["from"]) == ("ann", "mended", run_id)
    ended, *noted = audit(world.engine, run_id)[1:]
    assert ended.action is Action.FAILED
    assert [(each.who, each.details["run_id"]) for each in noted] == [
        ("ann", made.run_id),
        (None, again.run_id),
    ]
    for each in (run_id, made.run_id, again.run_id):
        assert verify_audit(world.engine, each).whole


class Crowded(InterruptedStore):
    """A store in which somebody else adds to the audit, for so many times, just before."""

    times = 0

    def create(
        self,
        head: Head,
        claim: Claim | None,
        note: Note | None = None,
        reference: Reference | None = None,
    ) -> Claim | Reference | Note | None:
        """Let somebody else be faster."""
        if note is not None and self.times:
            self.times -= 1
            old = self.head(note.run_id)
            assert old is not None
            asked = Asked(action=Action.RETRIED, who="bob")
            faster = following(old.generation, old.trail.link if old.trail else "", asked, 5)
            assert self.change(note.run_id, RunNoted(), RUN_NOTED, faster)
        return super().create(head, claim, note, reference)


@pytest.fixture
def crowded() -> tuple[World, Crowded]:
    store = Crowded()
    world = World(failing)
    world.store = store
    world.engine = replace(world.engine, runs=store, timers=store, lists=store)
    return world, store


def test_a_retry_is_told_after_what_others_have_added_meanwhile(
    crowded: tuple[World, Crowded],
) -> None:
    world, store = crowded
    run_id = failed(world)
    store.times = 2
    made = retry(world.engine, run_id, who="ann")
    assert [each.who for each in store.audit(run_id)] == ["bob", "bob", "ann"]
    assert verify_audit(world.engine, run_id).whole
    assert verify_audit(world.engine, made.run_id).whole


def test_a_retry_that_never_finds_room_between_others_makes_no_run(
    crowded: tuple[World, Crowded],
) -> None:
    world, store = crowded
    run_id = failed(world)
    store.times = 100
    with pytest.raises(UnavailableError, match="by many at the same time"):
        retry(world.engine, run_id)
    assert store.run_ids == [run_id]


def test_a_retry_of_a_run_that_is_removed_meanwhile_makes_no_run() -> None:
    world = World(failing)
    run_id = failed(world)
    world.engine = replace(world.engine, ids=Forgetting(world, run_id))
    with pytest.raises(RunNotFoundError):
        retry(world.engine, run_id)
    assert world.store.run_ids == []


class Forgetting(SequenceIds):
    """Ids, and a run that is gone when the last thing is drawn that a new one needs."""

    def __init__(self, world: World, run_id: str) -> None:
        super().__init__()
        self.world, self.gone = world, run_id

    def secret(self) -> str:
        """Remove the run."""
        self.world.forget(self.gone)
        return super().secret()


def test_an_audit_that_grows_all_the_time_is_read_again_later() -> None:
    world = World(two_steps)
    run_id = world.start(value=1).run_id
    engine = replace(world.engine, runs=Growing(world))
    with pytest.raises(UnavailableError, match="grows all the time"):
        audit(engine, run_id)


class Growing(MemoryStore):
    """A store in which somebody asks something whenever somebody reads the audit."""

    def __init__(self, world: World) -> None:
        self.world = world

    def head(self, run_id: str) -> Head | None:
        """Read the head."""
        return self.world.store.head(run_id)

    def audit(self, run_id: str, since: int = 1) -> Sequence[AuditEntry]:
        """Read, then let somebody ask."""
        found = self.world.store.audit(run_id, since)
        pause(self.world.engine, run_id)
        resume(self.world.engine, run_id)
        return found


def test_what_a_run_was_given_and_came_to_is_compared_with_what_is_in_the_bucket() -> None:
    world = World(sizeable, limits=Limits(inline=10))
    run_id = world.start(sizeable.name, 100).run_id
    world.run()
    assert verify_audit(world.engine, run_id).whole
    result = world.head(run_id).result
    assert result is not None
    assert result.ref is not None
    blobs = world.engine.blobs
    assert isinstance(blobs, MemoryBlobs)
    blobs._texts[result.ref] = "other"
    (altered,) = verify_audit(world.engine, run_id).breaks
    assert (altered.entry, altered.harm) == (1, Harm.EDITED)
    assert "its result was edited" in altered.detail


def test_when_code_began_is_known_from_its_first_operation_and_then_from_its_end() -> None:
    world = World(two_steps)
    run_id = world.start(value=1).run_id
    assert began(world.engine, run_id) is None
    world.advance(world.take())
    world.clock.set(NOW + MINUTE)
    world.advance(world.take())
    assert began(world.engine, run_id) == NOW + MINUTE
    world.clock.set(NOW + 2 * MINUTE)
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED
    assert began(world.engine, run_id) == NOW + MINUTE
    world.forget(run_id)
    with pytest.raises(RunNotFoundError):
        began(world.engine, run_id)
