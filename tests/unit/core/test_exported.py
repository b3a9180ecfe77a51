"""Histories as documents: they come back letter by letter, and what is none is told why."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everstep.core.circumstances import Origin
from everstep.core.codec import encode
from everstep.core.documents import HistoryFormatError
from everstep.core.durations import LAST_INSTANT
from everstep.core.exported import (
    FORMAT,
    document_text,
    export_history,
    in_order,
    parse_document,
    read_history,
)
from everstep.core.model import (
    ErrorInfo,
    Head,
    History,
    OpKind,
    OpRecord,
    OpStatus,
    Payload,
    RunStatus,
    Stall,
)
from tests.property.test_values import VALUES
from tests.unit.core.builders import MINUTE, NOW, make_head, record

TEXTS: Final = st.text(min_size=1)
INSTANTS: Final = st.integers(min_value=0, max_value=LAST_INSTANT)
PAYLOADS: Final = VALUES.map(lambda value: payload(encode(value)))
ERRORS: Final = st.builds(
    ErrorInfo,
    type=TEXTS,
    message=st.text(),
    operation=st.none() | TEXTS,
    trace=st.none() | st.text(),
)
RECORDED: Final = [
    status
    for status in RunStatus
    if status not in (RunStatus.PENDING, RunStatus.SLEEPING, RunStatus.WAITING)
]
HEADS: Final = st.builds(
    Head,
    run_id=TEXTS,
    workflow=TEXTS,
    version=TEXTS,
    status=st.sampled_from(RECORDED),
    input=PAYLOADS,
    created_at=INSTANTS,
    by=st.just(""),
    ended_at=st.none() | INSTANTS,
    result=st.none() | PAYLOADS,
    error=st.none() | ERRORS,
    successor=st.none() | TEXTS,
    stall=st.none() | st.builds(Stall, reason=ERRORS, at=INSTANTS),
    origin=st.none()
    | st.builds(
        Origin, run_id=TEXTS, op=st.text(), root=TEXTS, root_created_at=INSTANTS, effects=TEXTS
    ),
)
RECORDS: Final = st.builds(
    OpRecord,
    key=TEXTS,
    kind=st.sampled_from(OpKind),
    status=st.sampled_from(OpStatus),
    by=st.just(""),
    input_hash=st.text(),
    attempt=st.integers(min_value=0),
    started_at=st.none() | INSTANTS,
    ended_at=INSTANTS,
    wake_at=INSTANTS,
    result=st.none() | PAYLOADS,
    error=ERRORS,
    patches=st.lists(st.text(), max_size=2).map(tuple),
)
HISTORIES: Final = st.builds(
    History,
    head=HEADS,
    records=st.lists(RECORDS, max_size=3).map(lambda some: {each.key: each for each in some}),
)


def payload(text: str) -> Payload:
    return Payload(text=text, size=len(text.encode()))


def document() -> dict[str, Any]:
    """Return a small document that is right."""
    failed = record(
        "charge#1",
        OpStatus.FAILED,
        input_hash="amount=abc",
        error=ErrorInfo(type="ValueError", message="no", trace="shop:1 in charge"),
    )
    head = replace(
        make_head(given={"amount": 10}, status=RunStatus.STALLED),
        stall=Stall(reason=ErrorInfo(type="NonDeterminismError", message="other code"), at=NOW),
    )
    return export_history(History(head=head, records={failed.key: failed}))


@given(HISTORIES)
def test_a_history_comes_back_as_it_was_through_the_text_of_a_file(history: History) -> None:
    back = read_history(parse_document(document_text(export_history(history, history.records))))

    assert back == history
    assert list(back.records) == list(history.records)


def test_a_document_reads_like_the_run_that_it_tells() -> None:
    slept = record("wait#1", kind=OpKind.SLEEP, attempt=0, input_hash="for=1000", wake_at=NOW)
    done = replace(
        make_head(given={"amount": 10}, status=RunStatus.COMPLETED),
        ended_at=NOW + MINUTE,
        result=payload(encode((1, None))),
    )
    nothing = record("note#1", result=payload("null"))

    assert export_history(
        History(head=done, records={"wait#1": slept, "note#1": nothing}), ["note#1", "wait#1"]
    ) == {
        "format": "everstep-history/1",
        "run": {
            "id": "run-1",
            "workflow": "order",
            "version": "1",
            "status": "COMPLETED",
            "created_at": "2026-01-01T00:00:00.000Z",
            "ended_at": "2026-01-01T00:01:00.000Z",
            "input": {"amount": 10},
            "result": {"$tuple": [1, None]},
        },
        "operations": [
            {
                "key": "note#1",
                "kind": "step",
                "status": "DONE",
                "attempt": 1,
                "input_hash": "",
                "started_at": "2026-01-01T00:00:00.000Z",
                "ended_at": "2026-01-01T00:00:01.000Z",
                "result": None,
            },
            {
                "key": "wait#1",
                "kind": "sleep",
                "status": "DONE",
                "attempt": 0,
                "input_hash": "for=1000",
                "started_at": "2026-01-01T00:00:00.000Z",
                "ended_at": "2026-01-01T00:00:01.000Z",
                "wake_at": "2026-01-01T00:00:00.000Z",
            },
        ],
    }


def test_operations_whose_order_is_not_known_stand_by_time_after_the_others() -> None:
    records = [
        record("late#1", started_at=NOW + MINUTE),
        record("early#1", ended_at=NOW),
        record("later#1", ended_at=NOW + MINUTE),
        record("asked#1", started_at=NOW + MINUTE),
    ]
    history = History(head=make_head(), records={each.key: each for each in records})

    assert [each.key for each in in_order(history, ["asked#1"])] == [
        "asked#1",
        "early#1",
        "later#1",
        "late#1",
    ]


def test_places_in_the_code_can_be_left_out_since_every_edit_moves_them() -> None:
    history = read_history(document())

    assert document()["operations"][0]["error"]["trace"] == ["shop:1 in charge"]
    assert export_history(history, traces=False)["operations"][0]["error"] == {
        "type": "ValueError",
        "message": "no",
    }


def test_a_file_ends_with_a_line_end_and_keeps_every_letter() -> None:
    text = document_text({**document(), "format": "ä"})

    assert text.startswith('{\n  "format": "ä",\n')
    assert text.endswith("}\n")


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the document with one field changed; ``...`` takes it away."""
    whole: Any = document()
    *way, last = path.split(".")
    part = whole
    for name in way:
        part = part[int(name)] if isinstance(part, list) else part[name]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return dict(whole)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format", ..., "format is missing: this is no recorded history; export the run"),
        (
            "format",
            "everstep-history/2",
            (
                "format is 'everstep-history/2': this Everstep reads everstep-history/1; read it "
                "with the one that wrote it, or export the run again"
            ),
        ),
        ("format", 1, "format is 1, not 'everstep-history/1': this is no recorded history"),
        ("run", ..., "run is missing: export the run again"),
        ("run", [], "run is a list, not an object: export the run again"),
        ("operations", {}, "operations is an object, not a list: export the run again"),
        (
            "steps",
            [],
            "steps is no field of a recorded history: the fields there are format, run, operations",
        ),
        ("run.id", "", "run.id is empty: export the run again"),
        ("run.workflow", None, "run.workflow is null, not text: export the run again"),
        (
            "run.status",
            "SLEEPING",
            (
                "run.status is 'SLEEPING': it can be RUNNING, PAUSED, STALLED, COMPLETED, FAILED, "
                "CANCELLED, TIMED_OUT, CONTINUED"
            ),
        ),
        (
            "run.created_at",
            "2026-01-01",
            (
                "run.created_at is '2026-01-01', not a time with its zone: "
                "write it like 2026-01-31T12:00:00.000Z"
            ),
        ),
        ("run.created_at", "x" * 99, f"run.created_at is '{'x' * 99}', not a time with its zone"),
        ("run.stalled.at", ..., "run.stalled.at is missing: export the run again"),
        (
            "run.input",
            object,
            (
                "run.input cannot be recorded (Object of type type is not JSON serializable): "
                "export the run again"
            ),
        ),
        (
            "run.input",
            float("nan"),
            "run.input cannot be recorded (the value cannot be recorded: Out of range float values",
        ),
        ("run.input", "\ud800", "run.input cannot be recorded ('utf-8' codec can't encode"),
        ("operations.0", "charge#1", "operations[0] is 'charge#1', not an object"),
        ("operations.0", "charge#1" * 9, "operations[0] is a long text, not an object"),
        ("operations.0", object(), "operations[0] is of type object, not an object"),
        ("operations.0.attempt", True, "operations[0].attempt is true, not a whole number from 0"),
        ("operations.0.attempt", -1, "operations[0].attempt is -1, not a whole number from 0"),
        ("operations.0.kind", "dream", "operations[0].kind is 'dream': it can be step, sleep"),
        ("operations.0.kind", 1.5, "operations[0].kind is 1.5: it can be step, sleep"),
        (
            "operations.0.error",
            ...,
            "operations[0].error is missing, although the status is FAILED: export the run again",
        ),
        (
            "operations.0.error",
            None,
            "operations[0].error is null, not an object: export the run again",
        ),
        (
            "operations.0.error.trace",
            "shop:1",
            "operations[0].error.trace is 'shop:1', not a list: export the run again",
        ),
        (
            "operations.0.error.trace",
            [1],
            "operations[0].error.trace is no list of lines: export the run again",
        ),
        (
            "operations.0.patches",
            [1],
            "operations[0].patches is no list of texts: export the run again",
        ),
    ],
)
def test_what_is_no_history_is_refused_with_where_what_and_how_to_mend(
    path: str, value: object, message: str
) -> None:
    wrong = (
        changed(path, value) if path != "operations.0" else {**document(), "operations": [value]}
    )

    with pytest.raises(HistoryFormatError) as caught:
        read_history(wrong)
    assert str(caught.value).startswith(message)
    assert str(caught.value).startswith(caught.value.path)


