"""Settings say which payload codec there is; with keys of KMS nothing stands readable on AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto import mock_aws

from everstep import Context, workflow
from everstep.adapters.kms import KmsCodec
from everstep.app.advance import advance
from everstep.app.payloads import Plain
from everstep.app.query import outcome
from everstep.app.start import start
from everstep.authoring.registry import Registry
from everstep.core import messages
from everstep.core.model import RunStatus
from everstep.settings import Settings, SettingsError
from everstep.wiring import Clients, build_engine, payload_codec

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUIRED: Final = {
    "EVERSTEP_TABLE": "table",
    "EVERSTEP_QUEUE_URL": "http://127.0.0.1:1/q",
    "EVERSTEP_BUCKET": "bucket",
}


def settings(**changes: str) -> Settings:
    return Settings.read(REQUIRED | {f"EVERSTEP_{name}": text for name, text in changes.items()})


def make(given: Settings) -> tuple[str, Settings]:
    """Stand in for a factory of a user's."""
    return "codec", given


def test_payloads_are_plain_unless_something_else_is_set() -> None:
    assert isinstance(payload_codec(settings(), Clients()), Plain)


def test_a_key_makes_the_codec_of_kms() -> None:
    given = settings(PAYLOAD_CODEC="kms", PAYLOAD_KEY="alias/payloads")
    assert isinstance(payload_codec(given, Clients()), KmsCodec)


def test_the_codec_of_kms_needs_a_key() -> None:
    with pytest.raises(SettingsError, match="EVERSTEP_PAYLOAD_KEY must be set"):
        payload_codec(settings(PAYLOAD_CODEC="kms"), Clients())


def test_a_factory_of_ones_own_makes_the_codec_from_the_settings() -> None:
    given = settings(PAYLOAD_CODEC=f"{__name__}:make")
    found: Any = payload_codec(given, Clients())
    assert found == ("codec", given)


@pytest.mark.parametrize("name", ["no.such.module:make", "json:no_such_factory"])
def test_a_factory_that_cannot_be_loaded_is_told(name: str) -> None:
    with pytest.raises(SettingsError, match="which cannot be loaded"):
        payload_codec(settings(PAYLOAD_CODEC=name), Clients())


@pytest.mark.parametrize("text", ["aes", "module", "a b:c", ":make", "module:"])
def test_what_names_no_codec_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="must be one of plain, kms, or MODULE:FACTORY"):
        settings(PAYLOAD_CODEC=text)


def test_patterns_are_read_and_none_switches_them_off() -> None:
    assert settings(MASK="pin, card[_-]?number").mask == ("pin", "card[_-]?number")
    assert settings(MASK="none").mask == ()
    assert "password" in settings().mask


@pytest.mark.parametrize("text", ["(", "a,,b", "x*"])
def test_a_pattern_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="EVERSTEP_MASK must name regular expressions"):
        settings(MASK=text)


@workflow(name="wf")
async def whisper(_ctx: Context, word: str) -> str:
    return f"{word}, {word}"


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Give the settings of a table, a queue and a key."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
        queue = boto3.client("sqs").create_queue(QueueName="steps")["QueueUrl"]
        boto3.client("dynamodb").create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "PK", "AttributeType": "S"},
                {"AttributeName": "SK", "AttributeType": "S"},
            ],
        )
        yield {"QUEUE_URL": queue, "PAYLOAD_CODEC": "kms", "PAYLOAD_KEY": key}


def test_a_run_on_aws_is_encrypted_from_its_input_to_its_result(place: dict[str, str]) -> None:
    engine = replace(build_engine(settings(**place), Clients()), registry=Registry([whisper]))
    run_id = start(engine, "wf", "open sesame").run_id
    (received,) = boto3.client("sqs").receive_message(QueueUrl=place["QUEUE_URL"])["Messages"]
    advance(engine, messages.decode(received["Body"]))

    another = replace(build_engine(settings(**place), Clients()), registry=Registry([whisper]))
    head = outcome(another, run_id).head
    assert head.status is RunStatus.COMPLETED
    assert head.result is not None
    assert head.result.at_hand == '"open sesame, open sesame"'
    items = boto3.client("dynamodb").scan(TableName="table")["Items"]
    assert items
    assert "sesame" not in repr(items) + received["Body"]
