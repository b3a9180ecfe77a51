"""``everstep runs audit``, over both transports: who did what, and whether that is all of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.operating import TRANSPORTS, operated

if TYPE_CHECKING:
    from tests.unit.cli.operating import Operated


@pytest.fixture(params=TRANSPORTS)
def at(request: pytest.FixtureRequest) -> Operated:
    return operated(request.param)


def paused_and_done(at: Operated) -> str:
    run_id = at.started()
    at.typed("runs", "pause", run_id, "--reason", "lunch")
    at.typed("runs", "resume", run_id)
    at.world.work()
    at.world.advance(60)
    return run_id


def test_an_audit_tells_who_did_what_and_why_from_birth_to_end(at: Operated) -> None:
    run_id = paused_and_done(at)
    seen = at.typed("runs", "audit", run_id)
    assert (seen.code, seen.err) == (0, "")
    rows = [each.split() for each in seen.out.splitlines()]
    assert rows[0] == ["number", "at", "action", "by", "reason", "details"]
    told = [each["action"] for each in at.data("runs", "audit", run_id)["audit"]]
    assert sorted(told) == ["completed", "created", "paused", "resumed", "started"]
    assert "lunch" in seen.out
    assert "how=trigger" in seen.out


def test_a_whole_audit_is_proven_by_its_last_hash(at: Operated) -> None:
    run_id = paused_and_done(at)
    seen = at.typed("runs", "audit", run_id, "--verify")
    data = at.data("runs", "audit", run_id, "--verify")
    assert data["verified"]["whole"]
    assert seen.code == 0
    assert f"whole: 4 entries, the last {data['audit'][-1]['hash']}" in seen.out


def test_an_audit_that_was_tampered_with_fails_and_names_what_was_done(at: Operated) -> None:
    run_id = paused_and_done(at)
    paused, resumed = at.world.store.audit(run_id)
    at.world.store._audit[run_id] = (replace(paused, who="mallory"), resumed)
    seen = at.typed("runs", "audit", run_id, "--verify")
    assert seen.code == 1
    assert "edited: entry 1 was edited" in seen.out
    at.world.store._audit[run_id] = (paused,)
    assert "removed: entry 2 was removed" in at.typed("runs", "audit", run_id, "--verify").out


def test_what_an_earlier_release_began_is_said_to_be_not_proven(at: Operated) -> None:
    run_id = at.started()
    head = at.world.store.head(run_id)
    assert head is not None
    at.world.store._heads[run_id] = replace(head, trail=None)
    seen = at.typed("runs", "audit", run_id, "--verify")
    assert seen.code == 0
    assert "An earlier release began this run" in seen.out


def test_a_run_that_is_not_there_has_no_audit(at: Operated) -> None:
    assert at.typed("runs", "audit", "nobody").code == 3
