"""What code says is kept once, with what it belongs to, and found again."""

from __future__ import annotations

import logging
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from aws_lambda_powertools import Logger

from everstep import Context, NonRetryable, Retry, step, step_context, workflow
from everstep.app.run_logs import LogQuery, read_logs
from everstep.authoring import capture
from everstep.core.errors import InvalidRequestError, RunNotFoundError
from everstep.core.run_logs import LogLimits, LogSource
from everstep.testing import TestEngine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from everstep.app.run_logs import LogPage, ShownLine
    from everstep.authoring.workflows import Workflow

LOG = logging.getLogger("shop")
POWER = Logger(service="powershop", level="INFO")


@pytest.fixture(autouse=True)
def _levels() -> Iterator[None]:
    LOG.setLevel(logging.DEBUG)
    engine = logging.getLogger("everstep")
    before = engine.propagate
    # A deployment keeps its lines to itself, and tests of it may have come before.
    engine.propagate = True
    capture.install(LogLimits())
    yield
    capture.install(LogLimits())
    engine.propagate = before


@step(retry=Retry(max_attempts=2, initial_delay=1, jitter=False))
def talk(text: str) -> str:
    """Say something in every way there is."""
    LOG.info("stdlib %s", text, extra={"order": 7, "who": object})
    POWER.info("powertools %s", text)
    step_context().logger.warning("own %s", text)
    sys.stdout.write(f"printed {text}\nand ")
    sys.stdout.write("more")
    sys.stderr.write("to stderr\n")
    LOG.debug("not kept")
    return text


@step(retry=Retry(max_attempts=2, initial_delay=1, jitter=False))
def stumble() -> None:
    """Say something and fail."""
    LOG.info("attempt %s", step_context().attempt)
    raise ValueError("no")


@workflow(name="talks")
async def talks(ctx: Context) -> str:
    ctx.logger.info("begin")
    LOG.info("stdlib in workflow")
    sys.stdout.write("printed in workflow\n")
    first = await ctx.step(talk, "a")
    ctx.logger.info("between")
    await ctx.sleep(1)
    second = await ctx.step(talk, "b")
    ctx.logger.info("end")
    return first + second


def messages(page: LogPage) -> list[str]:
    return [each.line.message for each in page.lines]


def kept(workflow_: Workflow[None, Any], *wanted: str) -> tuple[list[ShownLine], TestEngine, str]:
    engine = TestEngine([workflow_])
    run = engine.start(workflow_)
    engine.run_to_rest()
    lines = run.recorded_logs
    for each in wanted:
        assert each in [line.line.message for line in lines]
    return lines, engine, run.id


def test_everything_that_code_says_is_kept_once_and_in_order() -> None:
    lines, _, _ = kept(talks)
    said = ["stdlib", "powertools", "own", "printed"]
    by_step = [
        [each.line.message for each in lines if each.step == key and each.attempt]
        for key in ("talk#1", "talk#2")
    ]
    for text, found in zip("ab", by_step, strict=True):
        assert found == [*(f"{way} {text}" for way in said), "to stderr", "and more"]
    code = [each for each in lines if each.line.source is LogSource.WORKFLOW]
    assert [(each.line.message, each.step, each.attempt) for each in code] == [
        ("begin", "talk#1", None),
        ("stdlib in workflow", "talk#1", None),
        ("printed in workflow", "talk#1", None),
        ("between", "sleep#1", None),
        ("end", None, None),
    ]


def test_a_line_has_its_level_logger_source_and_fields() -> None:
    lines, _, _ = kept(talks)
    first = {each.line.logger: each.line for each in reversed(lines) if each.attempt}
    assert first["shop"].level == "INFO"
    assert first["shop"].fields["order"] == 7
    assert "object" in first["shop"].fields["who"]
    assert first["everstep.step"].level == "WARNING"
    assert not first["everstep.step"].fields
    assert first["stdout"].source is LogSource.STEP
    assert first["stderr"].level == "WARNING"