def test_one_key_cannot_stand_for_two_operations() -> None:
    twice = document()
    twice["operations"] *= 2

    with pytest.raises(HistoryFormatError) as caught:
        read_history(twice)
    assert str(caught.value) == (
        "operations[1].key is 'charge#1' a second time: a key names one operation"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the document is not JSON (Expecting value: line 1 column 1 (char 0))"),
        ("[]", "the document is a list, not an object: export the run again"),
        (json.dumps("x"), "the document is 'x', not an object: export the run again"),
    ],
)
def test_a_file_that_holds_no_document_is_refused(text: str, message: str) -> None:
    with pytest.raises(HistoryFormatError) as caught:
        parse_document(text)
    assert str(caught.value).startswith(message)


def test_something_else_than_a_document_is_refused() -> None:
    with pytest.raises(HistoryFormatError, match=r"^the document is null, not an object"):
        read_history(None)


def test_the_format_has_its_version_in_its_name() -> None:
    assert document()["format"] == FORMAT == "everstep-history/1"


def test_a_wait_without_a_time_out_reads_back() -> None:
    waits = record("paid#1", OpStatus.WAITING, kind=OpKind.WAIT, attempt=0, by="", ended_at=None)
    history = History(head=make_head(), records={waits.key: waits})
    assert read_history(export_history(history)).records == {"paid#1": waits}
