"""Workflows that depend on what nobody told them, and the same done right."""

from __future__ import annotations

import os
import random
import secrets
import uuid
from datetime import UTC, date, datetime
from itertools import count

from everstep import Context, EventTimeout, step, workflow

WORDS = ("apple", "bread", "cheese", "dates", "eggs", "figs", "grapes", "honey", "ice", "jam")
CALLS = count(1)
CACHE: dict[str, str] = {}


@step
def note(what: object) -> str:
    """Say what it was given."""
    return f"noted {what}"


@step
def other(what: object) -> str:
    """Say it in another way."""
    return f"other {what}"


@workflow
async def by_date(ctx: Context) -> str:
    """Hand today's date to a step."""
    await ctx.step(note, "begin")
    return await ctx.step(note, datetime.now(UTC).date())


@workflow
async def by_chance(ctx: Context) -> str:
    """Let chance choose the step."""
    return await ctx.step(note if random.random() < 0.5 else other, 1)  # noqa: S311


@workflow
async def by_uuid(ctx: Context) -> str:
    """Make an id."""
    return await ctx.step(note, uuid.uuid4())


@workflow
async def by_secret(ctx: Context) -> str:
    """Return something new each time."""
    await ctx.step(note, 1)
    return secrets.token_hex(8)


@workflow
async def by_count(ctx: Context) -> str:
    """Count how often the code ran."""
    return await ctx.step(note, next(CALLS))


@workflow
async def by_cache(ctx: Context) -> str:
    """Look something up once per process."""
    if "rates" not in CACHE:
        CACHE["rates"] = await ctx.step(note, "rates")
    return await ctx.step(other, CACHE["rates"])


@workflow
async def by_set(ctx: Context) -> None:
    """Go through a set of text."""
    for word in set(WORDS):
        await ctx.step(note, word)


@workflow
async def by_hash(ctx: Context) -> str:
    """Hash text."""
    return await ctx.step(note, hash("apple") % 1_000_003)


@workflow
async def by_process(ctx: Context) -> str:
    """Hand the number of the process to a step."""
    return await ctx.step(note, os.getpid())


@workflow
async def by_setting(ctx: Context) -> str:
    """Read a setting that may be missing."""
    if os.environ.get("SHOP_NEEDS_REVIEW"):
        await ctx.step(other, "review")
    return await ctx.step(note, 1)


@workflow
async def by_home(ctx: Context) -> str:
    """Read a variable that is set."""
    return await ctx.step(note, os.environ["PATH"])


@workflow
async def by_length(ctx: Context) -> None:
    """Sleep as long as chance says."""
    await ctx.sleep(random.randint(1, 10**6))  # noqa: S311


@workflow
async def by_failure(ctx: Context) -> None:
    """Fail with something new each time."""
    await ctx.step(note, 1)
    raise ValueError(f"failed as number {next(CALLS)}")


@workflow
async def right(ctx: Context, words: list[str]) -> tuple[date, float, uuid.UUID]:
    """Take everything from where it is the same in every pass."""
    for word in sorted(set(words)):
        await ctx.step(note, word)
    await ctx.sleep(ctx.random().randint(10, 10**6))
    await ctx.step(note, ctx.uuid())
    return ctx.now().date(), ctx.random().random(), ctx.uuid()


@workflow
async def right_without_input(ctx: Context) -> str:
    """Do one thing."""
    return await ctx.step(note, 1)


@workflow
async def standing_still(ctx: Context) -> None:
    """Forget to wait."""
    ctx.sleep(1)  # type: ignore[unused-awaitable]


@workflow
async def in_a_branch(ctx: Context) -> list[str]:
    """Let chance decide in one of two branches."""
    notes = ctx.step(note, "same"), ctx.step(note, random.random())  # noqa: S311
    return list(await ctx.gather(*notes))


@workflow
async def alone(ctx: Context) -> list[str]:
    """Run two branches of one step each."""
    return list(await ctx.gather(ctx.step(note, 1), ctx.step(note, 2)))


@workflow
async def waits_by_chance(ctx: Context) -> None:
    """Let chance decide how long to wait."""
    try:
        await ctx.wait_for_event("answer", timeout=random.randint(1, 50))  # noqa: S311
    except EventTimeout:
        return
