"""What code has asked for by now, and what it leaves out when it ends."""

from __future__ import annotations

from dataclasses import replace

from everstep.core.ledger import Ledger
from everstep.core.model import OpKind, OpRecord, OpStatus
from everstep.core.spending import NOTHING, Spent


def ledger(*keys: str) -> Ledger:
    return Ledger(
        {
            key: OpRecord(
                key=key, kind=OpKind.STEP, status=OpStatus.DONE, by="b", input_hash="x", attempt=1
            )
            for key in keys
        }
    )


def test_code_that_ends_has_to_have_asked_for_what_is_recorded_in_its_scope_and_within() -> None:
    asked = ledger("add#1", "map#1/0/add#1", "map#1/0/race#1/1/add#1", "map#1/1/add#1")
    left = asked.leftover("map#1/0", None)
    assert left is not None
    assert left.keys == {"map#1/0/add#1", "map#1/0/race#1/1/add#1"}
    asked.claim("map#1/0/add#1")
    asked.claim("map#1/0/race#1/1/add#1")
    assert asked.leftover("map#1/0", None) is None
    everything = asked.leftover("", None)
    assert everything is not None
    assert everything.keys == {"add#1", "map#1/1/add#1"}


def test_to_ask_again_or_for_what_is_not_recorded_leaves_nothing_out() -> None:
    asked = ledger("map#1/0/add#1")
    asked.claim("map#1/0/add#1")
    asked.claim("map#1/0/add#1")
    asked.claim("map#1/0/add#2")
    assert asked.leftover("map#1/0", None) is None
    assert asked.leftover("", None) is None


def test_what_a_group_does_not_count_may_be_left_out_however_deep() -> None:
    asked = ledger("map#1/0/add#1", "map#1/1/race#1/0/add#1", "map#1/11/add#1", "other#1/0/add#1")
    asked.forget("map#1", ["map#1/0"])
    left = asked.leftover("", None)
    assert left is not None
    assert left.keys == {"map#1/0/add#1", "other#1/0/add#1"}
    assert asked.leftover("map#1/1", None) is None


def test_what_was_taken_is_added_up_once_and_then_record_by_record() -> None:
    asked = ledger("add#1", "add#2")
    assert asked.spent == NOTHING
    (record,) = [each for each in asked.records.values() if each.key == "add#1"]
    asked.add(replace(record, cost=Spent(requests=2).text), fresh=True)
    asked.add(replace(record, cost=Spent(requests=3).text), fresh=True)
    asked.add(replace(record, key="add#3", cost=Spent(writes=1).text), fresh=False)
    assert asked.spent == Spent(requests=3, writes=1)
    assert asked.spent == Spent(requests=3, writes=1)


def test_children_are_those_that_were_started_and_have_not_ended() -> None:
    asked = ledger()
    for number, interrupted in enumerate((False, False, True)):
        asked.note_child(f"child-{number}", OpKind.START, interrupted=interrupted)
    asked.note_child("child-0", OpKind.CHILD, interrupted=False)
    asked.note_child("child-1", OpKind.CANCEL, interrupted=False)
    assert asked.children == ("child-1",)
