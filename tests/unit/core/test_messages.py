"""The queue's messages as JSON: written compactly, read strictly."""

import json

import pytest

from everstep.core import messages
from everstep.core.errors import MalformedMessageError
from everstep.core.model import Message, MessageKind

START = Message(run_id="r", kind=MessageKind.START, token="t")
STEP = Message(
    run_id="r", kind=MessageKind.STEP, token="t", op="ü#1", attempt=2, due=2**53 - 1, take=True
)
TIMER = Message(run_id="r", kind=MessageKind.TIMER, token="t", op="sleep#1", due=5)
RECOVER = Message(run_id="r", kind=MessageKind.RECOVER, token="t", take=True)


@pytest.mark.parametrize("message", [START, STEP, TIMER, RECOVER], ids=lambda each: each.kind)
def test_a_message_reads_back_as_it_was_written(message: Message) -> None:
    body = messages.encode(message)

    assert messages.decode(body) == message
    assert body.isascii()


def test_what_says_nothing_is_left_out() -> None:
    assert messages.encode(START) == '{"run":"r","kind":"start","tok":"t"}'


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no JSON object"),
        ('"x"', "no JSON object"),
        ("{}", "no field 'run'"),
        ('{"run":"r","tok":"t"}', "no field 'kind'"),
        ('{"run":"r","kind":"start"}', "no field 'tok'"),
        ('{"run":"","kind":"start","tok":"t"}', "'run' of a message is no name"),
        ('{"run":"\\ud800","kind":"start","tok":"t"}', "'run' of a message is no name"),
        ('{"run":1,"kind":"start","tok":"t"}', "'run' of a message must be str, not 1"),
        ('{"run":"r","kind":"stop","tok":"t"}', "unknown kind of message 'stop'"),
        ('{"run":"r","kind":"start","tok":"t","x":1}', "unknown field 'x'"),
        ('{"run":"r","kind":"step","tok":"t","attempt":1}', "must name its operation"),
        ('{"run":"r","kind":"timer","tok":"t"}', "must name its operation"),
        ('{"run":"r","kind":"step","tok":"t","op":"a#1"}', "must count its 'attempt' from 1"),
        ('{"run":"r","kind":"start","tok":"t","due":-1}', "'due' of a message is out of range"),
        ('{"run":"r","kind":"start","tok":"t","due":1e3}', "'due' of a message must be int"),
        ('{"run":"r","kind":"start","tok":"t","due":9007199254740992}', "out of range"),
        ('{"run":"r","kind":"start","tok":"t","attempt":true}', "must be int, not True"),
        ('{"run":"r","kind":"start","tok":"t","take":1}', "must be bool, not 1"),
    ],
    ids=lambda value: value[:40],
)
def test_a_body_that_is_no_message_is_refused_with_the_field(body: str, complaint: str) -> None:
    with pytest.raises(MalformedMessageError, match=complaint):
        messages.decode(body)


def test_a_complaint_shows_a_part_of_a_large_body_only() -> None:
    body = json.dumps({"run": "r" * 5000, "kind": "x" * 5000, "tok": "t"})

    with pytest.raises(MalformedMessageError) as raised:
        messages.decode(body)

    assert len(str(raised.value)) < 200
