"""Callback tokens: nobody who has not been given one can make one."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

import pytest

from everstep.core.tokens import is_genuine, make_token, read_token

if TYPE_CHECKING:
    from collections.abc import Callable

RUN, KEY, SECRET = "01KDVDN080T8W5N3Y7QF2ZJ4X1", "map#1/0/approval#1", "what nobody knows"
TOKEN = make_token(RUN, KEY, SECRET)


def where(text: str) -> str:
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def test_a_token_names_its_run_and_operation_and_is_genuine() -> None:
    assert read_token(TOKEN) == (RUN, KEY)
    assert is_genuine(TOKEN, RUN, KEY, SECRET)


def test_a_token_stands_in_urls_as_it_is_and_does_not_tell_the_secret() -> None:
    assert set(TOKEN) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert SECRET not in TOKEN


def test_the_proof_has_192_bits() -> None:
    assert len(TOKEN.partition(".")[2]) * 6 == 192


FORGED: dict[str, Callable[[], str]] = {
    "no proof": lambda: TOKEN.partition(".")[0],
    "empty proof": lambda: TOKEN.partition(".")[0] + ".",
    "truncated": lambda: TOKEN[:-1],
    "longer": lambda: TOKEN + "A",
    "padded": lambda: TOKEN + "=",
    "another letter": lambda: TOKEN[:-1] + ("A" if TOKEN[-1] != "A" else "B"),
    "of another secret": lambda: make_token(RUN, KEY, SECRET + "x"),
    "of no secret": lambda: make_token(RUN, KEY, ""),
    "of another operation": lambda: make_token(RUN, "approval#2", SECRET),
    "of another run": lambda: make_token("other", KEY, SECRET),
    "the proof of another operation": lambda: (
        where(f"{RUN}/{KEY}") + "." + make_token(RUN, "approval#2", SECRET).partition(".")[2]
    ),
    "letters that decoding skips": lambda: TOKEN[:4] + "*" + TOKEN[4:],
    "no text": lambda: TOKEN[:-1] + "\ud800",
}


@pytest.mark.parametrize("name", FORGED)
def test_what_was_not_made_for_it_is_not_genuine(name: str) -> None:
    assert not is_genuine(FORGED[name](), RUN, KEY, SECRET)


def test_a_run_without_a_secret_has_no_genuine_token() -> None:
    assert not is_genuine(make_token(RUN, KEY, ""), RUN, KEY, "")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "ä",
        "a",
        "%",
        where(RUN),
        where(f"/{KEY}"),
        where(f"{RUN}/"),
        where(f"{'x' * 65}/{KEY}"),
        where(f"{RUN}/a\0"),
        urlsafe_b64encode(b"\xff\xfe/a").decode(),
    ],
)
def test_what_names_nothing_is_no_token(token: str) -> None:
    assert read_token(token) is None


def test_proofs_are_compared_in_a_time_that_tells_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def note(given: bytes, made: bytes) -> bool:
        compared.append((given, made))
        return compare(given, made)

    monkeypatch.setattr(hmac, "compare_digest", note)
    assert is_genuine(TOKEN, RUN, KEY, SECRET)
    assert not is_genuine("wrong", RUN, KEY, SECRET)
    assert compared == [(TOKEN.encode(), TOKEN.encode()), (b"wrong", TOKEN.encode())]
