"""Which functions are workflow code, which are steps, and which are neither."""

from __future__ import annotations

import sys

import pytest

from everstep.check import check_source
from tests.unit.check.marks import assert_as_marked

CASES = {
    "every way to write the decorator": """
        import time
        import everstep
        import everstep as e
        from everstep import workflow, workflow as wf, step
        from everstep.authoring.workflows import workflow as inner
        @workflow
        async def one(ctx): time.time()  #! EVS101
        @workflow(name="two")
        async def two(ctx): time.time()  #! EVS101
        @wf
        async def three(ctx): time.time()  #! EVS101
        @everstep.workflow
        async def four(c): time.time(), c.sleep(1), await c.step(time.time)  #! EVS101 EVS302
        @e.workflow(version="2")
        async def five(ctx): time.time()  #! EVS101
        @inner
        async def six(ctx): time.time()  #! EVS101
        async def seven(ctx): time.time()  #! EVS101
        seven_workflow = workflow(seven)
        async def eight(ctx): time.time()  #! EVS101
        eight_workflow = workflow(name="eight")(eight)
    """,
    "every way to annotate a context": """
        from __future__ import annotations
        import time
        from typing import TYPE_CHECKING, Optional
        if TYPE_CHECKING:
            import everstep
            from everstep import Context
        async def one(ctx: Context): time.time()  #! EVS101
        async def two(order, *, c: "Context"): time.time()  #! EVS101
        def three(ctx: everstep.Context, /): time.time()  #! EVS101
        def four(ctx: Context | None): time.time()  #! EVS101
        def five(ctx: Optional["Context"] = None): time.time()
        def six(ctx: Optional[Context] = None): time.time()  #! EVS101
        class Shop:
            async def seven(self, ctx: Context): time.time()  #! EVS101
        def eight(ctx: "not a type", other: str | int, *rest: Context, **more: int): time.time()
    """,
    "neither workflow nor step": """
        import time
        from click import Context
        from .own import workflow, step
        from somewhere import unknown as everstep
        @workflow
        async def one(ctx): time.time()
        @everstep.workflow
        async def two(ctx): time.time()
        def three(ctx: Context): time.time()
        def four(ctx): time.time()
        time.time()
        class Five:
            at = time.time()
        six = lambda: time.time()
    """,
    "decorators and defaults run at import": """
        import time
        from everstep import workflow
        @workflow(name=str(time.time()))
        async def shop(ctx, started=time.time(), *, again=time.time()) -> time.time(): ...
    """,
    "functions inside workflow code": """
        import time
        from everstep import workflow
        @workflow
        async def shop(ctx):
            def helper(at=time.time()):  #! EVS101
                return time.time()  #! EVS101
            later = lambda: time.time()  #! EVS101
            async def apart(): time.time()  #! EVS101
            def with_context():
                ctx.logger.info("so")
                return time.time()  #! EVS101
            class Local:
                at = time.time()  #! EVS101
                def method(self):
                    return time.time()  #! EVS101
            [time.time() for _ in range(3)]  #! EVS101
            at: time.time() = 1
            helper(), later(), (lambda: time.time())()  #! EVS101
            sorted(order, key=lambda each: time.time())  #! EVS101
            order.sort(key=lambda each: time.time())  #! EVS101
    """,
    "functions inside workflow code that are only passed on": """
        import time, functools
        from everstep import Context, step, workflow
        async def safe(ctx: Context, fn): return await ctx.step(fn)
        def fetch(): time.time()
        def get(): time.time()
        @workflow
        async def shop(ctx, order):
            def local(): time.time()
            def other(): time.time()
            await safe(ctx, local), await safe(ctx, lambda: time.time())
            for each in (other, fetch):
                await ctx.step(each)
            kept = [lambda: time.time()]
            chosen = {"a": local}[order]
            again = functools.partial(fetch, 1)
            await ctx.step(again), await ctx.step(step(name="get")(functools.partial(get, 1)))
    """,
    "every way to hand a function on": """
        import functools
        from everstep import Context, workflow
        SEEN = []
        def one(): SEEN.append(1)  #! EVS401
        def two(): SEEN.append(1)  #! EVS401
        def three(): SEEN.append(1)  #! EVS401
        def four(): SEEN.append(1)  #! EVS401
        def five(): SEEN.append(1)  #! EVS401
        def six(): SEEN.append(1)  #! EVS401
        def seven(): SEEN.append(1)
        @workflow
        async def shop(ctx, order):
            await ctx.step(one if order else two)
            await ctx.step(order or three)
            await ctx.step({"a": four}[order])
            await ctx.step([five][0])
            by_name = functools.partial(six, 1)
            await ctx.step((name := by_name)), await ctx.step(order.partial(seven))
    """,
    "steps": """
        import time, functools
        from everstep import Context, step, workflow
        @step
        def one(ctx: Context): time.time()
        @step(timeout=1)
        async def two(): time.time()
        def three(): time.time()
        def four(): time.time()
        def five(at): time.time()
        five_step = step(five)
        six = step(name="six")(lambda: time.time())
        @workflow
        async def shop(ctx: Context):
            await ctx.step(one, 1)
            await ctx.step(three)
            await ctx.step(functools.partial(four, 1))
            await ctx.step(step(name="short")(lambda: time.time()))
            @step
            def seven(): time.time()
            await ctx.step(seven)
            def eight():
                def inner(): time.time()
                inner()
            await ctx.step(eight)
            await ctx.step(five_step.with_options(name="other"), [1](2))
    """,
    "plain functions that workflow code calls": """
        import time
        from functools import cache, partial, reduce
        from everstep import workflow
        def price(order): return fee(order)
        def fee(order): return time.time()  #! EVS101
        @cache
        def again(order): return time.time()  #! EVS101
        def alone(order): return time.time()
        def key(order): return time.time()  #! EVS101
        def bound(order): return time.time()  #! EVS101
        def aliased(order): return time.time()  #! EVS101
        def handed_and_called(): return time.time()  #! EVS101
        other = aliased
        def circle(): return circle(), round_about()
        def round_about(): return circle()
        @workflow
        async def shop(ctx):
            price(1), price(2), again(1), other(1)
            sorted([1], key=key), partial(bound, 1)()
            order.alone(1), alone
            circle()
            await ctx.step(handed_and_called)
            handed_and_called()
            def local(): return fee(1)
            local()
        @workflow
        async def another(ctx):
            await shop.fn(ctx)
            shop(ctx)
    """,
    "functions that are defined twice": """
        import time
        from everstep import step, workflow
        if time:
            def fee(): return 1
        else:
            def fee(): return time.time()  #! EVS101
        @step
        def mail(): ...
        @step
        def mail(): ...
        @workflow
        async def shop(ctx):
            fee()
            mail()  #! EVS303
    """,
    "a step that another module has is not known": """
        from everstep import workflow
        from .steps import charge
        @workflow
        async def shop(ctx):
            charge(1)
            charge.fn(1)
    """,
    "a star brings what everstep exports, and nothing else is known of": """
        import time
        from everstep import *
        from order import *
        @workflow
        async def shop(ctx): time.time()  #! EVS101
        async def helper(c: Context): time.time()  #! EVS101
        @step
        def charge(): time.time()
    """,
    "names that are bound in a circle, or in long chains": """
        from everstep import workflow
        import time
        a = b
        b = a
        c0 = time
        c1 = c0; c2 = c1; c3 = c2; c4 = c3; c5 = c4; c6 = c5; c7 = c6; c8 = c7; c9 = c8; c10 = c9
        f = f
        @workflow
        async def shop(ctx):
            a(), b.now(), f()
            c10.time()
            c5.time()  #! EVS101
    """,
    "every way to bind a name hides what it hides": """
        from everstep import workflow
        import time
        @workflow
        async def shop(ctx, order):
            async def one():
                try: ...
                except ValueError as time: time.time()
            async def two():
                match order:
                    case {"a": 1, **time}: time.time()
            async def three():
                match order:
                    case [1, *time]: time.time()
            async def four():
                match order:
                    case int() as time: time.time()
                    case [_, *_] | {"a": _}: ...
            async def five():
                class time: ...
                time.time()
            async def six():
                if (time := order): time.time()
            async def seven():
                [time := 1 for _ in order]
                time.time()
            async def eight():
                async def time(): ...
                time.time()
            async def nine():
                from order import time
                time.time()
            async def ten():
                [a, *time] = order
                time.time()
            async def eleven():
                del time
                time.time()
            async def twelve():
                with order as (time, b): time.time()
            async def thirteen():
                time: int
                time.time()
            async def fourteen():
                order.a: int = 1
                global time
                time.time()  #! EVS101
            async def fifteen():
                time = None
                async def inner():
                    nonlocal time
                    time = order
                time.time()
            class Sixteen:
                time = order
                async def method(self): time.time()  #! EVS101
                async def other(self): (time := time).time(), (clock := order).time()
            async def seventeen():
                from order import *
                time.time()  #! EVS101
            async def eighteen():
                nonlocal missing
                missing = 1
    """,
}


