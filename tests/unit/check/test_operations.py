"""Operations that are created and never awaited."""

from __future__ import annotations

import pytest

from tests.unit.check.marks import assert_body_as_marked, findings

CASES = {
    "statements": """
        ctx.step(charge, order)  #! EVS302
        ctx.sleep(60)  #! EVS302
        ctx.sleep_until(ctx.now())  #! EVS302
    """,
    "statements with branches, events and other runs": """
        ctx.gather(ctx.sleep(1), ctx.sleep(2))  #! EVS302
        ctx.race(ctx.sleep(1))  #! EVS302
        ctx.map(charge, [order])  #! EVS302
        ctx.parallel([])  #! EVS302
        ctx.scope("part", charge)  #! EVS302
        ctx.wait_for_event("paid")  #! EVS302
        ctx.wait_for_condition(charge, order, until=bool, every=60)  #! EVS302
        ctx.wait_for(ctx.step(charge, order), 60)  #! EVS302
        ctx.start(other, order)  #! EVS302
        ctx.call(other, order)  #! EVS302
        ctx.send_event("run", "paid", 1)  #! EVS302
        ctx.continue_as_new(order)  #! EVS302
    """,
    "child runs": """
        child = await ctx.start(other, order)
        child.send_event("paid", 1)  #! EVS302
        child.cancel()  #! EVS302
        child.result()  #! EVS302
        (await ctx.start(other, order)).cancel()  #! EVS302
        (await order).cancel()
        print_id = child.id
        await child.send_event("paid", print_id)
        await child.result()
        async def ends(run: ChildRun[str]) -> str:
            run.cancel()  #! EVS302
            return await run.result()
        await ends(child)
    """,
    "plain calls of what comes later": """
        async with ctx.saga() as saga:
            saga.compensate(charge, order)
        callback = ctx.callback(int, timeout=60)
        await ctx.step(charge, callback.token)
        number = await callback
        ctx.patched("tax")
    """,
    "branches awaited together": """
        first, second = await ctx.gather(ctx.step(charge, 1), ctx.step(charge, 2))
        pending = [ctx.step(charge, each) for each in order]
        await ctx.gather(*pending)
        one = ctx.step(charge, order)
        await ctx.wait_for(one, 60)
    """,
    "variables that nobody reads": """
        pending = ctx.step(charge, order)  #! EVS302
        _ = ctx.sleep(60)  #! EVS302
        annotated: object = ctx.sleep(60)  #! EVS302
        several = [ctx.sleep(number) for number in range(3)]  #! EVS302
        order.one: object = ctx.sleep(60)
    """,
    "statements that hold several": """
        ctx.sleep(60) if order else None  #! EVS302
        order and ctx.sleep(60)  #! EVS302
        [ctx.step(charge, each) for each in order]  #! EVS302
        (1, ctx.sleep(1)), [await ctx.sleep(2)]  #! EVS302
    """,
    "another name for ctx": """
        context = ctx
        context.sleep(1)  #! EVS302
        async def inner(c: Context):
            c.sleep(1)  #! EVS302
        async def helper(ctx):
            ctx.sleep(1)  #! EVS302
    """,
    "awaited": """
        await ctx.step(charge, order)
        result = await ctx.step(charge, order)
        pending = ctx.step(charge, order)
        await pending
        waiting = [ctx.sleep(1), ctx.sleep(2)]
        await waiting[0]
        first, second = ctx.sleep(1), ctx.sleep(2)
        await first
    """,
    "read by a nested function": """
        pending = ctx.sleep(1)
        async def wait():
            await pending
        await wait()
    """,
    "handed on": """
        def make():
            return ctx.sleep(1)
        await make()
        order.keep(ctx.sleep(1))
        order.pending = ctx.sleep(1)
    """,
    "plain calls": """
        ctx.now()
        ctx.uuid()
        ctx.logger.info("order")
        order.step(charge)
        order.sleep(1)
        "text"
    """,
}


@pytest.mark.parametrize("body", list(CASES.values()), ids=list(CASES))
def test_an_operation_that_nothing_awaits_is_reported(body: str) -> None:
    assert_body_as_marked(body, "from everstep import ChildRun")


def test_the_finding_shows_what_to_write() -> None:
    (finding,) = findings("ctx.sleep(60)")
    assert finding.message == "ctx.sleep(…) only creates the operation, and nothing awaits it"
    assert finding.mend == "write await ctx.sleep(…)"
