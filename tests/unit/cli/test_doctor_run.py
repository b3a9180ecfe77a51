"""``everstep doctor RUN`` over both transports: what it says of a run, and what --fix does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from everstep.adapters.memory.queue import MemoryQueue
from everstep.client import Run
from everstep.core.durations import MINUTE
from tests.unit.cli.operating import TRANSPORTS, operated

if TYPE_CHECKING:
    from tests.unit.cli.operating import Operated


@pytest.fixture(params=TRANSPORTS)
def at(request: pytest.FixtureRequest) -> Operated:
    return operated(request.param)


def lost(at: Operated) -> str:
    """Return a run whose first message is lost, and the grace is over."""
    run_id = at.started()
    at.world.queue._kept.clear()
    at.world.clock.advance(8 * MINUTE)
    return run_id


def words(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_a_sleeping_run_needs_no_help(at: Operated) -> None:
    run_id = at.started()
    at.world.work()
    seen = at.typed("doctor", run_id)
    assert (seen.code, seen.err) == (0, "")
    assert words(seen.out) == [
        f"run {run_id}",
        "status SLEEPING",
        "why sleep#1 sleeps",
        "since 2026-01-01T00:00:00Z",
        "until 2026-01-01T00:01:00Z",
        "by itself the sweeper sends a recover message at about 2026-01-01T06:01:00Z",
        "",
        "operation kind state since until what",
        "sleep#1 sleep sleeping 2026-01-01T00:00:00Z 2026-01-01T00:01:00Z sleeps",
    ]


def test_a_lost_message_is_named_with_its_window_and_what_helps(at: Operated) -> None:
    seen = at.typed("doctor", lost(at))
    assert seen.code == 1
    lines = words(seen.out)
    assert "window between write and first send" in lines
    assert any(line.startswith("repair recover (--fix): send a message") for line in lines)


def test_for_scripts_it_is_the_diagnosis_as_an_object(at: Operated) -> None:
    seen = at.typed("doctor", lost(at), "--json")
    assert seen.code == 1
    told = at.client(at.world).handle("run-0-00000001").diagnose()
    assert (told.cause, told.repair, told.window) == (
        "starting",
        "recover",
        "between write and first send",
    )
    assert '"repair": "recover"' in seen.out


def test_the_repair_has_the_run_go_on_and_is_recorded(at: Operated) -> None:
    run_id = lost(at)
    seen = at.typed("doctor", run_id, "--fix", "--yes", "--reason", "ticket 7")
    assert (seen.code, seen.err) == (0, "")
    assert words(seen.out)[-2:] == ["recover: it helped", "now sleeping: sleep#1 sleeps"]
    (entry,) = at.world.engine.runs.audit(run_id)
    assert (entry.action, entry.who, entry.why) == ("recovered", "ada", "ticket 7")


def test_for_scripts_a_repair_says_what_was_before_and_after(at: Operated) -> None:
    run_id = lost(at)
    told = at.data("doctor", run_id, "--fix", "--yes")
    assert (told["done"], told["helped"]) == ("recover", True)
    assert (told["before"]["cause"], told["after"]["cause"]) == ("starting", "sleeping")
    (entry,) = at.world.engine.runs.audit(run_id)
    assert entry.why == "everstep doctor --fix"


def test_a_repair_that_has_not_helped_yet_says_so(
    at: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = lost(at)
    monkeypatch.setattr(MemoryQueue, "send", lambda *_: None)
    seen = at.typed("doctor", run_id, "--fix", "--yes")
    assert seen.code == 0
    assert "recover: it is under way, whether it helped shows soon: look again" in seen.out
    at.world.clock.advance(8 * MINUTE)
    assert at.data("doctor", run_id, "--fix", "--yes")["helped"] is None


def test_a_repair_that_does_not_help_ends_with_1(
    at: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = lost(at)
    monkeypatch.setattr(Run, "repair", lambda *_, **__: "recover")
    seen = at.typed("doctor", run_id, "--fix", "--yes")
    assert seen.code == 1
    assert "recover: it has not helped" in seen.out


def test_a_run_that_has_moved_meanwhile_is_not_repaired(
    at: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = lost(at)
    monkeypatch.setattr(Run, "repair", lambda *_, **__: None)
    seen = at.typed("doctor", run_id, "--fix", "--yes")
    assert "nothing was done: it has moved meanwhile" in seen.out


def test_nobody_who_could_be_asked_is_no_yes(at: Operated) -> None:
    run_id = lost(at)
    seen = at.typed("doctor", run_id, "--fix")
    assert seen.code == 2
    assert "--yes does it without" in seen.err
    assert at.world.engine.runs.audit(run_id) == []


@pytest.mark.parametrize(("answer", "code", "repaired"), [("y\n", 0, 1), ("n\n", 1, 0)])
def test_somebody_is_asked_before_anything_is_done(
    at: Operated, answer: str, code: int, repaired: int
) -> None:
    run_id = lost(at)
    seen = at.typed("doctor", run_id, "--fix", stdin=answer, ask=True)
    assert seen.code == code
    assert "this will send a message that takes over" in seen.err
    assert len(at.world.engine.runs.audit(run_id)) == repaired


def test_what_is_well_is_not_repaired(at: Operated) -> None:
    seen = at.typed("doctor", at.completed(), "--fix", "--yes")
    assert (seen.code, words(seen.out)[-1]) == (0, "there is nothing to repair")


def test_a_stalled_run_is_resumed(at: Operated) -> None:
    run_id = at.world.stalled()
    seen = at.typed("doctor", run_id, "--fix", "--yes")
    assert seen.code == 0
    assert "resume: it helped" in seen.out
    assert at.data("runs", "result", run_id)["status"] == "COMPLETED"


def test_a_paused_run_says_by_whom_and_is_left_alone(at: Operated) -> None:
    run_id = at.started()
    at.typed("runs", "pause", run_id, "--reason", "look")
    seen = at.typed("doctor", run_id, "--fix", "--yes")
    assert "why it was paused by ada (look)" in words(seen.out)
    assert words(seen.out)[-1] == "there is nothing to repair"
    assert at.data("runs", "inspect", run_id)["status"] == "PAUSED"


def test_a_run_that_there_is_not_ends_with_3(at: Operated) -> None:
    for arguments in ((), ("--fix", "--yes")):
        assert at.typed("doctor", "nothing", *arguments).code == 3


def test_a_run_and_a_check_of_all_are_two_things(at: Operated) -> None:
    assert at.typed("doctor", "run-1", "--check").code == 2
