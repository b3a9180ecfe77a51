"""Payloads are encrypted with data keys of KMS, and say for themselves how to read them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from everstep.adapters.kms import FORM, LONGEST_USE, MOST_USES, KeyService, KmsCodec
from everstep.core.errors import UnavailableError, UnreadablePayloadError

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = {"run_id": "01KDVDN080T8W5N3Y7QF2ZJ4X1"}
TEXT = '{"password":"hunter2ü"}'


class Service:
    """KMS, which counts what it is asked and can refuse it."""

    def __init__(self) -> None:
        self.inner = boto3.client("kms", region_name="eu-central-1")
        self.key = self.inner.create_key()["KeyMetadata"]["Arn"]
        self.calls: list[str] = []
        self.refusal = ""

    def generate_data_key(self, **asked: Any) -> Any:  # noqa: ANN401
        return self._ask("generate_data_key", asked)

    def decrypt(self, **asked: Any) -> Any:  # noqa: ANN401
        return self._ask("decrypt", asked)

    def _ask(self, what: str, asked: dict[str, Any]) -> Any:  # noqa: ANN401
        self.calls.append(what)
        if self.refusal:
            raise ClientError({"Error": {"Code": self.refusal, "Message": "no"}}, what)
        return getattr(self.inner, what)(**asked)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def service() -> Iterator[Service]:
    with mock_aws():
        yield Service()


def codec(service: Service, table: str = "table", clock: Clock | None = None) -> KmsCodec:
    return KmsCodec(lambda: cast("KeyService", service), service.key, table, clock or Clock())


def test_a_text_comes_back_in_another_process_and_is_not_to_be_seen(service: Service) -> None:
    sealed = codec(service).encode(TEXT, RUN)
    assert sealed.startswith(f"{FORM}:")
    assert "hunter2" not in sealed
    assert codec(service).decode(sealed, RUN) == TEXT


def test_the_same_text_is_never_encrypted_the_same_way(service: Service) -> None:
    one = codec(service)
    assert one.encode(TEXT, RUN) != one.encode(TEXT, RUN)


def test_a_data_key_serves_many_texts_and_is_decrypted_once(service: Service) -> None:
    writer, reader = codec(service), codec(service)
    texts = [writer.encode(str(number), RUN) for number in range(20)]
    assert [reader.decode(each, RUN) for each in texts] == [str(number) for number in range(20)]
    assert [writer.decode(each, RUN) for each in texts[:2]] == ["0", "1"]
    assert service.calls == ["generate_data_key", "decrypt"]


def test_a_data_key_has_had_its_day_after_some_time(service: Service) -> None:
    clock = Clock()
    one = codec(service, clock=clock)
    first = one.encode(TEXT, RUN)
    clock.now = LONGEST_USE
    second = one.encode(TEXT, RUN)
    assert first.split(":")[1] != second.split(":")[1]
    assert one.decode(first, RUN) == one.decode(second, RUN) == TEXT


def test_a_data_key_has_had_its_day_after_many_texts(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_USES < 2**32
    monkeypatch.setattr("everstep.adapters.kms.MOST_USES", 2)
    one = codec(service)
    keys = [one.encode(TEXT, RUN).split(":")[1] for _ in range(3)]
    assert keys[0] == keys[1] != keys[2]


def test_what_another_key_has_encrypted_stays_readable(service: Service) -> None:
    sealed = codec(service).encode(TEXT, RUN)
    service.key = service.inner.create_key()["KeyMetadata"]["Arn"]
    changed = codec(service)
    assert changed.decode(sealed, RUN) == TEXT
    assert changed.decode(changed.encode(TEXT, RUN), RUN) == TEXT


def damaged(sealed: str) -> str:
    head, _, text = sealed.rpartition(":")
    raw = bytearray(base64.b64decode(text))
    raw[-1] ^= 1
    return f"{head}:{base64.b64encode(raw).decode()}"


def test_a_text_is_of_its_run(service: Service) -> None:
    one = codec(service)
    with pytest.raises(UnreadablePayloadError, match="another run"):
        one.decode(one.encode(TEXT, RUN), {"run_id": "another"})


def test_a_text_is_of_its_table(service: Service) -> None:
    sealed = codec(service).encode(TEXT, RUN)
    with pytest.raises(UnreadablePayloadError, match="data key is damaged, or of another table"):
        codec(service, "other").decode(sealed, RUN)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (damaged, "damaged, or belongs"),
        (lambda sealed: sealed[: sealed.rindex(":") + 1], "damaged, or belongs"),
        (lambda sealed: sealed[:-3], "no base64"),
        (lambda sealed: sealed.replace(":", ":!", 1), "no base64"),
        (lambda sealed: "kms9" + sealed[4:], "form 'kms9'"),
        (lambda _: "anything", "form 'anything'"),
    ],
    ids=["a bit", "no text", "an end", "a key", "a form", "no form"],
)
def test_what_is_damaged_is_unreadable_for_ever(service: Service, change: Any, why: str) -> None:  # noqa: ANN401
    one = codec(service)
    with pytest.raises(UnreadablePayloadError, match=why):
        one.decode(change(one.encode(TEXT, RUN)), RUN)


@pytest.mark.parametrize(
    "refusal", ["AccessDeniedException", "DisabledException", "NotFoundException", "Throttling"]
)
def test_a_key_that_may_not_be_used_passes(service: Service, refusal: str) -> None:
    sealed = codec(service).encode(TEXT, RUN)
    service.refusal = refusal
    with pytest.raises(UnavailableError, match=f"KMS Decrypt: {refusal}"):
        codec(service).decode(sealed, RUN)
    with pytest.raises(UnavailableError, match=f"KMS GenerateDataKey: {refusal}"):
        codec(service).encode(TEXT, RUN)
    service.refusal = ""
    assert codec(service).decode(sealed, RUN) == TEXT
