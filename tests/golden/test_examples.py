"""Runs of the example workflows, recorded once: they replay on today's code, and read as ever.

The files guard the format, too: what was written by an older Everstep must stay readable. To record
them anew, after a change that is meant: ``EVERSTEP_UPDATE_GOLDEN=1 pytest tests/golden``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic import HttpUrl

from everstep.core.exported import document_text, export_history, read_history
from everstep.testing import TestEngine
from everstep.testing.determinism import assert_deterministic
from everstep.testing.replaying import assert_replays, golden
from workflows.http_pipeline import Item, Pipeline, Report, http_pipeline
from workflows.order import Currency, Line, Order, order
from workflows.welcome_email import NewUser, welcome_email

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep import Workflow
    from everstep.testing import TestRun

FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One run: the workflow, its input, and what happens outside while it runs."""

    workflow: Workflow[Any, Any]
    input: object
    script: Callable[[TestEngine, TestRun[Any]], object] | None = None

    def record(self, until: timedelta = timedelta(days=4)) -> TestRun[Any]:
        """Run the workflow for some time."""
        engine = TestEngine([self.workflow])
        run = engine.start(self.workflow, self.input)
        if self.script is not None:
            self.script(engine, run)
        engine.advance(until)
        return run


def without_a_server(engine: TestEngine, _run: TestRun[Any]) -> None:
    """Let the steps of the pipeline answer as a server would let them."""
    engine.mock("extract", returns=[Item(name="tea", amount=3), Item(name="cups", amount=8)])
    engine.mock("transform", returns=Report(items=2, total=11, largest="cups"))
    engine.mock("load", returns="receipt for /reports")


def an_order(gateway_busy: int) -> Order:
    lines = [
        Line(sku="tea", quantity=2, price=Decimal("4.50")),
        Line(sku="cup", quantity=1, price=Decimal("12.00")),
    ]
    return Order(id="o-1", currency=Currency.EUR, lines=lines, gateway_busy=gateway_busy)


EXAMPLES: Final = {
    "welcome-email": Example(
        workflow=welcome_email, input=NewUser(name="Ada", email="ada@example.com")
    ),
    "order-paid": Example(workflow=order, input=an_order(2)),
    "order-declined": Example(workflow=order, input=an_order(9)),
    "http-pipeline": Example(
        workflow=http_pipeline,
        input=Pipeline(
            source=HttpUrl("https://example.com/items"),
            target=HttpUrl("https://example.com/reports"),
        ),
        script=without_a_server,
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_recorded_example_replays_to_its_end_on_today_s_code(name: str) -> None:
    example = EXAMPLES[name]
    document = golden(FOLDER / f"{name}.json", example.record)

    assert document["run"]["status"] == "COMPLETED"
    assert assert_replays(document, [example.workflow]).notes == ()


def test_a_recorded_example_in_the_middle_of_its_sleep_can_go_on() -> None:
    example = EXAMPLES["welcome-email"]
    document = golden(
        FOLDER / "welcome-email-asleep.json", lambda: example.record(timedelta(days=1))
    )

    assert document["run"]["status"] == "RUNNING"
    assert assert_replays(document, [welcome_email]).notes == (
        "it waits for the sleep settle-in#1 (WAITING)",
    )


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_a_recorded_file_reads_and_writes_the_same_bytes(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    history = read_history(json.loads(text))

    assert document_text(export_history(history, history.records)) == text


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_does_the_same_in_every_replay(name: str) -> None:
    example = EXAMPLES[name]

    report = assert_deterministic(
        example.workflow, example.input, script=example.script, processes=1
    )
    assert report.processes == 1
    assert report.notes == ()
