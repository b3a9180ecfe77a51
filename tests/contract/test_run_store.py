"""Runs are created once, read back whole, and belong to whoever claimed their key first."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import pytest

from everstep.adapters.errors import RunIdTakenError
from everstep.core.keys import span_of
from everstep.core.model import History, Payload
from tests.contract.builders import (
    ALWAYS,
    ALWAYS_HEAD,
    CHANGES,
    make_claim,
    make_full_head,
    make_full_record,
    make_head,
    make_record,
)

if TYPE_CHECKING:
    from everstep.core.model import Head, OpRecord
    from tests.contract.backends import Backend

UNICODE = "ünïcödé \u0000 \U0001f980 \u2028 \uffff"


def test_a_run_that_nobody_created_is_not_there(backend: Backend, run_id: str) -> None:
    assert backend.runs.load(run_id) is None
    assert backend.runs.head(run_id) is None


def test_records_without_a_head_are_no_run(backend: Backend, run_id: str) -> None:
    assert backend.runs.put(run_id, make_record(), ALWAYS)
    assert backend.runs.load(run_id) is None


def test_a_created_run_reads_back_as_it_was_given(backend: Backend, run_id: str) -> None:
    head = make_full_head(run_id)
    assert backend.runs.create(head, None) is None
    assert backend.runs.head(run_id) == head
    assert backend.runs.load(run_id) == History(head=head, records={})


def test_an_origin_and_an_ending_read_back_without_what_may_be_missing(
    backend: Backend, run_id: str
) -> None:
    full = make_full_head(run_id)
    assert full.ending is not None
    assert full.origin is not None
    head = replace(
        full,
        ending=replace(full.ending, who=None, why=None),
        origin=replace(full.origin, effects="another"),
    )
    assert backend.runs.create(head, None) is None
    assert backend.runs.head(run_id) == head


def test_a_record_with_every_field_reads_back(backend: Backend, run_id: str) -> None:
    head, record = make_head(run_id), make_full_record("call#1")
    backend.runs.create(head, None)
    assert backend.runs.put(run_id, record, ALWAYS)
    assert backend.runs.load(run_id) == History(head=head, records={"call#1": record})


@pytest.mark.parametrize("full", [make_full_head("run"), make_full_record("call#1")])
def test_no_field_is_left_out_of_these_tests(full: Head | OpRecord) -> None:
    unset = [
        each.name
        for each in fields(full)
        if getattr(full, each.name) in (None, "", 0) or getattr(full, each.name) == {}
    ]
    assert unset == []


def test_a_history_has_every_record_and_no_other_run_s(backend: Backend, run_id: str) -> None:
    head = make_head(run_id)
    backend.runs.create(head, None)
    backend.runs.put(f"{run_id}0", make_record("other#1"), ALWAYS)
    keys = ["a#1", "b#10", "b#2", "a#1/2/c#1"]
    written = {key: make_record(key) for key in keys}
    for record in written.values():
        assert backend.runs.put(run_id, record, ALWAYS)
    assert backend.runs.load(run_id) == History(head=head, records=written)


def test_a_peek_shows_the_head_and_some_records_as_they_are_now(
    backend: Backend, run_id: str
) -> None:
    head, record = make_full_head(run_id), make_full_record("a#1/2/call#1")
    backend.runs.create(head, None)
    backend.runs.put(run_id, make_record("other#1"), ALWAYS)
    assert backend.runs.peek(run_id, [record.key]) == (head, {})
    backend.runs.put(run_id, record, ALWAYS)
    assert backend.runs.peek(run_id, [record.key, "a#1"]) == (head, {record.key: record})
    backend.runs.change(run_id, CHANGES["paused"], ALWAYS_HEAD)
    seen, _ = backend.runs.peek(run_id, [record.key])
    assert seen == backend.runs.head(run_id)
    assert seen != head


def test_a_record_is_shown_as_it_is_now(backend: Backend, run_id: str) -> None:
    backend.runs.create(make_full_head(run_id), None)
    record = make_full_record("a#1/2/call#1")
    assert backend.runs.record(run_id, record.key) is None
    backend.runs.put(run_id, record, ALWAYS)
    assert backend.runs.record(run_id, record.key) == record
    assert backend.runs.record(run_id, "other#1") is None


def test_a_peek_at_a_run_that_is_not_there_shows_what_is(backend: Backend, run_id: str) -> None:
    assert backend.runs.peek(run_id, ["call#1"]) == (None, {})
    record = make_record("call#1")
    backend.runs.put(run_id, record, ALWAYS)
    assert backend.runs.peek(run_id, ["call#1"]) == (None, {"call#1": record})


def test_the_records_within_a_branch_are_shown_and_no_others(backend: Backend, run_id: str) -> None:
    backend.runs.create(make_head(run_id), None)
    within = ["a#1/1/b#1", "a#1/1/b#1/0/c#1", "a#1/1/b#2"]
    for key in (*within, "a#1", "a#1/10/b#1", "a#1/0/b#1", "b#1"):
        backend.runs.put(run_id, make_record(key), ALWAYS)
    backend.runs.put(f"{run_id}0", make_record("a#1/1/d#1"), ALWAYS)
    records, span = [make_record(key) for key in within], span_of("a#1/1")
    assert backend.runs.between(run_id, *span, 4) == (records, False)
    assert backend.runs.between(run_id, *span, 2) == (records[:2], True)
    assert backend.runs.between(run_id, *span_of("a#1/2"), 2) == ([], False)


def test_a_stretch_of_records_is_shown_in_the_order_of_keys(backend: Backend, run_id: str) -> None:
    backend.runs.create(make_head(run_id), None)
    for key in ("a#1/9/b#1", "a#1/2/b#1", "a#1/10/b#1", "a#1", "a#10", "a#1/1/b#1"):
        backend.runs.put(run_id, make_record(key), ALWAYS)
    stretch = "a#1/10/", span_of("a#1")[1]
    in_order = [make_record(f"a#1/{index}/b#1") for index in (10, 2, 9)]
    assert backend.runs.between(run_id, *stretch, 9) == (in_order, False)
    assert backend.runs.between(run_id, *stretch, 2) == (in_order[:2], True)


def test_a_loaded_history_does_not_change_afterwards(backend: Backend, run_id: str) -> None:
    backend.runs.create(make_head(run_id), None)
    before = backend.runs.load(run_id)
    backend.runs.put(run_id, make_record(), ALWAYS)
    assert before == History(head=make_head(run_id), records={})


def test_texts_of_any_script_and_size_read_back(backend: Backend, run_id: str) -> None:
    head = replace(
        make_head(run_id), workflow="wörkflow", input=Payload(text=UNICODE), idempotency_key=UNICODE
    )
    record = replace(make_record("schön#1"), result=Payload(text=UNICODE * 10_000, size=1))
    assert backend.runs.create(head, make_claim(head, f"{run_id}{UNICODE}")) is None
    assert backend.runs.put(run_id, record, ALWAYS)
    assert backend.runs.load(run_id) == History(head=head, records={record.key: record})


def test_a_history_of_several_megabytes_is_read_whole(backend: Backend, run_id: str) -> None:
    head = make_head(run_id)
    backend.runs.create(head, None)
    large = Payload(text="x" * 250_000, size=250_000)
    written = {f"a#{n}": replace(make_record(f"a#{n}"), result=large) for n in range(1, 11)}
    for record in written.values():
        backend.runs.put(run_id, record, ALWAYS)
    assert backend.runs.load(run_id) == History(head=head, records=written)


def test_creating_a_run_again_changes_nothing(backend: Backend, run_id: str) -> None:
    head = make_head(run_id)
    assert backend.runs.create(head, None) is None
    assert backend.runs.create(head, None) is None
    assert backend.runs.head(run_id) == head


def test_creating_a_claimed_run_again_changes_nothing(backend: Backend, run_id: str) -> None:
    head = make_head(run_id)
    claim = make_claim(head, run_id)
    assert backend.runs.create(head, claim) is None
    assert backend.runs.create(head, claim) is None
    assert backend.runs.head(run_id) == head


def test_the_second_claim_of_a_key_gets_the_first_and_writes_no_run(
    backend: Backend, run_id: str
) -> None:
    first, second = make_head(f"{run_id}-1"), make_head(f"{run_id}-2")
    claim = make_claim(first, run_id)
    assert backend.runs.create(first, claim) is None
    assert backend.runs.create(second, make_claim(second, run_id)) == claim
    assert backend.runs.head(second.run_id) is None


def test_the_same_key_may_be_claimed_for_each_workflow(
    backend: Backend, run_id: str, workflow: str
) -> None:
    first, second = make_head(f"{run_id}-1"), make_head(f"{run_id}-2", workflow)
    assert backend.runs.create(first, make_claim(first, run_id)) is None
    assert backend.runs.create(second, make_claim(second, run_id)) is None


def test_keys_that_look_like_parts_of_other_keys_do_not_meet(
    backend: Backend, run_id: str, workflow: str
) -> None:
    keys = ["", "#", "-", "a#b", "a/b", f"#{workflow}#a"]
    for n, key in enumerate(keys):
        head = make_head(f"{run_id}-{n}", workflow)
        assert backend.runs.create(head, make_claim(head, key)) is None


@pytest.mark.parametrize("claimed", [False, True])
def test_another_run_with_the_same_id_is_refused_and_changes_nothing(
    backend: Backend, run_id: str, *, claimed: bool
) -> None:
    head = make_head(run_id)
    other = replace(head, by="somebody else", version="v2")
    backend.runs.create(head, None)
    with pytest.raises(RunIdTakenError, match=run_id):
        backend.runs.create(other, make_claim(other, run_id) if claimed else None)
    assert backend.runs.head(run_id) == head


def test_a_record_of_a_call_without_arguments_reads_back(backend: Backend, run_id: str) -> None:
    record = replace(make_record(), input_hash="")
    backend.runs.create(make_head(run_id), None)
    assert backend.runs.put(run_id, record, ALWAYS)
    assert backend.runs.load(run_id) == History(
        head=make_head(run_id), records={"charge#1": record}
    )
