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


LAZY = """
    _client = None
    _clients = {}
    _other = None
    def in_if():
        global _client
        if _client is None:
            _client = make()
        return _client
    def in_not():
        global _client
        if not _client or force:
            with lock:
                _client = make()
    def with_or():
        global _client
        _client = _client or make()
    def after_return():
        global _client
        if _client is not None:
            return _client
        _client = make()
    def memo(key):
        if key not in _clients:
            _clients[key] = make()
        return _clients[key]
    def memo_after_return(key):
        if key in _clients:
            return _clients[key]
        _clients[key] = make()
    def truth():
        global _client
        if _client:
            return _client
        _client = make()
"""
NOT_LAZY = """
    _client = None
    _other = None
    _clients = {}
    def another_name():
        global _client  #! EVS401
        if _other is None:
            _client = make()
    def also_elsewhere():
        global _client  #! EVS401
        if _client is None:
            _client = make()
        _client = make()
    def otherwise():
        global _client  #! EVS401
        if _client is None:
            pass
        else:
            _client = make()
    def another_key(key):
        if key not in _clients:
            _clients["a"] = make()  #! EVS401
    def other_type(key):
        if not _client:
            _clients[key] = make()  #! EVS401
    changed = lambda: _clients.pop(1)  #! EVS401
    def by_choice():
        global _client  #! EVS401
        if force(_client):
            _client = make()
    def before(key):
        _clients[key] = make()  #! EVS401
        if key in _clients:
            return
    def with_and():
        global _client  #! EVS401
        _client = _other or make()
"""
NAMES = ["in_if", "in_not", "with_or", "after_return", "memo", "memo_after_return", "truth"]
OTHER_NAMES = [
    "another_name",
    "also_elsewhere",
    "otherwise",
    "another_key",
    "other_type",
    "changed",
    "by_choice",
    "before",
    "with_and",
]


@pytest.mark.parametrize("form", ["await ctx.step({})", "{}()"])
def test_what_is_made_once_and_kept_is_no_mistake_of_steps_and_workflows(form: str) -> None:
    assert_body_as_marked("\n".join(form.format(name) for name in NAMES), LAZY)
    assert_body_as_marked("\n".join(form.format(name) for name in OTHER_NAMES), NOT_LAZY)


def test_a_workflow_may_not_keep_what_an_operation_gave() -> None:
    assert_body_as_marked(
        """
        global rates, number  #! EVS401 EVS401
        if rates is None:
            rates = await ctx.step(charge, order)
        if number is None:
            number = ctx.random()
        """,
        "rates = None\nnumber = None",
    )


def test_a_step_may_keep_what_it_awaited() -> None:
    assert_body_as_marked(
        "await ctx.step(work)",
        """
        client = None
        @step
        async def work() -> None:
            global client
            if client is None:
                client = await connect()
        """,
    )


def test_the_finding_says_how_a_cache_is_written() -> None:
    source = module("seen.append(order)", "seen = []")
    (finding,) = check_source(source, "app.py")
    assert "for a cache" in finding.mend
    assert "if X is None: X = …" in finding.mend
