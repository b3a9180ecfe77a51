"""A message that belongs to no run is kept once, as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.adapters.memory.dead_letters import DeadLetter

if TYPE_CHECKING:
    from tests.contract.backends import Backend


def test_a_message_is_kept_with_its_reason(backend: Backend, run_id: str) -> None:
    backend.dead_letters.keep(run_id, '{"ü', "no JSON", 5)
    assert backend.dead_letter(run_id) == DeadLetter(
        message_id=run_id, body='{"ü', reason="no JSON", at=5
    )


def test_keeping_a_message_again_changes_nothing(backend: Backend, run_id: str) -> None:
    backend.dead_letters.keep(run_id, "body", "first", 5)
    backend.dead_letters.keep(run_id, "body", "second", 6)
    assert backend.dead_letter(run_id) == DeadLetter(
        message_id=run_id, body="body", reason="first", at=5
    )


def test_an_empty_body_is_kept(backend: Backend, run_id: str) -> None:
    backend.dead_letters.keep(run_id, "", "", 0)
    assert backend.dead_letter(run_id) == DeadLetter(message_id=run_id, body="", reason="", at=0)
