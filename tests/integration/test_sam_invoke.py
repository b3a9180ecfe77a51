"""Every function answers its recorded events as it was built: in containers, and without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.record_events import EVENTS, FUNCTIONS, record
from tools.sam.engine import why_not
from tools.sam_invoke import How, invoke_all
from tools.scrubbing import text_of

if TYPE_CHECKING:
    from pathlib import Path

    from everstep_localstack import LocalStack


@pytest.mark.sam
@pytest.mark.timeout(300)
def test_every_built_function_answers_without_containers(
    localstack_server: LocalStack, tmp_path: Path
) -> None:
    done = invoke_all(localstack_server, How.EMULATOR, tmp_path, print)
    assert {each.function for each in done} == set(FUNCTIONS.values())


@pytest.mark.sam
@pytest.mark.timeout(900)
def test_every_built_function_answers_in_a_container(
    localstack_server: LocalStack, tmp_path: Path
) -> None:
    reason = why_not()
    if reason is not None:
        pytest.skip(f"no container engine: {reason}")
    done = invoke_all(localstack_server, How.CONTAINERS, tmp_path, print, once=True)
    assert {each.function for each in done} == set(FUNCTIONS.values())


@pytest.mark.timeout(300)
def test_the_recorded_events_are_what_functions_are_invoked_with(
    localstack_server: LocalStack, tmp_path: Path
) -> None:
    # The sweeper's event takes minutes to come: see `make record-events`.
    try:
        events = record(localstack_server, tmp_path, print, sweeper=False)
    finally:
        localstack_server.teardown("everstep")
    kept = {path.stem: path.read_text(encoding="utf-8") for path in EVENTS.glob("*.json")}
    assert {name: text_of(event) for name, event in events.items()} == {
        name: text for name, text in kept.items() if name != "sweeper"
    }
