"""The rules, in the order of their codes.

``EVS0``: the file itself; ``EVS1``: values that differ from pass to pass; ``EVS2``: the outside
world; ``EVS3``: how operations are used; ``EVS4``: state that outlives a pass.
"""

from __future__ import annotations

from typing import Final

from everstep.check.findings import Rule

UNREADABLE: Final = "EVS001"
CLOCK: Final = "EVS101"
RANDOM: Final = "EVS102"
NEW_ID: Final = "EVS103"
IDENTITY: Final = "EVS104"
ORDER: Final = "EVS105"
OUTSIDE: Final = "EVS201"
ENVIRONMENT: Final = "EVS202"
OUTPUT: Final = "EVS203"
WAITING: Final = "EVS301"
NOT_AWAITED: Final = "EVS302"
DIRECT_STEP: Final = "EVS303"
SWALLOWED: Final = "EVS304"
SHARED_STATE: Final = "EVS401"

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        code=UNREADABLE,
        name="unreadable",
        summary="the file cannot be read, or is no Python",
        mend="mend the file, or leave it out",
    ),
    Rule(
        code=CLOCK,
        name="clock",
        summary="workflow code reads the clock",
        mend="use `ctx.now()`",
    ),
    Rule(
        code=RANDOM,
        name="random",
        summary="workflow code draws random numbers",
        mend="use `ctx.random()`",
    ),
    Rule(
        code=NEW_ID,
        name="new id",
        summary="workflow code makes a new id",
        mend="use `ctx.uuid()`",
    ),
    Rule(
        code=IDENTITY,
        name="hash and id",
        summary="workflow code asks for `hash()` or `id()`, which differ from process to process",
        mend="use `hashlib`, or a field that identifies the value",
    ),
    Rule(
        code=ORDER,
        name="order of a set",
        summary="the order of a set decides which operations are asked for, or their arguments",
        mend="go through `sorted(…)`",
    ),
    Rule(
        code=OUTSIDE,
        name="outside world",
        summary="workflow code uses files, processes, the network or a database",
        mend="put it into a step",
    ),
    Rule(
        code=ENVIRONMENT,
        name="environment",
        summary="workflow code reads its environment: variables, arguments, host, folder",
        mend="take the value as input, or read it in a step",
    ),
    Rule(
        code=OUTPUT,
        name="output",
        summary="workflow code prints, or logs with a logger of its own, again in every replay",
        mend="use `ctx.logger`",
    ),
    Rule(
        code=WAITING,
        name="waiting",
        summary="workflow code sleeps, or uses asyncio, threads or processes",
        mend="use `await ctx.sleep(…)`, `ctx.gather(…)`, `ctx.wait_for(…)`",
    ),
    Rule(
        code=NOT_AWAITED,
        name="not awaited",
        summary="an operation is created and never awaited",
        mend="await it",
    ),
    Rule(
        code=DIRECT_STEP,
        name="direct step",
        summary="workflow code calls a step directly, so that nothing is recorded",
        mend="write `await ctx.step(name, …)`",
    ),
    Rule(
        code=SWALLOWED,
        name="swallowed signal",
        summary="around an `await`, what the engine itself raises is caught and not raised again",
        mend="catch `StepFailed` or `Exception`",
    ),
    Rule(
        code=SHARED_STATE,
        name="shared state",
        summary="workflow code or a step changes what lives outside of it",
        mend="keep it in a local variable; return it from the step",
    ),
)