@pytest.mark.parametrize("source", list(CASES.values()), ids=list(CASES))
def test_workflow_code_is_found_however_it_is_written(source: str) -> None:
    assert_as_marked(source)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there is no such statement")
def test_the_type_statement_binds_its_name() -> None:
    assert_as_marked("""
        import time
        from everstep import Context, workflow
        type Ctx = Context
        async def helper(c: Ctx): time.time()  #! EVS101
        @workflow
        async def shop(ctx: Context):
            type time = int
            time.time()
    """)


def test_the_finding_in_a_plain_function_names_the_way_to_it() -> None:
    source = (
        "import time\n"
        "from everstep import Context, workflow\n"
        "def fee(): return [time.time() for _ in 'a']\n"
        "def price(): return (lambda: fee())()\n"
        "@workflow\n"
        "async def shop(ctx: Context) -> None:\n"
        "    def local(): return price()\n"
        "    local(), time.time()\n"
    )
    in_fee, in_shop = check_source(source, "app.py")
    assert (in_fee.line, in_shop.line) == (3, 8)
    assert in_fee.message.endswith("(workflow code gets here through shop → price → fee)")
    assert "through" not in in_shop.message


def test_a_lambda_on_the_way_is_called_a_lambda() -> None:
    source = (
        "import time\n"
        "from everstep import Context, workflow\n"
        "fee = lambda: time.time()\n"
        "@workflow\n"
        "async def shop(ctx: Context) -> None:\n"
        "    fee()\n"
    )
    (finding,) = check_source(source, "app.py")
    assert finding.message.endswith("(workflow code gets here through shop → a lambda)")
