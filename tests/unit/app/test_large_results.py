"""A result in the blob store reaches the workflow as if it stood in the record."""

from __future__ import annotations

from typing import Any

import pytest

from everstep import Context, step, workflow
from everstep.app.engine import Limits
from everstep.core.model import Payload
from everstep.testing import TestEngine


@step
def untyped(size: int) -> Any:  # noqa: ANN401 - a step without a useful annotation
    return ["x" * size, size]


@workflow
async def passes_on(ctx: Context, size: int) -> list[Any]:
    first = await ctx.step(untyped, size)
    await ctx.sleep(1)
    return [*first, *await ctx.step(untyped, size)]


def test_a_large_untyped_result_is_not_lost_in_the_pass_that_made_it() -> None:
    engine = TestEngine([passes_on], limits=Limits(inline=100))
    run = engine.start(passes_on, 500)
    engine.advance(5)
    assert run.result == ["x" * 500, 500, "x" * 500, 500]
    assert run.executions("untyped") == 2


def test_a_payload_that_was_not_fetched_is_an_error_not_nothing() -> None:
    with pytest.raises(ValueError, match="payloads/abc was not fetched"):
        _ = Payload(ref="payloads/abc", size=3).at_hand


def test_a_record_holds_the_text_or_the_reference_never_both() -> None:
    inline = Payload(text="1", size=1)
    assert inline.recorded is inline
    assert Payload(text="1", ref="payloads/abc", size=1).recorded == Payload(
        ref="payloads/abc", size=1
    )
