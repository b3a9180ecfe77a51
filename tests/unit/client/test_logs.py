"""What a run has said is read and followed, whichever way the deployment is reached."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from everstep.client.answers import LogLine, LogPage
from everstep.client.run_logs import follow
from everstep.core.errors import InvalidRequestError
from tests.unit.http.world import ORDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep import Client

TIME = datetime(2026, 1, 1, tzinfo=UTC)


def line(number: int) -> LogLine:
    return LogLine(
        id=str(number), at=TIME, level="INFO", source="step", logger="x", message=str(number)
    )


def test_lines_are_read_with_filters_and_in_pages(client: Client) -> None:
    run = client.start("shop", ORDER)
    run.result()
    page = run.logs(source="system", limit=1, since=TIME, level="info")
    assert [each.message for each in page.lines] == ["shop version 1.1.0 was accepted"]
    assert page.lines[0].at.tzinfo is not None
    rest = run.logs(source="system", after=page.next)
    assert [each.message for each in rest.lines] == ["the run is COMPLETED"]
    assert (rest.next, rest.follow) == (None, None)
    assert not run.logs(until=TIME).lines


def test_a_run_is_followed_until_it_has_ended(client: Client) -> None:
    logging.getLogger("everstep.workflow").setLevel(logging.INFO)
    run = client.start("shop", ORDER)
    said = [each.message for each in run.follow_logs(source="system")]
    assert said == ["shop version 1.1.0 was accepted", "the run is COMPLETED"]


@pytest.mark.parametrize(
    ("which", "said"),
    [
        ({"source": "nobody"}, "source must be 'workflow'"),
        ({"level": "loud"}, "level must be 'DEBUG'"),
        ({"after": "?"}, "after must be"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(
    client: Client, which: dict[str, Any], said: str
) -> None:
    run = client.start("shop", ORDER)
    with pytest.raises(InvalidRequestError, match=said):
        run.logs(**which)


def test_a_filter_that_there_is_not_is_named(client: Client) -> None:
    run = client.start("shop", ORDER)
    with pytest.raises(TypeError, match="there is no filter 'colour'"):
        run.logs(colour="red")  # type: ignore[call-arg]


def test_what_comes_again_is_shown_once_and_pages_are_asked_for_at_once() -> None:
    pages = [
        LogPage(lines=(line(1), line(2)), next="2", follow="0"),
        LogPage(lines=(line(3),), next=None, follow="1"),
        LogPage(lines=(line(2), line(3), line(4)), next=None, follow=None),
    ]
    asked: list[Mapping[str, Any]] = []
    slept: list[float] = []

    def ask(more: Mapping[str, Any]) -> LogPage:
        asked.append(more)
        return pages[len(asked) - 1]

    assert [each.id for each in follow(ask, slept.append)] == ["1", "2", "3", "4"]
    assert asked == [{}, {"after": "2"}, {"after": "1"}]
    assert slept == [1.0]
