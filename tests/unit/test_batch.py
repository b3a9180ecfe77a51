"""A batch reports exactly the messages that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from everstep.batch import process_batch
from everstep.core.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping


def batch(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"m-{at}", "body": body, "attributes": {"ApproximateReceiveCount": "2"}}
            for at, body in enumerate(bodies)
        ]
    }


def process(record: Mapping[str, Any]) -> str:
    if record["body"] == "bad":
        raise UnavailableError("DynamoDB Query: slow down")
    return "advanced"


@pytest.mark.parametrize(
    ("bodies", "failed"),
    [
        (["good", "good"], []),
        (["bad", "good", "bad"], ["m-0", "m-2"]),
        (["bad", "bad"], ["m-0", "m-1"]),
    ],
    ids=["none", "some", "all"],
)
def test_only_the_messages_that_failed_are_reported(bodies: list[str], failed: list[str]) -> None:
    assert process_batch(batch(*bodies), process) == {
        "batchItemFailures": [{"itemIdentifier": each} for each in failed]
    }


def test_every_message_is_logged_with_its_run_and_outcome(
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = '{"run":"run-1","kind":"step","op":"charge#1","attempt":1,"tok":"t"}'
    with caplog.at_level("INFO", logger="everstep.batch"):
        process_batch(batch(body, "bad"), process)
    done, failed = (vars(record) for record in caplog.records)
    assert (done["run_id"], done["op"], done["outcome"]) == ("run-1", "charge#1", "advanced")
    assert (failed["message_id"], failed["error"], failed["receives"]) == (
        "m-1",
        "UnavailableError",
        "2",
    )
