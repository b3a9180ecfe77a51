"""The workflow that load is made of: steps that do nothing but have one counted effect."""

from __future__ import annotations

from pydantic import BaseModel

from everstep import Context, step, step_context, workflow
from workflows.outgoing import request_json


class Load(BaseModel):
    """How many steps, where their effects are counted, and how much each one returns."""

    effects: str
    steps: int = 10
    result_bytes: int = 0


@step
def count(effects: str, number: int, result_bytes: int) -> str:
    """Have one effect; return a text of so many characters."""
    context = step_context()
    url = f"{effects}/{context.run_id}/{number}"
    request_json("POST", url, key=context.idempotency_key)
    # Every text is another one: equal texts would be one object in the bucket.
    return context.idempotency_key.ljust(result_bytes, ".")[:result_bytes]


@workflow(name="bench-steps")
async def steps(ctx: Context, load: Load) -> int:
    """Run the steps one after another."""
    for number in range(load.steps):
        await ctx.step(count, load.effects, number, load.result_bytes)
    return load.steps
