"""What the entries of an audit say, and what their hashes are made of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everstep.core.audit import ENGINE, Action, AuditEntry, acceptance, seal
from everstep.core.circumstances import How, Origin, Parent
from everstep.core.model import ANY_INPUT, OpKind, OpRecord, OpStatus, Payload, RunStatus
from everstep.core.trail import began_at, birth, born, end, trail_of
from tests.unit.core.audits import Story, born_head, of_an_earlier_release
from tests.unit.core.builders import NOW, make_head


def test_an_entry_says_what_was_asked_by_whom_and_why() -> None:
    story = Story().asked()
    assert story.entries == [
        AuditEntry(
            number=1,
            at=NOW + 10,
            action=Action.PAUSED,
            who="ann",
            why="lunch",
            previous=seal(birth(story.head)),
            details={"run_id": "other"},
        )
    ]


def test_a_birth_says_who_made_the_run_and_how_and_with_what() -> None:
    head = born(make_head(), How.RETRY, "ann", "mended")
    entry = birth(head)
    assert (entry.number, entry.at, entry.action) == (0, NOW, Action.CREATED)
    assert (entry.who, entry.why, entry.previous) == ("ann", "mended", "")
    assert entry.details["how"] == "retry"
    assert entry.details["workflow"] == head.workflow
    assert head.trail is not None
    assert head.trail.link == seal(entry)


ALTERED = {
    "run": {"run_id": "other"},
    "workflow": {"workflow": "other"},
    "version": {"version": "other"},
    "input": {"input": Payload(text='"other"')},
    "time": {"created_at": 1},
    "beginning": {"starts_at": 1},
    "deadline": {"deadline": 1},
    "retention": {"retention": 1},
    "key": {"idempotency_key": "other"},
    "name": {"reference_id": "other"},
    "tags": {"tags": {"a": "b"}},
    "parent": {"parent": Parent(run_id="run", op="a#1")},
    "origin": {
        "origin": Origin(run_id="r", op="a#1", root="r", root_created_at=1, effects="r"),
    },
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED)
def test_whatever_a_run_was_accepted_with_is_in_the_hash_of_its_birth(
    change: dict[str, object],
) -> None:
    head = born_head()
    assert seal(birth(replace(head, **change))) != seal(birth(head))  # type: ignore[arg-type]


def test_an_input_has_one_digest_wherever_it_stands() -> None:
    head = replace(born_head(), input=Payload(text="{}", size=2))
    digest = birth(head).details["input"]
    for ref in (f"payloads/{digest}", f"runs/run-1/{digest}"):
        for text in (None, "{}"):
            moved = replace(head, input=Payload(ref=ref, text=text, size=2))
            assert birth(moved).details["input"] == digest


def test_an_end_says_what_the_run_came_to_and_who_ended_it() -> None:
    done = Story().ended()
    entry = end(done.head, "link")
    assert entry is not None
    assert (entry.number, entry.at, entry.action) == (1, NOW + 99, Action.COMPLETED)
    assert (entry.who, entry.why) == (ENGINE, None)
    assert entry.details.keys() == {"message", "started_at", "result"}
    cancelled = end(Story().ended(RunStatus.CANCELLED).head, "link")
    assert cancelled is not None
    assert (cancelled.action, cancelled.who, cancelled.why) == (Action.CANCELLED, "ann", "late")
    assert "error" in cancelled.details


def test_a_run_that_has_not_ended_has_no_end() -> None:
    assert end(born_head(), "link") is None
    assert end(make_head(), "link") is None
    ended = Story().ended().head
    assert end(replace(ended, status=RunStatus.RUNNING), "link") is None


def test_a_trail_holds_birth_and_end_where_they_belong() -> None:
    story = Story().asked(2).ended().noted()
    whole = trail_of(story.head, story.entries)
    assert [each.number for each in whole] == [0, 1, 2, 3, 4]
    assert [each.action for each in whole] == [
        *(Action.CREATED, Action.PAUSED, Action.PAUSED),
        *(Action.COMPLETED, Action.RETRIED),
    ]
    assert [each.previous for each in whole[1:]] == [seal(each) for each in whole[:-1]]


def test_a_run_that_is_ended_by_force_was_asked_for_that_first() -> None:
    story = Story().ended(RunStatus.CANCELLED, by_force=True)
    whole = trail_of(story.head, story.entries)
    assert [(each.number, each.action) for each in whole] == [
        (0, Action.CREATED),
        (1, Action.PAUSED),
        (2, Action.CANCELLED),
    ]
    assert [each.previous for each in whole[1:]] == [seal(each) for each in whole[:-1]]


def test_the_trail_of_a_run_of_an_earlier_release_begins_with_its_acceptance() -> None:
    story = of_an_earlier_release().asked()
    assert trail_of(story.head, story.entries) == [acceptance(story.head), *story.entries]


def test_entries_without_details_have_the_hash_that_they_had_before_there_were_any() -> None:
    entry = AuditEntry(number=1, at=5, action=Action.PAUSED, previous="ab", who="ann", why="lunch")
    assert seal(entry) == "f97aa2aaccb165dae9ca2653198f66e3c51a173f31de1147dc4b7705a6993ac3"
    assert seal(replace(entry, details={"run_id": "x"})) != seal(entry)


def test_the_hash_of_an_acceptance_is_the_same_whether_or_not_the_input_is_at_hand() -> None:
    recorded = replace(make_head(), input=Payload(ref="payloads/x", size=3))
    at_hand = replace(make_head(), input=Payload(ref="payloads/x", text="{}", size=3))
    assert acceptance(recorded) == acceptance(at_hand)


def record(at: int | None, asked_for: str = "hash") -> OpRecord:
    return OpRecord(
        key="a#1",
        kind=OpKind.STEP,
        status=OpStatus.DONE,
        by="token",
        input_hash=asked_for,
        started_at=at,
    )


def test_code_began_with_the_first_thing_that_it_recorded_itself() -> None:
    assert began_at([record(7), record(5), record(None), record(3, ANY_INPUT)]) == 5
    assert began_at([record(3, ANY_INPUT)]) is None
