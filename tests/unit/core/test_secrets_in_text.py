"""Secrets are taken out of text and data, by the names they stand under and by their values."""

from __future__ import annotations

import base64
import json
import urllib.parse
from time import perf_counter

import pytest

from everstep.core.masking import DEFAULT_PATTERNS, MASKED, Masking, agrees

BY_NAME = Masking(patterns=DEFAULT_PATTERNS)
VALUE = 's3"cr/t+ü\\'
BY_VALUE = Masking(values=frozenset({VALUE, "12345678"}))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=abc, user=x", "password=***, user=x"),
        ("(password=abc)", "(password=***)"),
        ('{"password": "a\\"bc", "u": 1}', '{"password": "***", "u": 1}'),
        ("Login(password='abc', x=1)", "Login(password='***', x=1)"),
        ("{'db_passwd': b'abc'}", "{'db_passwd': b'***'}"),
        ("Authorization: Bearer abc.def\nHost: y", "Authorization: ***\nHost: y"),
        ('Authorization: Digest username="ada", response="0"', 'Authorization: ***"'),
        ("Set-Cookie: a=b; c=d\r\nok", "Set-Cookie: ***\r\nok"),
        ("token Basic=Basic YWRh, x", "token Basic=Basic YWRh, x"),
        ("my-token: Basic YWRh, x", "my-token: ***, x"),
        ('{"token":{"a":"}","b":[2]},"c":3}', '{"token":"***","c":3}'),
        ("secrets: [a, b", 'secrets: "***"'),
        ('x token == "abc" y', 'x token == "***" y'),
        ("{:token => 'abc'}", "{:token => '***'}"),
        ("headers['X-Api-Key'] = abc", "headers['X-Api-Key'] = ***"),
        ("https://u:pw@host/p?api_key=zz&b=1", "https://u:***@host/p?api_key=***&b=1"),
        ('\\"secret\\": \\"a\\\\\\"b\\" z', '\\"secret\\": \\"***\\" z'),
        ('("password", "abc") tail', '("password", "***") tail'),
        ("got bearer abcdefghijk", "got bearer ***"),
        ("got Bearer abcdefghijk: refused", "got Bearer ***: refused"),
        ("privateKey = 'never closed", "privateKey = '***"),
    ],
)
def test_the_value_of_a_name_that_matches_is_masked_in_text(text: str, shown: str) -> None:
    assert BY_NAME.text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "no secret here",
        "the secret: ",
        "password=",
        "token=)",
        "user=ada, at=https://host/p",
        "password\n= on another line",
    ],
)
def test_what_has_no_value_stays_as_it_is(text: str) -> None:
    assert BY_NAME.text(text) == text


def test_names_are_matched_in_any_case_and_as_parts_of_words() -> None:
    data = {"userPassword": "a", "API-KEY": 5, "apikey": ["a"], "Tokens": {"a": "b"}}
    assert BY_NAME.data(data) == dict.fromkeys(data, MASKED)


def test_that_there_is_no_value_or_a_yes_or_no_is_shown() -> None:
    data = {"has_password": True, "token": None, "n": 1, "f": 0.5}
    assert BY_NAME.data(data) == data


def test_data_is_masked_at_any_depth_and_so_is_the_text_in_it() -> None:
    data = [{"a": [{"secret": "x"}, "password=x"]}, ("token=x",)]
    assert BY_NAME.data(data) == [{"a": [{"secret": "***"}, "password=***"]}, ["token=***"]]


def test_data_with_tags_keeps_its_tags() -> None:
    data = {"$map": [["token", "x"], [1, "y"], [2, {"$tuple": ["password=x"]}]]}
    shown = {"$map": [["token", "***"], [1, "y"], [2, {"$tuple": ["password=***"]}]]}
    assert BY_NAME.data(data) == shown


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        json.dumps(VALUE)[1:-1],
        json.dumps(VALUE, ensure_ascii=False)[1:-1],
        repr(VALUE)[1:-1],
        urllib.parse.quote(VALUE),
        urllib.parse.quote(VALUE, safe=""),
        urllib.parse.quote_plus(VALUE).lower(),
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode().rstrip("="),
    ],
)
def test_a_registered_value_is_masked_however_it_is_written(form: str) -> None:
    assert BY_VALUE.text(f"before {form} after") == "before *** after"
    assert BY_VALUE.data({form: [f"x{form}"]}) == {MASKED: ["x***"]}


