"""Take out of a recorded event what differs from one recording to the next.

What is left is the same, byte by byte, whenever and wherever it was recorded: a recording that
differs from the last one shows a change of the event, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RUN_ID: Final = "01KDVDN080T8W5N3Y7QF2ZJ4XB"
"""The run that every event is about."""
ACCOUNT: Final = "123456789012"
EPOCH: Final = 1_767_225_600_000  # 1 January 2026
API_ID: Final = "abcdef1234"
HOST: Final = f"{API_ID}.execute-api.us-east-1.amazonaws.com"
CALLER: Final = "203.0.113.7"  # an address that is kept for documentation
TOKEN: Final = "w2Zl0k3vQmB1xY7a"  # noqa: S105 - of a message, and made up
TRACE: Final = "Root=1-65920080-0123456789abcdef01234567;Parent=0123456789abcdef"

KEY_ID: Final = "0123456789ab"
KEY: Final = f"evs_{KEY_ID}_{KEY_ID}{KEY_ID}01234567"
"""The API key of every request; `tools.sam` puts a good one in its place."""

_KEY: Final = re.compile(r"evs_[0-9a-f]{12}_[0-9a-f]{32}")
_ULID: Final = re.compile(r"(?<![0-9A-Za-z])[0-7][0-9A-HJKMNP-TV-Z]{25}(?![0-9A-Za-z])")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TRACE: Final = re.compile(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;Parent=[0-9a-f]{16})?")
_LOCAL: Final = re.compile(r"\b127\.0\.0\.1(:\d+)?\b|\blocalhost(:\d+)?\b")
_ACCOUNT: Final = "000000000000"
_API_OF: Final = re.compile(r"(?<=:execute-api:us-east-1:000000000000:)[a-z0-9]+")
# Names that CloudFormation made end in chance: everstep-SweeperSchedule-0123abcd4567.
_MADE_NAME: Final = re.compile(r"(rule/[A-Za-z0-9]+-SweeperSchedule)-?[A-Za-z0-9]+")

# What stands under these names is chance or time, whatever it says.
_FIXED: Final[Mapping[str, object]] = {
    "apiId": API_ID,
    "domainName": HOST,
    "domainPrefix": API_ID,
    "Host": HOST,
    "host": HOST,
    "resourceId": "a1b2c3",
    "deploymentId": "d1e2f3",
    "extendedRequestId": "Rv2hYGZsFiAFhkQ=",
    "requestTime": "01/Jan/2026:00:00:00 +0000",
    "requestTimeEpoch": EPOCH,
    "sourceIp": CALLER,
    "X-Forwarded-For": f"{CALLER}, {CALLER}",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
    "time": "2026-01-01T00:01:00Z",
    "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
    "SentTimestamp": str(EPOCH),
    "ApproximateFirstReceiveTimestamp": str(EPOCH + 10),
    "SenderId": "AROAEXAMPLEEXAMPLE:everstep-trigger",
    "tok": TOKEN,
    "key_id": KEY_ID,
    "principalId": KEY_ID,
}


def scrub(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with its ids, times, addresses and account replaced.

    The first run id of an event becomes ``RUN_ID``. Equal values stay equal within the event, so
    what refers to something still does.
    """
    scrubbed: dict[str, Any] = _Scrubbing().value(event)
    return scrubbed


def text_of(event: dict[str, Any]) -> str:
    """Return how an event is written to its file."""
    return json.dumps(event, indent=2, ensure_ascii=False) + "\n"


class _Scrubbing:
    """One event: what was replaced by what."""

    def __init__(self) -> None:
        self._runs: dict[str, str] = {}
        self._uuids: dict[str, str] = {}

    def value(self, value: Any, name: str = "") -> Any:  # noqa: ANN401 - JSON in, JSON out
        if name in _FIXED and value is not None:
            return [_FIXED[name]] if isinstance(value, list) else _FIXED[name]
        if isinstance(value, dict):
            return self._record({key: self.value(each, key) for key, each in value.items()})
        if isinstance(value, list):
            return [self.value(each, name) for each in value]
        return self._text(value) if isinstance(value, str) else value

    def _record(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Keep the checksum of a queue's message true."""
        if "md5OfBody" in fields:
            body = str(fields["body"]).encode()
            # It is what SQS sends, and protects nothing.
            fields["md5OfBody"] = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return fields

    def _text(self, text: str) -> str:
        inner = _object_in(text)
        if inner is not None:
            return json.dumps(self.value(inner), separators=(",", ":"), ensure_ascii=False)
        text = _UUID.sub(_numbered(self._uuids, _uuid), text)
        text = _ULID.sub(_numbered(self._runs, _run_id), text)
        text = _API_OF.sub(API_ID, text)
        text = _KEY.sub(KEY, text)
        text = _TRACE.sub(TRACE, text)
        text = _MADE_NAME.sub(r"\1", text)
        return _LOCAL.sub(HOST, text).replace(_ACCOUNT, ACCOUNT)


def _object_in(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a text is, such as the body of a message."""
    if not text.startswith("{"):
        return None
    try:
        read: dict[str, Any] = json.loads(text)
    except ValueError:
        return None
    return read


def _numbered(known: dict[str, str], make: Callable[[int], str]) -> Callable[[re.Match[str]], str]:
    """Replace each value by the one that is made for its number, in the order of appearance."""
    return lambda found: known.setdefault(found[0], make(len(known)))


def _run_id(number: int) -> str:
    return RUN_ID[: -len(str(number))] + str(number) if number else RUN_ID


def _uuid(number: int) -> str:
    return f"059f36b4-87a3-44ab-83d2-{number + 1:012d}"
