"""A deployment whose processes keep passes, and workflows that count how often they begin."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from typing_extensions import override

from everstep import Context, NonRetryable, RetryAfter, StepFailed, step, workflow
from everstep.app.kept import Passes
from everstep.core.errors import UnavailableError
from tests.unit.app.world import InterruptedStore, World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from everstep import Workflow
    from everstep.app.engine import Limits
    from everstep.core.model import Head, History, OpRecord

COUNTED: Final[Counter[str]] = Counter()
"""How often code ran from its first line, was let go, or attempted something."""


@step
def double(number: int) -> int:
    """Return the double."""
    return 2 * number


@step
def flaky(number: int) -> int:
    """Fail twice: once for so long that it takes the due index, once for two minutes."""
    COUNTED["flaky"] += 1
    if COUNTED["flaky"] < 3:
        raise RetryAfter(7200 if COUNTED["flaky"] == 1 else 120)
    return number


@step
def refuse() -> None:
    """Fail for good."""
    raise NonRetryable("no")


@step
def large(number: int) -> str:
    """Return what goes through the blob store."""
    return str(number) * 300


@workflow(name="wf")
async def chain(ctx: Context, number: int) -> int:
    """Double it four times."""
    COUNTED["chain"] += 1
    try:
        for _ in range(4):
            number = await ctx.step(double, number)
            ctx.logger.info("is %s", number)
    finally:
        COUNTED["let go"] += 1
    return number


@workflow(name="wf")
async def naps(ctx: Context, number: int) -> int:
    """Be refused, sleep for long and for short, and try again."""
    COUNTED["naps"] += 1
    try:
        await ctx.step(refuse)
    except StepFailed:
        number += 1
    await ctx.sleep(7200)
    await ctx.sleep(60)
    return await ctx.step(flaky, number)


@workflow(name="wf")
async def sizeable(ctx: Context, number: int) -> int:
    """Have a large result."""
    COUNTED["sizeable"] += 1
    text = await ctx.step(large, number)
    await ctx.step(double, 1)
    return len(text)


@workflow(name="wf")
async def fans_out(ctx: Context, number: int) -> int:
    """Run steps side by side, between others."""
    COUNTED["fans_out"] += 1
    number = await ctx.step(double, number)
    number += sum(await ctx.gather(ctx.step(double, 1), ctx.step(double, 2)))
    return await ctx.step(double, number)


@workflow(name="wf")
async def waits(ctx: Context, number: int) -> int:
    """Wait for an event after a step."""
    COUNTED["waits"] += 1
    number = await ctx.step(double, number)
    number += await ctx.wait_for_event("word", int)
    return await ctx.step(double, number)


@workflow(name="wf")
async def many(ctx: Context, number: int) -> int:
    """Have more steps than anybody catches up with."""
    COUNTED["many"] += 1
    for _ in range(40):
        number = await ctx.step(double, number)
    return number


@workflow(name="wf")
async def various(ctx: Context, number: int) -> int:
    """Have as many steps, each of its own name: nobody knows which one follows."""
    COUNTED["various"] += 1
    for at in range(40):
        number = await ctx.step(double.with_options(name=f"double_{at}"), number)
    return number


@workflow(name="wf")
async def mistaken(ctx: Context, number: int) -> int:
    """Double it three times; make a mistake after the second time, where that is asked for."""
    COUNTED["mistaken"] += 1
    for _ in range(2):
        number = await ctx.step(double, number)
    if COUNTED["mistakes"]:
        await asyncio.sleep(0)
    return await ctx.step(double, number)


@workflow(name="wf")
async def replaced(ctx: Context, number: int) -> int:
    """Do as ``chain`` does, in a later release."""
    COUNTED["replaced"] += 1
    for _ in range(4):
        number = await ctx.step(double, number)
    return number


class CountingStore(InterruptedStore):
    """A store that counts how it is read, and can be down."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.reads: Counter[str] = Counter()
        self.down = False

    @override
    def load(self, run_id: str) -> History | None:
        """Count, then read."""
        self.reads["load"] += 1
        return super().load(run_id)

    @override
    def peek(self, run_id: str, keys: Sequence[str]) -> tuple[Head | None, Mapping[str, OpRecord]]:
        """Count, then read."""
        self.reads["peek"] += 1
        if self.down:
            raise UnavailableError("the table does not answer")
        return super().peek(run_id, keys)

    @override
    def between(
        self, run_id: str, first: str, last: str, most: int
    ) -> tuple[Sequence[OpRecord], bool]:
        """Count, then read."""
        self.reads["between"] += 1
        return super().between(run_id, first, last, most)

    @override
    def record(self, run_id: str, key: str) -> OpRecord | None:
        """Count, then read."""
        self.reads["record"] += 1
        return super().record(run_id, key)

    @override
    def head(self, run_id: str) -> Head | None:
        """Count, then read."""
        self.reads["head"] += 1
        return super().head(run_id)


class Keeping(World):
    """A process that keeps its passes, with everything that it works on.

    Attributes:
        made: The processes of this test.
    """

    made: ClassVar[list[Keeping]] = []

    def __init__(
        self,
        *workflows: Workflow[Any, Any],
        limits: Limits | None = None,
        most: int = 64,
        room: int = 1_000_000,
        from_records: int = 0,
        fresh: int = 0,
    ) -> None:
        """Deploy the workflows; keep also passes over short histories."""
        super().__init__(*workflows, limits=limits)
        self.store = self.counting = CountingStore()
        self.passes = Passes(most=most, room=room, from_records=from_records, fresh=fresh)
        self.engine = replace(
            self.engine,
            runs=self.store,
            timers=self.store,
            lists=self.store,
            dead_letters=self.store,
            kept=self.passes,
        )
        self.made.append(self)

    @classmethod
    def end_all(cls) -> None:
        """Let go of all that is kept, and count anew."""
        while cls.made:
            for kept, _ in cls.made.pop().passes._passes.values():
                kept.replay.close()
        COUNTED.clear()

    def elsewhere(self) -> Keeping:
        """Return another process on the same table and queue."""
        other = Keeping()
        other.store, other.counting, other.outbox = self.store, self.counting, self.outbox
        other.clock = self.clock
        other.engine = replace(self.engine, kept=other.passes, execute=other._execute)
        return other

    def advance_to(self, steps: int, value: int = 1) -> str:
        """Begin a run and process the messages of so many steps; return its id."""
        run_id = self.begin(value=value)
        for _ in range(steps):
            self.advance(self.take())
        return run_id

    @property
    def reads(self) -> dict[str, int]:
        """Return how the table was read since somebody asked last."""
        reads = dict(self.counting.reads)
        self.counting.reads.clear()
        return reads

    def keeps(self, run_id: str) -> bool:
        """Say whether something is kept of a run."""
        kept = self.passes.take(run_id)
        if kept is not None:
            self.passes.put(run_id, kept)
        return kept is not None
