"""A key is kept as it is, changed by one at a time, and its calls are counted."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep.core.access import Scope
from everstep.core.api_keys import ApiKey, Former

if TYPE_CHECKING:
    from tests.contract.backends import Backend


def a_key() -> ApiKey:
    return ApiKey(
        key_id=uuid.uuid4().hex[:12],
        name="ci",
        scopes=frozenset({Scope.READ, Scope.TRIGGER}),
        workflows=frozenset(),
        hash="hash",
        created_at=1_000,
    )


def a_full_key() -> ApiKey:
    return replace(
        a_key(),
        workflows=frozenset({"order", "refund"}),
        expires_at=9_000,
        revoked_at=8_000,
        rate=100,
        last_used_at=2_000,
        former=Former(hash="old", until=5_000),
        revision=7,
    )


@pytest.mark.parametrize("key", [a_key(), a_full_key()], ids=["least", "most"])
def test_a_key_comes_back_as_it_was(backend: Backend, key: ApiKey) -> None:
    key = replace(key, key_id=uuid.uuid4().hex[:12])
    assert backend.api_keys.add(key)
    assert backend.api_keys.get(key.key_id) == key
    assert key in backend.api_keys.every()


def test_there_is_no_key_that_nobody_made(backend: Backend) -> None:
    assert backend.api_keys.get(uuid.uuid4().hex[:12]) is None


def test_an_id_belongs_to_the_first_key_that_has_it(backend: Backend) -> None:
    key = a_key()
    assert backend.api_keys.add(key)
    assert not backend.api_keys.add(replace(key, name="another"))
    assert backend.api_keys.get(key.key_id) == key


def test_a_key_takes_the_place_of_its_revision_before(backend: Backend) -> None:
    key = a_full_key()
    backend.api_keys.add(key)
    bare = replace(
        key, expires_at=None, revoked_at=None, former=None, hash="new", revision=key.revision + 1
    )
    assert backend.api_keys.replace(bare)
    assert backend.api_keys.get(key.key_id) == bare
    assert backend.api_keys.replace(replace(key, revision=bare.revision + 1))
    assert backend.api_keys.get(key.key_id) == replace(key, revision=bare.revision + 1)


@pytest.mark.parametrize("revision", [1, 3])
def test_of_two_changes_of_one_revision_one_is_made(backend: Backend, revision: int) -> None:
    key = a_key()
    backend.api_keys.add(key)
    assert not backend.api_keys.replace(replace(key, name="late", revision=revision))
    assert backend.api_keys.get(key.key_id) == key


def test_a_change_makes_no_key_out_of_nothing(backend: Backend) -> None:
    key = replace(a_key(), revision=2)
    assert not backend.api_keys.replace(key)
    assert not backend.api_keys.touch(key.key_id, 5_000, None)
    assert backend.api_keys.get(key.key_id) is None


def test_a_use_is_recorded_by_the_first_who_sees_that_it_is_due(backend: Backend) -> None:
    key = a_key()
    backend.api_keys.add(key)
    assert backend.api_keys.touch(key.key_id, 5_000, None)
    assert not backend.api_keys.touch(key.key_id, 6_000, None)
    assert backend.api_keys.get(key.key_id) == replace(key, last_used_at=5_000)
    assert backend.api_keys.touch(key.key_id, 7_000, 5_000)
    assert backend.api_keys.get(key.key_id) == replace(key, last_used_at=7_000)


def test_a_use_is_no_change_of_the_key_and_survives_one(backend: Backend) -> None:
    key = a_key()
    backend.api_keys.add(key)
    backend.api_keys.touch(key.key_id, 5_000, None)
    changed = replace(key, name="renamed", revision=2)
    assert backend.api_keys.replace(changed)
    assert backend.api_keys.get(key.key_id) == replace(changed, last_used_at=5_000)


def test_calls_are_counted_up_to_the_most_of_a_minute(backend: Backend) -> None:
    one, other = uuid.uuid4().hex[:12], uuid.uuid4().hex[:12]
    assert [backend.api_keys.count(one, 7, 2) for _ in range(4)] == [True, True, False, False]
    assert backend.api_keys.count(one, 8, 2)
    assert backend.api_keys.count(other, 7, 2)


def test_counts_are_no_keys(backend: Backend) -> None:
    key_id = uuid.uuid4().hex[:12]
    backend.api_keys.count(key_id, 7, 2)
    assert backend.api_keys.get(key_id) is None
    assert key_id not in {key.key_id for key in backend.api_keys.every()}
