"""Values that are quick to make are frozen dataclasses in everything else."""

from __future__ import annotations

import copy
from dataclasses import FrozenInstanceError, field, fields, is_dataclass, replace
from typing import Any

import pytest

from everstep.core.model import OpKind, OpRecord, OpStatus, Payload
from everstep.core.values import frozen

RECORD = OpRecord(key="add#1", kind=OpKind.STEP, status=OpStatus.DONE, by="token", input_hash="x=1")


def test_a_value_has_its_fields_its_defaults_and_nothing_else() -> None:
    assert is_dataclass(RECORD)
    assert (RECORD.key, RECORD.attempt, RECORD.result) == ("add#1", 0, None)
    assert [each.name for each in fields(Payload)] == ["text", "ref", "size", "sealed"]
    assert not hasattr(RECORD, "__dict__")


def test_a_value_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        RECORD.attempt = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del RECORD.attempt


def test_values_are_equal_hashed_shown_and_copied_as_dataclasses_are() -> None:
    other = replace(RECORD, attempt=0)

    assert other == RECORD
    assert hash(other) == hash(RECORD)
    assert replace(RECORD, attempt=1) != RECORD
    assert repr(Payload(text="1", size=1)) == "Payload(text='1', ref=None, size=1, sealed=None)"
    assert copy.deepcopy(RECORD) == RECORD


def test_what_is_no_field_or_not_named_is_refused() -> None:
    made: Any = Payload
    with pytest.raises(TypeError, match=r"Payload.__init__\(\)"):
        made("1")
    with pytest.raises(TypeError, match="unexpected keyword argument 'texts'"):
        made(texts="1")
    with pytest.raises(TypeError, match="missing 5 required keyword-only arguments"):
        made = OpRecord()  # type: ignore[call-arg]


def test_a_default_that_is_made_anew_each_time_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Listed\.items cannot have a factory"):

        @frozen
        class Listed:
            items: list[int] = field(default_factory=list)
