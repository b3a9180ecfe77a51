"""``everstep runs logs`` over both transports: what is shown, chosen and followed."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.operating import TRANSPORTS, operated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.cli.operating import Operated

ACCEPTED = "shop version 1.1.0 was accepted"
COMPLETED = "the run is COMPLETED"


@pytest.fixture(params=TRANSPORTS)
def at(request: pytest.FixtureRequest) -> Iterator[Operated]:
    logger = logging.getLogger("everstep.workflow")
    before = logger.level
    logger.setLevel(logging.INFO)
    yield operated(request.param)
    logger.setLevel(before)


def test_lines_are_shown_with_time_level_and_where_they_come_from(at: Operated) -> None:
    seen = at.typed("runs", "logs", at.completed(), "--source", "system")
    assert (seen.code, seen.err) == (0, "")
    assert [each.rstrip() for each in seen.out.splitlines()] == [
        f"2026-01-01T00:00:00.000Z INFO     system: {ACCEPTED}",
        f"2026-01-01T00:01:00.000Z INFO     system: {COMPLETED}",
    ]


def test_lines_for_scripts_are_an_array_or_lines(at: Operated) -> None:
    run_id = at.completed()
    told = at.data("runs", "logs", run_id, "--source", "system")
    assert [each["message"] for each in told] == [ACCEPTED, COMPLETED]
    assert told[0]["at"] == "2026-01-01T00:00:00.000Z"
    lines = at.typed("runs", "logs", run_id, "--source", "system", "--json-lines").out.splitlines()
    assert [json.loads(each) for each in lines] == told


def test_a_run_is_followed_until_it_has_ended(at: Operated) -> None:
    seen = at.typed("runs", "logs", at.started(), "--follow", "--source", "system")
    assert (seen.code, seen.err) == (0, "")
    assert [each.partition("system: ")[2] for each in seen.out.splitlines()] == [
        ACCEPTED,
        COMPLETED,
    ]


def test_lines_are_chosen(at: Operated) -> None:
    run_id = at.completed()
    for chosen, messages in (
        (("--grep", "accepted"), [ACCEPTED]),
        (("--limit", "1", "--source", "system"), [ACCEPTED]),
        (("--since", "2026-01-01T00:00:30Z", "--source", "system"), [COMPLETED]),
        (("--until", "2026-01-01T00:00:30Z", "--source", "system"), [ACCEPTED]),
        (("--level", "error"), []),
        (("--step", "nothing"), []),
    ):
        told = at.data("runs", "logs", run_id, *chosen)
        assert [each["message"] for each in told] == messages, chosen


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--level", "loud"), "--level must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        (("--source", "x"), "--source must be one of workflow, step, engine, system, not 'x'"),
        (("--follow", "--json"), "what is followed has no end: give --json-lines"),
        (("--since", "x"), "--since must be an age such as"),
    ],
)
def test_what_makes_no_sense_is_refused(
    at: Operated, arguments: tuple[str, ...], says: str
) -> None:
    seen = at.typed("runs", "logs", at.started(), *arguments)
    assert (seen.code, seen.out) == (2, "")
    assert says in seen.err


def test_a_run_that_there_is_not_ends_with_3(at: Operated) -> None:
    assert at.typed("runs", "logs", "nothing").code == 3
