"""Lines that cannot be kept, or read, are told of; nothing else suffers for them."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from everstep import Context, step, workflow
from everstep.adapters.errors import MissingBlobError
from everstep.app.recording import keep_logs
from everstep.app.run_logs import LogQuery, read_logs
from everstep.core.errors import UnavailableError
from everstep.core.masking import NOTHING
from everstep.core.model import Payload, RunStatus
from everstep.core.run_logs import (
    MOST_CHUNKS,
    NO_LOGS,
    LogChunk,
    LogLimits,
    LogLine,
    LogSource,
    Said,
    decode,
    note,
)
from everstep.testing import TestEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.app.engine import Engine

LOG: Final = logging.getLogger("chatter")


@step
def chatter() -> None:
    for number in range(20):
        LOG.info("line %s %s", number, "x" * 100)


@workflow
async def chats(ctx: Context) -> str:
    await ctx.step(chatter)
    return "done"


class Blobs:
    """A blob store that fails in one way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def put(self, _run_id: str, _text: str) -> str:
        raise self.error

    def get(self, _ref: str) -> str:
        raise self.error


@pytest.fixture(autouse=True)
def _level() -> Iterator[None]:
    LOG.setLevel(logging.INFO)
    yield
    LOG.setLevel(logging.NOTSET)


def with_blobs(engine: Engine, error: Exception) -> Engine:
    return replace(engine, blobs=Blobs(error))  # type: ignore[arg-type]


def line(number: int) -> LogLine:
    return LogLine(
        at=number, level="INFO", source=LogSource.STEP, logger="x", message=f"line {number}"
    )


def test_lines_that_cannot_be_kept_are_told_of_and_the_step_counts() -> None:
    engine = TestEngine([chats])
    world = engine._world
    logs = NO_LOGS.and_lines(line(number) for number in range(100))
    broken = with_blobs(world.engine, UnavailableError("S3 is away"))
    kept = keep_logs(broken, "run-1", logs, 7, NOTHING, 1)
    (chunk,) = kept.chunks
    (told,) = decode(chunk.payload.at_hand)
    assert told.message == "100 lines are lost: UnavailableError"
    assert (chunk.at, chunk.attempt, chunk.count) == (7, 1, 1)


def test_lines_that_are_gone_are_told_of_and_the_others_are_shown() -> None:
    engine = TestEngine([chats])
    run = engine.start(chats)
    engine.run_to_rest()
    assert run.status is RunStatus.COMPLETED
    broken = with_blobs(engine._world.engine, MissingBlobError("runs/x/y"))
    page = read_logs(broken, run.id, LogQuery())
    messages = [each.line.message for each in page.lines]
    assert messages[1].startswith("20 lines cannot be read: get blob: MissingBlob: ")
    assert messages[-1] == "the run is COMPLETED"


def test_lines_that_nobody_can_read_just_now_are_asked_for_again() -> None:
    engine = TestEngine([chats])
    run = engine.start(chats)
    engine.run_to_rest()
    broken = with_blobs(engine._world.engine, UnavailableError("S3 is away"))
    with pytest.raises(UnavailableError):
        read_logs(broken, run.id, LogQuery())


def test_of_many_attempts_the_first_and_the_last_are_kept() -> None:
    logs = NO_LOGS
    for number in range(MOST_CHUNKS + 5):
        chunk = LogChunk(at=number, attempt=number, count=1, payload=Payload(text="[0]", size=3))
        logs = logs.recorded(chunk)
    attempts = [chunk.attempt for chunk in logs.chunks]
    assert len(attempts) == MOST_CHUNKS
    assert attempts[0] == 0
    assert attempts[-1] == MOST_CHUNKS + 4


def test_more_than_there_is_room_for_is_counted() -> None:
    said, limits = Said(), LogLimits(together=120, line=50)
    for number in range(10):
        said.add(line(number), limits)
    *kept, told = said.all()
    assert told == note(kept[-1].at, f"{10 - len(kept)} more lines: there was no room for them")
    full = Said()
    full.add(line(1), LogLimits(together=1))
    assert [each.message for each in full.all()] == ["1 more lines: there was no room for them"]


def test_a_line_that_is_too_long_is_cut() -> None:
    long = replace(line(1), message="m" * 30, fields={"f": "f" * 30})
    cut = long.cut(10)
    assert cut.message == "m" * 10 + "…"
    assert cut.fields == {"dropped": "fields of over 10 characters"}
    assert line(1).cut(100) == line(1)
