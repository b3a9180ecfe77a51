"""Code that runs in branches, to undo or to look: what of it is workflow code, and what is not."""

from __future__ import annotations

import textwrap

import pytest

from tests.unit.check.marks import assert_as_marked, assert_body_as_marked, findings

CASES = {
    "branch functions": """
        import time
        from functools import partial
        from everstep import Context, step, workflow
        async def pay(ctx, item): time.time()  #! EVS101
        async def ship(c, item): time.time()  #! EVS101
        async def one(c): time.time()  #! EVS101
        async def two(c): time.time()  #! EVS101
        async def three(c, more): time.time()  #! EVS101
        async def four(c): time.time()  #! EVS101
        async def five(c, name): time.time()  #! EVS101
        async def six(c, name): time.time()  #! EVS101
        async def seven(c, name): time.time()  #! EVS101
        async def eight(c): time.time()  #! EVS101
        async def apart(c): time.time()
        @workflow
        async def shop(ctx, order):
            await ctx.map(pay, order), await ctx.map(fn=ship, items=order)
            await ctx.parallel([one, partial(three, more=1)])
            await ctx.parallel({"two": two})
            await ctx.parallel(branches={"four": four})
            await ctx.parallel([partial(five, name=each) for each in order])
            await ctx.parallel({each: partial(six, name=each) for each in order})
            await ctx.scope("part", seven, "name")
            await ctx.gather(eight(ctx), ctx.race(ctx.sleep(1)))
            order.map(apart), ctx.logger.scope("part", apart)
    """,
    "steps as branches": """
        import time
        from everstep import Context, step, workflow
        @step
        def charge(item): time.time()
        @step
        async def refund(item): time.time()
        @workflow
        async def shop(ctx: Context, order):
            await ctx.map(charge, order), await ctx.map(refund, order, max_concurrency=2)
            await ctx.map(charge.with_options(timeout=1), order)
    """,
    "what looks and what says when it is enough": """
        import random, time
        from everstep import Context, step, workflow
        SEEN = []
        def look(at): return time.time()
        def enough(found): return found > time.time()  #! EVS101
        @workflow
        async def shop(ctx: Context, order):
            await ctx.wait_for_condition(look, 1, until=enough, every=60)
            await ctx.wait_for_condition(
                step(name="look")(lambda: time.time()),
                until=lambda found: found > time.time(),  #! EVS101
                every=lambda looks: looks * random.random(),  #! EVS102
            )
    """,
    "what undoes": """
        import time
        import everstep
        from everstep import Context, Saga, workflow
        SEEN = []
        def undo(order): time.time()
        def forget(order): SEEN.append(order)  #! EVS401
        def put_back(order): SEEN.append(order)  #! EVS401
        async def helper(saga: Saga):
            saga.compensate(put_back, 1)
        @workflow
        async def shop(ctx: Context, order):
            async with ctx.saga() as saga:
                async def take_back(order): time.time()
                saga.compensate(undo, order), saga.compensate(forget, order)
                saga.compensate(take_back, order)
                await helper(saga)
    """,
}
ORDER_CASES = {
    "loops": """
        for tag in {"a", "b"}:  #! EVS105
            saga.compensate(charge, tag)
        for tag in {"a", "b"}:  #! EVS105
            ctx.callback(name=tag)
        await ctx.gather(*(ctx.step(charge, tag) for tag in {"a", "b"}))  #! EVS105
        await ctx.gather(*[each for each in {ctx.sleep(1), ctx.sleep(2)}])  #! EVS105
    """,
    "items": """
        tags = {"a", "b"}
        await ctx.map(charge, tags)  #! EVS105
        await ctx.map(charge, items=list(tags))  #! EVS105
        await ctx.parallel({order, charge})  #! EVS105
        await ctx.parallel(branches={order, charge})  #! EVS105
        await ctx.map(charge, sorted(tags))
        await ctx.map(charge, [tags])
        await ctx.map(charge, {1, 2})
        await ctx.scope("part", charge, tags)
        await ctx.call(order, tags)
        await ctx.call(order, list(tags))  #! EVS105
    """,
}


@pytest.mark.parametrize("source", list(CASES.values()), ids=list(CASES))
def test_what_the_engine_runs_in_a_workflow_is_workflow_code_or_a_step(source: str) -> None:
    assert_as_marked(source)


@pytest.mark.parametrize("body", list(ORDER_CASES.values()), ids=list(ORDER_CASES))
def test_no_set_decides_about_the_order_of_branches(body: str) -> None:
    assert_body_as_marked("saga = ctx.saga()\n" + textwrap.dedent(body))


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("await asyncio.gather(ctx.sleep(1))", "ctx.gather(…)"),
        ("asyncio.create_task(order)", "ctx.gather(…)"),
        ("asyncio.as_completed([])", "ctx.race(…)"),
        ("asyncio.TaskGroup()", "ctx.map(…)"),
        ("anyio.create_task_group()", "ctx.gather(…)"),
        ("asyncio.wait_for(order, 5)", "ctx.wait_for(…)"),
        ("asyncio.timeout(5)", "ctx.wait_for(…)"),
        ("asyncio.sleep(1)", "ctx.sleep(…)"),
        ("asyncio.Semaphore(2)", "max_concurrency"),
        ("asyncio.Event()", "ctx.wait_for_event(…)"),
        ("asyncio.current_task()", "operations of ctx"),
    ],
)
def test_what_asyncio_does_is_mended_with_what_ctx_has_for_it(line: str, mend: str) -> None:
    (finding,) = findings(line, "import asyncio, anyio")
    assert finding.code == "EVS301"
    assert mend in finding.mend


def test_a_task_group_is_reported_once() -> None:
    assert_body_as_marked(
        """
        async with asyncio.TaskGroup() as group:  #! EVS301
            group.create_task(charge_all(order))
        """,
        "import asyncio",
    )


def test_a_branch_that_is_reached_is_named() -> None:
    (finding,) = findings(
        "await ctx.map(pay, [order])", "import time\nasync def pay(ctx, item): time.time()"
    )
    assert "(workflow code gets here through shop → pay)" in finding.message
