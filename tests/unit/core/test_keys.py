"""The grammar of operation keys."""

import pytest

from everstep.core.errors import DefinitionError
from everstep.core.keys import (
    check_name,
    groups_of,
    keys_after,
    name_of,
    operation_key,
    scope_of,
    scopes_of,
)


@pytest.mark.parametrize("name", ["a", "charge card", "ü-1.2:x", "x" * 200])
def test_a_readable_name_is_accepted(name: str) -> None:
    assert check_name(name, "it") == name


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("", "it must be a non-empty text, not ''"),
        (None, "it must be a non-empty text, not None"),
        (1, "it must be a non-empty text, not 1"),
        ("a/b", "it 'a/b' may not contain '/', '#' or control characters"),
        ("a#1", "may not contain"),
        ("a\nb", "may not contain"),
        ("\ud800", "may not contain"),
        ("x" * 201, r"it 'x+'… has 201 characters, at most 200 are allowed"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_name_that_cannot_stand_in_a_key_is_refused(name: object, complaint: str) -> None:
    with pytest.raises(DefinitionError, match=complaint):
        check_name(name, "it")


@pytest.mark.parametrize(("scope", "key"), [("", "email#2"), ("notify#1/2", "notify#1/2/email#2")])
def test_a_key_is_scope_name_and_occurrence(scope: str, key: str) -> None:
    assert operation_key(scope, "email", 2) == key
    assert scope_of(key) == scope
    assert name_of(key) == "email"


def test_a_branch_is_of_its_group_and_of_every_group_around_it() -> None:
    assert list(groups_of("gather#1/0/map#2/15")) == ["gather#1/0/map#2", "gather#1"]
    assert not list(groups_of(""))


def test_a_key_lies_in_its_scope_and_in_every_scope_around_it() -> None:
    assert list(scopes_of("email#2")) == [""]
    assert list(scopes_of("gather#1/0/map#2/15/email#1")) == [
        "gather#1/0/map#2/15",
        "gather#1/0",
        "",
    ]


@pytest.mark.parametrize(
    ("key", "last", "after"),
    [
        ("a#1", "a#3", ("a#2", "a#3")),
        ("a#9", "a#10", ("a#10",)),
        ("g#1/0/a#1", "g#1/0/a#2", ("g#1/0/a#2",)),
        ("a#1", "a#4", None),
        ("a#3", "a#3", ()),
        ("a#3", "a#1", ()),
        ("a#1", "b#2", ()),
        ("a#1", "g#1/0/a#2", ()),
    ],
)
def test_keys_of_one_name_come_after_one_another(
    key: str, last: str, after: tuple[str, ...] | None
) -> None:
    assert keys_after(key, last, 2) == after
