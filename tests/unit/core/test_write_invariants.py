"""Each check of a write fails for the write that it is there for, and only then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from everstep.core.circumstances import Ending
from everstep.core.invariants import ViolationError, check_write
from everstep.core.model import Head, History, OpKind, OpStatus, Payload, RunStatus
from tests.unit.core.builders import NOW, SECOND, make_head, record

HEAD = replace(make_head(), due_at=NOW)
ENDED = replace(HEAD, status=RunStatus.COMPLETED, ended_at=NOW, due_at=None)
RETRY = record("a#1", OpStatus.RETRY, attempt=2, wake_at=NOW)
DONE = record("a#1", result=Payload(text="1"))
SLEPT = record("s#1", kind=OpKind.SLEEP, wake_at=NOW, ended_at=NOW, attempt=0)


def violated(before: History | None, after: History | None, now: int = NOW, skew: int = 0) -> str:
    try:
        check_write(before, after, now, skew)
    except ViolationError as error:
        return error.invariant
    return ""


def history(*records: Any, head: Any = HEAD) -> History:  # noqa: ANN401 - records
    return History(head=head, records={each.key: each for each in records})


@pytest.mark.parametrize(
    ("before", "after", "invariant"),
    [
        (None, history(), ""),
        (None, history(head=replace(HEAD, due_at=None)), "running_is_watched"),
        (history(), history(DONE), ""),
        (history(head=ENDED), history(head=replace(ENDED, ended_at=1)), "terminal_never_changes"),
        (history(), history(head=replace(HEAD, version="2")), "identity_never_changes"),
        (history(DONE), history(replace(DONE, result=None)), "result_never_changes"),
        (history(replace(DONE, due_at=1)), history(DONE), ""),
        (history(RETRY), history(), "result_never_changes"),
        (history(RETRY), history(replace(RETRY, by="other")), "attempts_only_grow"),
        (history(RETRY), history(replace(RETRY, due_at=5)), ""),
        (history(RETRY), history(replace(DONE, attempt=3)), ""),
        (history(RETRY), history(replace(DONE, attempt=4)), "no_attempt_is_left_out"),
        (history(), history(replace(DONE, attempt=2)), "no_attempt_is_left_out"),
        (history(head=ENDED), history(DONE, head=ENDED), "nothing_is_recorded_after_the_end"),
        (
            history(RETRY, head=ENDED),
            history(replace(RETRY, due_at=None), head=ENDED),
            "",
        ),
        (history(), history(SLEPT), ""),
        (history(), history(replace(SLEPT, ended_at=NOW - 1)), "sleep_never_ends_early"),
    ],
)
def test_a_write_breaks_just_what_it_breaks(
    before: History | None, after: History, invariant: str
) -> None:
    assert violated(before, after) == invariant


def test_a_sleep_may_end_early_by_as_much_as_clocks_differ() -> None:
    assert violated(history(), history(SLEPT), NOW - SECOND) == "sleep_never_ends_early"
    assert violated(history(), history(SLEPT), NOW - SECOND, skew=SECOND) == ""


LATER = replace(HEAD, starts_at=NOW + SECOND)
KEPT = replace(ENDED, retention=SECOND, due_at=NOW + SECOND)


@pytest.mark.parametrize(
    ("after", "now", "skew", "invariant"),
    [
        (history(head=LATER), NOW, 0, ""),
        (history(DONE, head=LATER), NOW, 0, "no_run_begins_early"),
        (history(DONE, head=LATER), NOW, SECOND, ""),
        (history(DONE, head=LATER), NOW + SECOND, 0, ""),
        (history(head=replace(ENDED, starts_at=NOW + 1)), NOW, 0, "no_run_begins_early"),
    ],
)
def test_nothing_is_recorded_of_a_run_before_its_beginning(
    after: History, now: int, skew: int, invariant: str
) -> None:
    assert violated(None, after, now, skew) == invariant


def test_a_run_that_is_to_end_before_its_beginning_may_record_what_becomes_of_it() -> None:
    ending = Ending(status=RunStatus.CANCELLED, at=NOW)
    assert violated(None, history(DONE, head=replace(LATER, ending=ending))) == ""


@pytest.mark.parametrize(
    ("head", "now", "skew", "invariant"),
    [
        (KEPT, NOW + SECOND, 0, ""),
        (KEPT, NOW + SECOND - 1, 1, ""),
        (KEPT, NOW + SECOND - 1, 0, "no_run_goes_early"),
        (ENDED, NOW + SECOND, 0, "no_run_goes_early"),
        (replace(HEAD, retention=1), NOW + SECOND, 0, "no_run_goes_early"),
    ],
)
def test_a_run_goes_when_its_retention_is_over_and_not_before(
    head: Head, now: int, skew: int, invariant: str
) -> None:
    assert violated(history(head=head), None, now, skew) == invariant


def test_the_records_of_a_run_may_go_before_its_head_but_not_before_their_time() -> None:
    before, after = history(DONE, head=KEPT), history(head=KEPT)
    assert violated(before, after, NOW + SECOND) == ""
    assert violated(before, after, NOW) == "result_never_changes"


def test_nothing_that_stays_nothing_is_no_write() -> None:
    assert violated(None, None) == ""
