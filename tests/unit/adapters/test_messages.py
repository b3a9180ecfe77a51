"""Bodies are compact to write and strict to read."""

from __future__ import annotations

import pytest

from everstep.core import messages
from everstep.core.errors import MalformedMessageError
from everstep.core.model import Message, MessageKind


def test_a_body_leaves_defaults_out() -> None:
    message = Message(run_id="r", kind=MessageKind.START, token="t")
    assert messages.encode(message) == '{"run":"r","kind":"start","tok":"t"}'


def test_a_body_has_a_field_for_everything_else() -> None:
    message = Message(
        run_id="r", kind=MessageKind.STEP, token="t", op="a#1", attempt=2, due=9, take=True
    )
    assert messages.encode(message) == (
        '{"run":"r","kind":"step","op":"a#1","attempt":2,"tok":"t","take":true,"due":9}'
    )


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        ("", "no JSON: ''"),
        ("hello", "no JSON: 'hello'"),
        ("[" * 100_000, "no JSON: '"),
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
        ("{}", "no field 'run'"),
        ('{"run":"r","kind":"start"}', "no field 'tok'"),
        ('{"kind":"start","tok":"t"}', "no field 'run'"),
        ('{"run":"r","tok":"t"}', "no field 'kind'"),
        ('{"run":"","kind":"start","tok":"t"}', "'run' of a message is no name"),
        ('{"run":"\\ud800","kind":"start","tok":"t"}', "'run' of a message is no name"),
        ('{"run":1,"kind":"start","tok":"t"}', "'run' of a message must be str, not 1"),
        ('{"run":null,"kind":"start","tok":"t"}', "'run' of a message must be str, not None"),
        ('{"run":"r","kind":"dance","tok":"t"}', "unknown kind of message 'dance'"),
        ('{"run":"r","kind":"start","tok":"t","op":""}', "'op' of a message is no name"),
        ('{"run":"r","kind":"start","tok":"t","take":1}', "'take' of a message must be bool"),
        ('{"run":"r","kind":"start","tok":"t","due":true}', "'due' of a message must be int"),
        ('{"run":"r","kind":"start","tok":"t","due":1.5}', "'due' of a message must be int"),
        ('{"run":"r","kind":"start","tok":"t","due":-1}', "'due' of a message is out of range"),
        (
            f'{{"run":"r","kind":"start","tok":"t","due":{2**53}}}',
            "'due' of a message is out of range",
        ),
        ('{"run":"r","kind":"start","tok":"t","attempt":"1"}', "'attempt' of a message must be"),
        ('{"run":"r","kind":"start","tok":"t","more":1}', "unknown field 'more'"),
        ('{"run":"r","kind":"timer","tok":"t"}', "must name its operation"),
        ('{"run":"r","kind":"step","tok":"t","attempt":1}', "must name its operation"),
        ('{"run":"r","kind":"step","tok":"t","op":"a#1"}', "must count its 'attempt'"),
    ],
)
def test_a_body_that_says_nothing_usable_is_refused(body: str, trouble: str) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        messages.decode(body)
    assert trouble in str(caught.value)
    assert len(str(caught.value)) < 300