@pytest.mark.parametrize("before", ["", "u", "us", "usr", "user:"])
def test_a_registered_value_is_found_in_the_base64_of_something_longer(before: str) -> None:
    whole = base64.b64encode(f"{before}correct-horse:x".encode()).decode()
    shown = Masking(values=frozenset({"correct-horse"})).text(whole)
    assert MASKED in shown
    assert len(shown) < len(whole) - 10


def test_a_short_value_is_not_looked_for_in_parts_of_base64() -> None:
    text = base64.b64encode(b"xword").decode()
    assert Masking(values=frozenset({"word"})).text(text) == text


def test_of_two_registered_values_the_longer_goes_first() -> None:
    assert Masking(values=frozenset({"abcd", "abcdefgh"})).text("abcdefgh abcd") == "*** ***"


def test_what_is_typed_as_secret_keeps_its_form() -> None:
    data = {"token": {"$secret": "x"}, "cookie": {"$secret_bytes": "eA=="}, "secret": {"a": 1}}
    assert BY_NAME.data(data) == {
        "token": {"$secret": "***"},
        "cookie": {"$secret_bytes": "Kioq"},
        "secret": "***",
    }


@pytest.mark.parametrize("name", ["max_tokens", "token_count", "tokens", "cookie-size"])
def test_a_number_that_measures_something_is_shown(name: str) -> None:
    assert BY_NAME.data({name: 512}) == {name: 512}
    assert BY_NAME.data({name: "512"}) == {name: "***"}


@pytest.mark.parametrize("name", ["password", "admin_password", "discount_token", "token"])
def test_another_number_is_not(name: str) -> None:
    assert BY_NAME.data({name: 12345}) == {name: "***"}


@pytest.mark.parametrize(
    ("recorded", "text", "same"),
    [
        ("plain", "plain", True),
        ("plain", "other", False),
        ("a *** b", "a secret b", True),
        ("a *** b", "a *** b", True),
        ("a *** b *** c", "a 1 b 2 c", True),
        ("a *** b *** c", "a 1 x 2 c", False),
        ("a *** b", "x secret b", False),
        ("a *** b", "a secret x", False),
        ("aa***aa", "aaa", False),
        ("***", "", True),
    ],
)
def test_a_text_agrees_with_what_was_masked_of_it(recorded: str, text: str, same: bool) -> None:  # noqa: FBT001
    assert agrees(recorded, text) is same


def test_a_number_that_holds_a_registered_value_is_masked() -> None:
    assert BY_VALUE.data({"n": 12345678, "m": 912345678.5, "o": 7}) == {
        "n": MASKED,
        "m": MASKED,
        "o": 7,
    }


def test_values_are_added_and_nothing_is_made_anew_for_what_is_known() -> None:
    masking = BY_NAME.with_values(["abcd"])
    assert masking.values == {"abcd"}
    assert masking.patterns == DEFAULT_PATTERNS
    assert masking.with_values(["abcd"]) is masking


def test_without_patterns_and_values_nothing_is_masked() -> None:
    data = {"password": "x", "text": "Bearer abcdefghijk token=x"}
    assert not Masking()
    assert Masking().data(data) is data
    assert Masking().text(data["text"]) == data["text"]
    assert not Masking().hides("password")


def test_a_pattern_that_matches_nothing_at_all_comes_to_an_end() -> None:
    assert Masking(patterns=("x*",)).text("a: b") == "a: ***"


@pytest.mark.parametrize(
    "text",
    [
        '{"token":{"a":1},"b":2}',
        "password=abc, x",
        "Cookie: a=b",
        "secret='a",
        "https://u:p@h/?token=x&y=1",
        "Authorization: Bearer abcdefghijk",
    ],
)
def test_masking_what_is_masked_changes_nothing(text: str) -> None:
    shown = BY_NAME.text(text)
    assert shown != text
    assert BY_NAME.text(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "password" * 100_000,
        'password="' * 50_000,
        ")" * 200_000 + "password=" + ")" * 200_000,
        "password={" * 30_000,
        "://a:" * 100_000,
        "'" * 100_000 + "password={" + "'" * 100_000,
        "\\" * 100_000 + '"password=\\' + "\\" * 100_000,
        'secret=\\"a' * 50_000,
    ],
    ids=lambda text: text[:12],
)
def test_no_text_takes_long(text: str) -> None:
    begun = perf_counter()
    BY_NAME.text(text)
    assert perf_counter() - begun < 5
