"""What outlives a pass or a step may not be changed by workflow code, nor by steps."""

from __future__ import annotations

import pytest

from everstep.check import check_source
from tests.unit.check.marks import assert_as_marked, assert_body_as_marked, module

STATE = """
    import collections, heapq, itertools, os
    from typing import Any, ClassVar, Final
    import settings
    total = 0
    seen = []
    cache: dict[str, int] = {}
    typed: "list[str]" = make()
    fixed: Final = {}
    counts = collections.Counter()
    numbers = itertools.count()
    client = make()
    class Config: ...
"""

WRONG = {
    "global": """
        global total  #! EVS401
        total += 1
    """,
    "global, deleted": """
        global total, seen  #! EVS401
        del total
        len(seen)
    """,
    "attributes and items": """
        cache["a"] = 1  #! EVS401
        cache["a"]["b"] += 1  #! EVS401
        del cache["a"]  #! EVS401
        Config.flag = True  #! EVS401
        settings.DEBUG = True  #! EVS401
        client.session.timeout = 1  #! EVS401
        for cache["a"] in order:  #! EVS401
            pass
    """,
    "methods": """
        seen.append(order)  #! EVS401
        cache.update(a=1)  #! EVS401
        cache["a"].append(1)  #! EVS401
        typed.clear()  #! EVS401
        fixed.setdefault("a", 1)  #! EVS401
        counts.subtract("a")  #! EVS401
    """,
    "functions": """
        next(numbers)  #! EVS401
        heapq.heappush(seen, 1)  #! EVS401
        setattr(Config, "flag", True)  #! EVS401
        delattr(settings.inner, "flag")  #! EVS401
    """,
}

RIGHT = {
    "reading": """
        total + 1, seen[0], cache["a"], Config.flag, len(seen), cache.get("a"), sorted(seen)
        global client
        print_it = client
    """,
    "what is local": """
        seen = []
        seen.append(1)
        seen[0] = 2
        cache = dict(a=1)
        cache["a"] = 1
        order.flag = True
        order.lines.append(1)
        heapq.heappush(seen, 1)
        next(iter(seen)), next(order), setattr(order, "a", 1), next(itertools.count())
    """,
    "methods of what may be no container": """
        client.update(order)
        client.items.append(order)
        unknown.append(1)
        make().add(1)
        copied = seen.copy()
        next(client)
    """,
    "what belongs to the function around": """
        total, found = 0, []
        def count():
            nonlocal total
            total += 1
            found.append(total)
            found[0] = 1
            class Local:
                def change(self):
                    found.append(2)
        count()
    """,
}


@pytest.mark.parametrize("body", [*WRONG.values(), *RIGHT.values()], ids=[*WRONG, *RIGHT])
def test_changes_of_the_modules_state_by_a_workflow_are_reported(body: str) -> None:
    assert_body_as_marked(body, STATE)


@pytest.mark.parametrize("body", [*WRONG.values(), *RIGHT.values()], ids=[*WRONG, *RIGHT])
def test_changes_of_the_modules_state_by_a_step_are_reported(body: str) -> None:
    source = module(body, STATE).replace(
        "@workflow\nasync def shop(ctx: Context,", "@step\ndef shop("
    )
    assert_as_marked(source.replace("    await ctx.step(charge, order)", ""))


def test_a_step_inside_a_workflow_may_not_change_the_workflows_variables() -> None:
    assert_body_as_marked(
        """
        total, found, session = 0, [], order.session
        @step
        def work() -> None:
            nonlocal total  #! EVS401
            total = 1
            found.append(1)  #! EVS401
            found[0] = 1  #! EVS401
            session.add(1)  #! EVS401
            own = []
            def inner():
                own.append(1)
                found.append(1)  #! EVS401
            inner()
        await ctx.step(work)
        def handed():
            found.append(1)  #! EVS401
        await ctx.step(handed)
        await ctx.step(step(name="short")(lambda: found.append(1)))  #! EVS401
        """
    )


def test_a_workflow_may_not_change_what_belongs_to_the_function_that_makes_it() -> None:
    assert_as_marked(
        """
        from everstep import Context, workflow
        def make():
            seen, passes = [], 0
            @workflow
            async def shop(ctx: Context) -> None:
                nonlocal passes  #! EVS401
                passes += 1
                seen.append(1)  #! EVS401
            seen.append(2)
            return shop
        """
    )


def test_the_environment_is_one_finding_in_a_workflow_and_none_in_a_step() -> None:
    assert_body_as_marked('os.environ["A"] = "1"  #! EVS202', "import os")
    assert_body_as_marked(
        "await ctx.step(work)", 'import os\n@step\ndef work() -> None:\n    os.environ["A"] = "1"'
    )


def test_the_finding_says_which_role_may_not_change_it() -> None:
    source = module("seen.append(1)", "seen = []\n@step\ndef work() -> None:\n    seen.append(2)")
    in_step, in_workflow = check_source(source, "app.py")
    assert in_step.message == "seen is changed by seen.append(), which outlives this step"
    assert in_step.mend.startswith("return a value from the step")
    assert in_workflow.message == "seen is changed by seen.append(), which outlives this workflow"
    assert in_workflow.mend.startswith("keep it in a local variable")
