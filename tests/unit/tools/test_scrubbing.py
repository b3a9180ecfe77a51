"""A recorded event keeps its shape and loses what chance and time put into it."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from tests.cloudformation import ROOT
from tools.scrubbing import ACCOUNT, API_ID, HOST, RUN_ID, TOKEN, scrub, text_of

ONE: Final = "01KE0000000000000000000001"
OTHER: Final = "01KE0000000000000000000002"


def message(run: str) -> dict[str, Any]:
    body = json.dumps({"run": run, "kind": "start", "tok": "abcdefghijklmnop"})
    return {
        "messageId": "0b5a7a5e-37a3-4c3e-9d1a-1c2d3e4f5a6b",
        "body": body,
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "attributes": {"SentTimestamp": "1795276000000", "ApproximateReceiveCount": "4"},
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:everstep-steps",
    }


def test_two_recordings_of_the_same_give_the_same_text() -> None:
    assert text_of(scrub(message(ONE))) == text_of(scrub(message(OTHER)))


def test_a_messages_checksum_is_that_of_its_new_body() -> None:
    scrubbed = scrub(message(ONE))
    body = scrubbed["body"]
    assert json.loads(body) == {"run": RUN_ID, "kind": "start", "tok": TOKEN}
    assert scrubbed["md5OfBody"] == hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def test_what_counts_is_kept_and_the_account_is_not() -> None:
    scrubbed = scrub(message(ONE))
    assert scrubbed["attributes"]["ApproximateReceiveCount"] == "4"
    assert scrubbed["eventSourceARN"] == f"arn:aws:sqs:us-east-1:{ACCOUNT}:everstep-steps"


def test_ids_stay_different_and_equal_as_they_were() -> None:
    scrubbed = scrub({"path": f"/runs/{ONE}/fork", "of": ONE, "to": OTHER})
    assert scrubbed["of"] == RUN_ID
    assert scrubbed["path"] == f"/runs/{RUN_ID}/fork"
    assert scrubbed["to"] not in {RUN_ID, OTHER}


def test_addresses_become_those_of_api_gateway_and_null_stays_null() -> None:
    scrubbed = scrub(
        {
            "multiValueHeaders": {"Host": ["127.0.0.1:4617"]},
            "requestContext": {"apiId": "x8d2", "sourceIp": "127.0.0.1", "resourceId": None},
        }
    )
    assert scrubbed["multiValueHeaders"]["Host"] == [HOST]
    assert scrubbed["requestContext"]["apiId"] == API_ID
    assert scrubbed["requestContext"]["resourceId"] is None


def test_the_recorded_events_have_nothing_left_to_scrub() -> None:
    for path in (ROOT / "events").glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert text_of(scrub(json.loads(text))) == text, path.name
