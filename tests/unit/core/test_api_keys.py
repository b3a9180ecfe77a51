"""What a key looks like, and when it is good."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from everstep.core.access import Scope
from everstep.core.api_keys import (
    LAST_USE_EVERY,
    ApiKey,
    KeyState,
    Presented,
    Refusal,
    digest,
    is_key_id,
    parse,
    refusal,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ID: Final = "0123456789ab"
SECRET: Final = "0" * 31 + "f"
OTHER: Final = "f" * 32
KEY: Final = ApiKey(
    key_id=ID,
    name="ci",
    scopes=frozenset({Scope.READ}),
    workflows=frozenset(),
    hash=digest(ID, SECRET),
    created_at=1_000,
)
GIVEN: Final = Presented(key_id=ID, secret=SECRET)


def test_a_written_key_is_read_again() -> None:
    assert written(ID, SECRET) == f"evs_{ID}_{SECRET}"
    assert parse(written(ID, SECRET)) == GIVEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "evs",
        f"evs_{ID}",
        f"evs_{ID}_{SECRET} ",
        f"evs_{ID}_{SECRET}0",
        f"evs_{ID}_{SECRET}\n",
        f"EVS_{ID}_{SECRET}",
        f"evs_{ID.upper()}_{SECRET}",
        f"evs_{ID[1:]}_{SECRET}",
        f"evs_../keys_{SECRET}",
    ],
)
def test_anything_else_is_no_key(text: str) -> None:
    assert parse(text) is None


def test_an_id_is_told_from_what_cannot_be_one() -> None:
    assert is_key_id(ID)
    assert not is_key_id(written(ID, SECRET))


def test_nothing_that_is_printed_or_kept_shows_a_secret() -> None:
    assert SECRET not in repr(GIVEN)
    assert SECRET not in repr(KEY)
    assert SECRET not in KEY.hash


def test_the_same_secret_of_another_key_has_another_hash() -> None:
    assert digest(ID, SECRET) != digest("ba9876543210", SECRET)


def test_a_key_is_good_until_it_expires_or_is_revoked() -> None:
    assert refusal(GIVEN, KEY, 2_000) is None
    ends = replace(KEY, expires_at=5_000)
    assert (refusal(GIVEN, ends, 4_999), refusal(GIVEN, ends, 5_000)) == (None, Refusal.EXPIRED)
    revoked = ends.revoked(3_000)
    assert refusal(GIVEN, revoked, 3_000) is Refusal.REVOKED
    assert [each.state(6_000) for each in (KEY, ends, revoked)] == [
        KeyState.ACTIVE,
        KeyState.EXPIRED,
        KeyState.REVOKED,
    ]


def test_a_wrong_secret_is_refused_whatever_the_key_is() -> None:
    wrong = Presented(key_id=ID, secret=OTHER)
    for key in (KEY, replace(KEY, expires_at=0), KEY.revoked(0)):
        assert refusal(wrong, key, 2_000) is Refusal.WRONG_SECRET
    assert refusal(wrong, None, 2_000) is Refusal.UNKNOWN


def test_after_a_rotation_both_secrets_are_good_for_a_while() -> None:
    rotated = KEY.rotated(OTHER, former_until=5_000, expires_at=None)
    now_good = Presented(key_id=ID, secret=OTHER)
    assert (refusal(now_good, rotated, 4_999), refusal(GIVEN, rotated, 4_999)) == (None, None)
    assert refusal(now_good, rotated, 5_000) is None
    assert refusal(GIVEN, rotated, 5_000) is Refusal.WRONG_SECRET
    at_once = KEY.rotated(OTHER, former_until=None, expires_at=None)
    assert refusal(GIVEN, at_once, 0) is Refusal.WRONG_SECRET


def test_a_revoked_key_is_good_with_neither_secret() -> None:
    revoked = KEY.rotated(OTHER, former_until=5_000, expires_at=None).revoked(3_000)
    assert refusal(GIVEN, revoked, 4_000) is Refusal.WRONG_SECRET
    assert refusal(Presented(key_id=ID, secret=OTHER), revoked, 4_000) is Refusal.REVOKED


@pytest.mark.parametrize(
    "key", [None, KEY, KEY.rotated(OTHER, former_until=9_000, expires_at=None)]
)
def test_an_unknown_id_costs_the_same_comparisons_as_a_wrong_secret(
    monkeypatch: pytest.MonkeyPatch, key: ApiKey | None
) -> None:
    compared: list[int] = []

    def counting(compare: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
        def counted(one: str, other: str) -> bool:
            compared.append(len(one) + len(other))
            return compare(one, other)

        return counted

    monkeypatch.setattr(hmac, "compare_digest", counting(hmac.compare_digest))
    assert refusal(Presented(key_id=ID, secret="1" * 32), key, 0) is not None
    assert compared == [128, 128]


def test_a_use_is_news_once_an_hour() -> None:
    assert KEY.use_is_news(0)
    used = replace(KEY, last_used_at=1_000)
    assert not used.use_is_news(1_000 + LAST_USE_EVERY - 1)
    assert used.use_is_news(1_000 + LAST_USE_EVERY)
