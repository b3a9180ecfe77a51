"""Keys are made, rotated, revoked and verified; each secret is shown once and kept nowhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep.adapters.memory.api_keys import MemoryKeys
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.app.keys import (
    Issued,
    KeyRequest,
    Keys,
    create_key,
    list_keys,
    revoke_key,
    rotate_key,
    verify,
)
from everstep.core.access import Scope
from everstep.core.api_keys import ApiKey, Refusal
from everstep.core.denials import KeyNotFoundError
from everstep.core.durations import MINUTE
from everstep.core.errors import IllegalStateError, InvalidRequestError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR: Final = 60 * MINUTE
READ: Final = KeyRequest(name="dashboard", scopes=["read"])


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1_000_000)


@pytest.fixture
def keys(clock: VirtualClock) -> Keys:
    return Keys(store=MemoryKeys(), clock=clock, ids=SequenceIds())


def stays_away(method: str, keys: Keys) -> Keys:
    """Give the keys over a store of which one call never succeeds."""

    class Away(MemoryKeys):
        def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - whatever is called
            return (lambda *_: False) if name == method else getattr(keys.store, name)

    return replace(keys, store=Away())


def test_a_key_is_good_with_what_its_owner_was_shown(keys: Keys) -> None:
    issued = create_key(keys, READ)
    found = verify(keys, issued.text)
    assert isinstance(found, ApiKey)
    assert (found.key_id, found.name, found.scopes) == (
        issued.key.key_id,
        "dashboard",
        frozenset({Scope.READ}),
    )


def test_the_secret_is_nowhere_but_in_what_is_shown(keys: Keys) -> None:
    issued = create_key(keys, READ)
    secret = issued.text.rpartition("_")[2]
    assert secret not in repr(keys.store.every())
    assert secret not in repr(issued)


def test_a_key_has_what_was_asked_for(keys: Keys) -> None:
    request = KeyRequest(
        name="partner",
        scopes=["trigger", "read"],
        workflows=["order", "order", "refund"],
        lifetime=HOUR,
        rate=100,
    )
    key = create_key(keys, request).key
    assert key.scopes == {Scope.TRIGGER, Scope.READ}
    assert key.workflows == {"order", "refund"}
    assert (key.created_at, key.expires_at, key.rate) == (1_000_000, 1_000_000 + HOUR, 100)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "name must be 1 to 100"),
        ({"name": "x" * 101}, "name must be 1 to 100"),
        ({"name": "a\nb"}, "printable"),
        ({"scopes": []}, "not none"),
        ({"scopes": ["read", "write"]}, "not 'write'"),
        ({"workflows": ["order*"]}, "not to 'order\\*'"),
        ({"workflows": ["${stage}"]}, "letters, digits"),
        ({"workflows": [f"w{n}" for n in range(17)]}, "at most 16"),
        ({"scopes": ["admin"], "workflows": ["order"]}, "cannot be limited"),
        ({"lifetime": 0}, "more than no time"),
        ({"rate": 0}, "1 to 100000 calls"),
        ({"rate": 100_001}, "1 to 100000 calls"),
    ],
)
def test_what_makes_no_sense_is_refused(keys: Keys, change: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        create_key(keys, replace(READ, **change))
    assert list_keys(keys) == []


def test_keys_are_listed_oldest_first(keys: Keys, clock: VirtualClock) -> None:
    first = create_key(keys, READ).key
    clock.advance(1)
    second = create_key(keys, READ).key
    assert list_keys(keys) == [first, second]


def test_an_id_that_is_taken_is_not_taken_again(keys: Keys) -> None:
    first = create_key(keys, READ).key
    again = replace(keys, ids=SequenceIds())
    assert create_key(again, READ).key.key_id != first.key_id
    assert len(list_keys(keys)) == 2


@pytest.mark.parametrize(
    ("method", "act"),
    [
        ("add", lambda keys, _: create_key(keys, READ)),
        ("replace", revoke_key),
        ("replace", lambda keys, key_id: rotate_key(keys, key_id, overlap=0)),
    ],
    ids=["create", "revoke", "rotate"],
)
def test_who_never_gets_through_is_told_to_try_again(
    keys: Keys, method: str, act: Callable[[Keys, str], object]
) -> None:
    key_id = create_key(keys, READ).key.key_id
    with pytest.raises(UnavailableError, match="try again"):
        act(stays_away(method, keys), key_id)


@pytest.mark.parametrize("text", ["", "nonsense", "evs_1_2"])
def test_what_is_no_key_is_refused(keys: Keys, text: str) -> None:
    assert verify(keys, text) is Refusal.MALFORMED


def test_unknown_wrong_expired_and_revoked_keys_are_refused(
    keys: Keys, clock: VirtualClock
) -> None:
    issued = create_key(keys, replace(READ, lifetime=HOUR))
    assert verify(keys, f"evs_{'0' * 12}_{'0' * 32}") is Refusal.UNKNOWN
    assert verify(keys, f"evs_{issued.key.key_id}_{'0' * 32}") is Refusal.WRONG_SECRET
    clock.advance(HOUR)
    assert verify(keys, issued.text) is Refusal.EXPIRED
    revoke_key(keys, issued.key.key_id)
    assert verify(keys, issued.text) is Refusal.REVOKED


def test_a_use_is_recorded_once_an_hour_and_only_of_a_good_key(
    keys: Keys, clock: VirtualClock
) -> None:
    issued = create_key(keys, READ)
    used: list[int | None] = []
    for text in (f"evs_{issued.key.key_id}_{'0' * 32}", issued.text, issued.text):
        verify(keys, text)
        used += [key.last_used_at for key in list_keys(keys)]
        clock.advance(HOUR - 1)
    clock.advance(1)
    verify(keys, issued.text)
    used += [key.last_used_at for key in list_keys(keys)]
    start = issued.key.created_at
    assert used == [None, start + HOUR - 1, start + HOUR - 1, start + 3 * HOUR - 2]


def test_a_good_key_is_good_although_its_use_could_not_be_recorded(keys: Keys) -> None:
    issued = create_key(keys, READ)

    class Throttled(MemoryKeys):
        def get(self, key_id: str) -> ApiKey | None:
            return keys.store.get(key_id)

        def touch(self, *_: object) -> bool:
            raise UnavailableError("throttled")

    found = verify(replace(keys, store=Throttled()), issued.text)
    assert found == issued.key


def test_revoking_twice_changes_nothing(keys: Keys, clock: VirtualClock) -> None:
    key_id = create_key(keys, READ).key.key_id
    revoked = revoke_key(keys, key_id)
    clock.advance(5)
    assert revoke_key(keys, key_id) == revoked
    assert revoked.revoked_at == 1_000_000


def good(keys: Keys, *issued: Issued) -> list[bool]:
    return [isinstance(verify(keys, each.text), ApiKey) for each in issued]


def test_a_rotation_overlaps(keys: Keys, clock: VirtualClock) -> None:
    old = create_key(keys, READ)
    new = rotate_key(keys, old.key.key_id, overlap=HOUR)
    assert new.key.key_id == old.key.key_id
    assert good(keys, old, new) == [True, True]
    clock.advance(HOUR)
    assert good(keys, old, new) == [False, True]


def test_a_second_rotation_ends_the_first_secret(keys: Keys) -> None:
    first = create_key(keys, READ)
    second = rotate_key(keys, first.key.key_id, overlap=HOUR)
    third = rotate_key(keys, first.key.key_id, overlap=0)
    assert good(keys, first, second, third) == [False, False, True]


def test_a_rotation_keeps_the_expiry_or_moves_it(keys: Keys, clock: VirtualClock) -> None:
    key_id = create_key(keys, replace(READ, lifetime=HOUR)).key.key_id
    assert rotate_key(keys, key_id, overlap=0).key.expires_at == 1_000_000 + HOUR
    clock.advance(HOUR)
    with pytest.raises(IllegalStateError, match="expired"):
        rotate_key(keys, key_id, overlap=0)
    moved = rotate_key(keys, key_id, overlap=0, lifetime=HOUR)
    assert moved.key.expires_at == 1_000_000 + 2 * HOUR
    assert good(keys, moved) == [True]


def test_a_revoked_key_is_not_rotated(keys: Keys) -> None:
    key_id = create_key(keys, READ).key.key_id
    revoke_key(keys, key_id)
    with pytest.raises(IllegalStateError, match="revoked"):
        rotate_key(keys, key_id, overlap=0)


def test_a_key_that_is_not_there_is_named_by_no_more_than_an_id(keys: Keys) -> None:
    text = create_key(keys, READ).text
    with pytest.raises(KeyNotFoundError) as told:
        revoke_key(keys, text)
    assert text.rpartition("_")[2] not in str(told.value)
    with pytest.raises(KeyNotFoundError, match="there is no key 000000000000"):
        rotate_key(keys, "0" * 12, overlap=0)
