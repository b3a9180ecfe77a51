"""The order of a set may not decide which operations are asked for, nor their arguments."""

from __future__ import annotations

import pytest

from tests.unit.check.marks import assert_body_as_marked, findings

WRONG = {
    "a literal": """
        for tag in {"a", "b"}:  #! EVS105
            await ctx.step(charge, tag)
    """,
    "a variable": """
        tags = set(order)
        for tag in tags:  #! EVS105
            await ctx.step(charge, tag)
    """,
    "a variable that grows": """
        tags = {"a"}
        tags |= {"b"}
        tags = tags - {"c"}
        for tag in tags:  #! EVS105
            await ctx.step(charge, tag)
    """,
    "operations of sets": """
        one, two = frozenset(order), {each for each in order}
        for tag in one | two:  #! EVS105
            await ctx.step(charge, tag)
        for tag in order.keys() - two:  #! EVS105
            await ctx.step(charge, tag)
        for tag in one.union(order):  #! EVS105
            await ctx.step(charge, tag)
    """,
    "a parameter": """
        async def each(tags: set[str], more: "frozenset[str]", other: AbstractSet[str] | None):
            for tag in tags:  #! EVS105
                await ctx.step(charge, tag)
            for tag in more:  #! EVS105
                ctx.uuid()
            for tag in other:  #! EVS105
                await ctx.step(charge, tag)
    """,
    "an annotated variable": """
        tags: Annotated[set[str], "names"] = order.tags
        more: Optional[Set[str]] = order.more
        for tag in tags:  #! EVS105
            await ctx.step(charge, tag)
        for tag in more:  #! EVS105
            await ctx.step(charge, tag)
    """,
    "wrapped": """
        tags = set(order)
        for number, tag in enumerate(tags):  #! EVS105
            await ctx.step(charge, tag)
        for tag in list(tags):  #! EVS105
            await ctx.step(charge, tag)
        for tag, other in zip(map(str, tags), order):  #! EVS105
            await ctx.step(charge, tag)
        for tag in ["first", *tags]:  #! EVS105
            await ctx.step(charge, tag)
        for tag in (each.upper() for each in tags):  #! EVS105
            await ctx.step(charge, tag)
    """,
    "comprehensions": """
        tags = set(order)
        [await ctx.step(charge, tag) for tag in tags]  #! EVS105
        {tag: await ctx.step(charge, tag) for tag in tags}  #! EVS105
        [ctx.uuid() for tag in tags]  #! EVS105
        [await ctx.step(charge, tag) for tag in [1] for other in tags]  #! EVS105
    """,
    "arguments": """
        tags = set(order)
        await ctx.step(charge, list(tags))  #! EVS105
        await ctx.step(charge, order=tuple(tags))  #! EVS105
        await ctx.step(charge, *tags)  #! EVS105
        await ctx.step(charge, tags.pop())  #! EVS105
        await ctx.step(charge, next(iter(tags)))  #! EVS105
        await ctx.step(charge, [tag.upper() for tag in tags])  #! EVS105
        await ctx.step(charge, {"tags": [1, *tags]})  #! EVS105
        await ctx.step(charge, (1, list(tags)))  #! EVS105
        await ctx.sleep(60, name=", ".join(tags))  #! EVS105
        await ctx.sleep(60, name=", ".join(tag.upper() for tag in tags))  #! EVS105
    """,
    "dictionaries have the order in which they were filled": """
        tags = set(order)
        for tag in dict.fromkeys(tags):  #! EVS105
            await ctx.step(charge, tag)
        for tag in {each: 1 for each in tags}:  #! EVS105
            await ctx.step(charge, tag)
        for tag, _ in dict.fromkeys(tags).items():  #! EVS105
            await ctx.step(charge, tag)
        for tag in reversed(list(tags)):  #! EVS105
            await ctx.step(charge, tag)
    """,
    "numbers that a generator draws": """
        for tag in set(order):  #! EVS105
            ctx.random().random()
        ctx.random().choice(list(set(order)))  #! EVS105
    """,
    "arguments by way of a variable": """
        tags = set(order)
        names = list(tags)  #! EVS105
        await ctx.step(charge, names)
        while tags:
            tag = tags.pop()  #! EVS105
            await ctx.step(charge, tag)
    """,
}