def test_every_attempt_is_told_apart_and_its_failure_is_told() -> None:
    @workflow(name="stumbles")
    async def stumbles(ctx: Context) -> None:
        await ctx.step(stumble)

    lines, _, _ = kept(stumbles)
    told = [(each.attempt, each.line.level, each.line.message) for each in lines if each.step]
    assert told == [
        (1, "INFO", "attempt 1"),
        (1, "WARNING", "attempt 1 failed, the next one in 1 s: ValueError: no"),
        (2, "INFO", "attempt 2"),
        (2, "ERROR", "attempt 2 failed, it was the last: ValueError: no"),
    ]
    assert lines[0].line.message == "stumbles version 1 was accepted"
    assert lines[-1].line.message == (
        "the run is FAILED: StepFailed: step stumble#1 failed after 2 attempts: ValueError: no"
    )
    assert {lines[0].line.source, lines[-1].line.source} == {LogSource.SYSTEM}


def test_what_branches_say_goes_with_what_they_ask_for() -> None:
    async def branch(ctx: Context, item: int) -> None:
        ctx.logger.info("in %s", item)
        if item:
            await ctx.step(talk, str(item))
        ctx.logger.info("out %s", item)

    @workflow(name="branches")
    async def branches(ctx: Context) -> None:
        ctx.logger.info("before")
        await ctx.map(branch, [0, 1, 2])
        ctx.logger.info("after")
        await ctx.sleep(1)

    lines, _, _ = kept(branches)
    code = [each for each in lines if each.line.source is LogSource.WORKFLOW]
    said = sorted(each.line.message for each in code)
    assert said == ["after", "before", "in 0", "in 1", "in 2", "out 0", "out 1", "out 2"]


def test_what_workflow_code_says_in_a_replay_is_not_passed_on_again(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, "shop"):
        kept(talks)
    assert [each.message for each in caplog.records].count("stdlib in workflow") == 1
    assert capsys.readouterr().out.count("printed in workflow") == 1


