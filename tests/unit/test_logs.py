"""Log lines: JSON with the fields that say which run and what came of it, and no payloads."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from everstep import logs
from everstep.core.errors import SerializationError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG = logging.getLogger("everstep.test")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    loggers = [logging.getLogger(name) for name in (None, "everstep")]
    before = [(each.handlers, each.level, each.propagate) for each in loggers]
    text = io.StringIO()
    logs.configure("INFO", text)
    yield text
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)
    logs.invocation("")


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def raised(error: Exception, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except type(error) as caught:
        return caught


def test_a_line_is_json_with_the_fields_given(stream: io.StringIO) -> None:
    LOG.info("message %s", "processed", extra={"run_id": "run-1", "outcome": "advanced"})
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "everstep.test",
        "message": "message processed",
        "run_id": "run-1",
        "outcome": "advanced",
    }


def test_lines_carry_the_id_of_the_invocation(stream: io.StringIO) -> None:
    logs.invocation("request-1")
    LOG.info("x")
    assert lines(stream)[0]["request_id"] == "request-1"


def test_lines_below_the_level_are_left_out(stream: io.StringIO) -> None:
    LOG.debug("x")
    assert stream.getvalue() == ""


def test_configuring_twice_writes_every_line_once(stream: io.StringIO) -> None:
    logs.configure("INFO", stream)
    LOG.info("x")
    assert len(lines(stream)) == 1


def test_values_that_json_does_not_know_are_written_as_text(stream: io.StringIO) -> None:
    LOG.info("x", extra={"where": {1}})
    assert lines(stream)[0]["where"] == "{1}"


def test_an_exception_is_told_by_class_and_place_not_by_its_text(stream: io.StringIO) -> None:
    LOG.error("failed", exc_info=raised(ValueError("card 4111")))
    (line,) = lines(stream)
    assert line["error"] == "ValueError"
    assert line["trace"][0].startswith(f"{__name__}:")
    assert "4111" not in stream.getvalue()


def test_exc_info_without_an_exception_adds_nothing(stream: io.StringIO) -> None:
    LOG.error("x", exc_info=True)  # noqa: LOG014 - the case in question
    assert "error" not in lines(stream)[0]


def test_errors_of_the_engine_say_why() -> None:
    fields = logs.described(raised(UnavailableError("SQS SendMessage: slow"), KeyError("secret")))
    assert (fields["error"], fields["reason"], fields["cause"]) == (
        "UnavailableError",
        "SQS SendMessage: slow",
        "KeyError",
    )


@pytest.mark.parametrize("error", [SerializationError("input_value='4111'"), KeyError("4111")])
def test_errors_that_may_quote_a_value_keep_their_text_to_themselves(error: Exception) -> None:
    assert set(logs.described(raised(error))) == {"error", "trace"}


def test_the_log_is_standard_output_where_nothing_else_is_said(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("ERROR")
    LOG.error("x")
    assert json.loads(capsys.readouterr().out)["message"] == "x"
    assert stream.getvalue() == ""


def test_a_message_is_told_by_run_kind_operation_and_attempt() -> None:
    body = '{"run":"r","kind":"step","op":"charge#1","attempt":2,"tok":"t"}'
    assert logs.message_fields(body) == {
        "run_id": "r",
        "kind": "step",
        "op": "charge#1",
        "attempt": 2,
    }
    assert logs.message_fields("junk") == {}


def test_loggers_of_users_write_json_too_with_the_text_of_their_exceptions(
    stream: io.StringIO,
) -> None:
    logging.getLogger("shop").error("failed", exc_info=raised(ValueError("no such item")))
    (line,) = lines(stream)
    assert (line["logger"], line["level"]) == ("shop", "ERROR")
    assert "ValueError: no such item" in line["exception"]


def test_libraries_that_tell_of_every_request_are_not_heard(stream: io.StringIO) -> None:
    logging.getLogger("botocore.credentials").info("found")
    assert not lines(stream)