RIGHT = {
    "sorted": """
        tags = set(order)
        for tag in sorted(tags):
            await ctx.step(charge, tag)
        for tag in sorted(list(tags)):
            await ctx.step(charge, tag)
        [await ctx.step(charge, tag) for tag in sorted(tags)]
        await ctx.step(charge, sorted(tags))
        await ctx.step(charge, *sorted(tags))
    """,
    "sorted in place": """
        names = list(set(order))
        names.sort()
        await ctx.step(charge, names)
    """,
    "the set itself is recorded in an order of its own": """
        tags = set(order)
        await ctx.step(charge, tags)
        await ctx.step(charge, {"tags": tags})
    """,
    "what does not depend on the order": """
        tags = set(order)
        total = 0
        for tag in tags:
            total += len(tag)
        await ctx.step(charge, sum(len(tag) for tag in tags))
        await ctx.step(charge, len(list(tags)), "a" in tags, max(tags))
        if "a" in tags:
            await ctx.step(charge, total)
    """,
    "what asks for no operation": """
        tags = set(order)
        for tag in tags:
            ctx.logger.info("tag %s of %s", tag, ctx.now())
        ctx.logger.info("tags: %s", list(tags), extra={"tags": ", ".join(tags)})
        late = {tag for tag in tags if tag > str(ctx.now())}
        await ctx.step(charge, sorted(late))
    """,
    "sets of numbers have one order": """
        days = {1, 2, 3.5}
        for day in {1, 2, 3}:
            await ctx.step(charge, day)
        for day in days:
            await ctx.step(charge, day)
        await ctx.step(charge, list(days))
    """,
    "no sets": """
        names = list(order)
        for name in names:
            await ctx.step(charge, name)
        for name in {"a": 1}:
            await ctx.step(charge, name)
        await ctx.step(charge, names.pop(), list(order), next(iter(names)), *names)
        await ctx.step(charge, [name for name in names], ", ".join(names), 2 ** 3, 1 | 2)
        for name in ["first", *names]:
            await ctx.step(charge, name)
        for name in order | order:
            await ctx.step(charge, name)
    """,
    "a name that is a set only sometimes": """
        tags = set(order)
        tags = sorted(tags)
        for tag in tags:
            await ctx.step(charge, tag)
        either = list(tags) if order else order
        await ctx.step(charge, either)
    """,
    "operations in a nested function are not in the loop": """
        for tag in set(order):
            async def later():
                await ctx.step(charge, "a")
    """,
}

IMPORTS = """
    from collections.abc import Set as AbstractSet
    from typing import Annotated, Optional, Set
"""


@pytest.mark.parametrize("body", [*WRONG.values(), *RIGHT.values()], ids=[*WRONG, *RIGHT])
def test_the_order_of_a_set_is_reported_where_operations_depend_on_it(body: str) -> None:
    assert_body_as_marked(body, IMPORTS)


def test_a_loop_in_a_step_may_take_any_order() -> None:
    assert_body_as_marked(
        "await ctx.step(work, order)",
        """
        @step
        async def work(order: str) -> None:
            for each in set(order):
                await order.send(each)
        """,
    )


def test_the_finding_names_the_set_and_proposes_to_sort_it() -> None:
    loop, argument = findings(
        "tags = set(order)\nfor tag in tags:\n    await ctx.sleep(1)\n"
        "await ctx.step(charge, list(tags))"
    )
    assert loop.message == "operations are asked for in the order of the set tags"
    assert argument.message == "list(tags) takes the order of a set, which differs in a replay"
    assert loop.mend == argument.mend == "go through sorted(…)"