def test_what_a_step_prints_comes_out_as_lines_of_a_logger_where_logs_are_json(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    engine = TestEngine([talks])
    capture.install(LogLimits(), as_json=True)
    with caplog.at_level(logging.INFO, "everstep"):
        run = engine.start(talks)
        engine.run_to_rest()
    printed = [each for each in caplog.records if each.name == "everstep.stdout"]
    assert [each.message for each in printed] == [
        "printed in workflow",
        "printed a",
        "and more",
        "printed b",
        "and more",
    ]
    assert vars(printed[1])["run_id"] == run.id
    assert vars(printed[1])["operation"] == "talk#1"
    assert vars(printed[1])["attempt"] == 1
    assert "printed" not in capsys.readouterr().out


def test_threads_of_a_step_that_it_gives_its_context_are_heard() -> None:
    import contextvars  # noqa: PLC0415 - of this test alone

    @step
    def threaded() -> None:
        run = contextvars.copy_context().run
        thread = threading.Thread(target=run, args=(LOG.info, "from a thread"))
        thread.start()
        thread.join()

    @workflow(name="threads")
    async def threads(ctx: Context) -> None:
        await ctx.step(threaded)

    kept(threads, "from a thread")


def test_an_exception_that_is_logged_is_kept_with_its_trace() -> None:
    @step
    def catches() -> None:
        try:
            int("inner")
        except ValueError:
            LOG.exception("caught %d", "no number")

    @workflow(name="catching")
    async def catching(ctx: Context) -> None:
        await ctx.step(catches)

    lines, _, _ = kept(catching)
    line = next(each.line for each in lines if each.line.logger == "shop")
    assert line.message == "caught %d"
    assert "ValueError: invalid" in line.fields["exception"]


def test_many_lines_go_to_the_blob_store_and_too_many_are_counted() -> None:
    @step
    def chatty() -> None:
        for number in range(40):
            LOG.info("line %s %s", number, "x" * 200)

    @workflow(name="chatters")
    async def chatters(ctx: Context) -> None:
        await ctx.step(chatty)

    engine = TestEngine([chatters])
    capture.install(LogLimits())
    run = engine.start(chatters)
    engine.run_to_rest()
    assert len([each for each in run.recorded_logs if each.line.logger == "shop"]) == 40


def test_lines_are_found_by_level_time_step_source_and_text() -> None:
    _, engine, run_id = kept(talks)
    ports = engine._world.engine

    def found(query: LogQuery) -> list[str]:
        return messages(read_logs(ports, run_id, query))

    assert found(LogQuery(level="WARNING", step="talk#2")) == ["own b", "to stderr"]
    assert found(LogQuery(grep="POWERTOOLS")) == ["powertools a", "powertools b"]
    assert len(found(LogQuery(step="talk", source=LogSource.STEP))) == 12
    woken = next(each.line.at for each in read_logs(ports, run_id, LogQuery(grep="stdlib b")).lines)
    assert "own b" in found(LogQuery(since=woken))
    assert "own a" not in found(LogQuery(since=woken))
    assert "own b" not in found(LogQuery(until=woken))


def test_pages_join_without_a_gap_and_following_ends_with_the_run() -> None:
    lines, engine, run_id = kept(talks)
    ports = engine._world.engine
    seen: list[str] = []
    after: str | None = None
    while True:
        page = read_logs(ports, run_id, LogQuery(limit=3, after=after))
        seen += [each.id for each in page.lines]
        after = page.next
        if after is None:
            break
        assert page.follow is not None
    assert seen == [each.id for each in lines]
    assert page.follow is None


def test_following_a_run_that_goes_on_shows_again_what_may_get_something_before_it() -> None:
    engine = TestEngine([talks])
    run = engine.start(talks)
    engine.run_until_idle()
    ports = engine._world.engine
    page = read_logs(ports, run.id, LogQuery())
    assert page.next is None
    assert page.follow is not None
    again = read_logs(ports, run.id, LogQuery(after=page.follow))
    assert again.lines == page.lines
    engine.run_to_rest()
    rest = read_logs(ports, run.id, LogQuery(after=page.follow))
    assert "own b" in messages(rest)


def test_a_question_that_makes_no_sense_is_refused() -> None:
    _, engine, run_id = kept(talks)
    ports = engine._world.engine
    for query, text in (
        (LogQuery(level="LOUD"), "level must be one of DEBUG"),
        (LogQuery(limit=0), "limit must be from 1"),
        (LogQuery(after="é"), "after must be"),
        (LogQuery(after="YWJj"), "after must be"),
    ):
        with pytest.raises(InvalidRequestError, match=text):
            read_logs(ports, run_id, query)
    with pytest.raises(RunNotFoundError):
        read_logs(ports, "nobody", LogQuery())


def test_nothing_is_kept_if_that_is_switched_off() -> None:
    engine = TestEngine([talks])
    world = engine._world
    off = LogLimits(level=None)
    world.engine = replace(world.engine, limits=replace(world.engine.limits, logs=off))
    capture.install(off)
    run = engine.start(talks)
    engine.run_to_rest()
    assert {each.line.source for each in run.recorded_logs} == {LogSource.SYSTEM}


def test_a_run_that_stands_still_says_so() -> None:
    @workflow(name="breaks")
    async def breaks(ctx: Context) -> None:
        await ctx.step(talk, "a")

    engine = TestEngine([breaks])
    run = engine.start(breaks)
    engine.deploy([])
    engine.run_to_rest()
    assert run.recorded_logs[-1].line.message.startswith("the run stands still: ")


def test_an_error_that_ends_a_step_at_once_is_told_as_the_last() -> None:
    @step
    def refuses() -> None:
        raise NonRetryable("never")

    @workflow(name="refused")
    async def refused(ctx: Context) -> None:
        await ctx.step(refuses)

    kept(refused, "attempt 1 failed, it was the last: NonRetryable: never")
