"""Nothing is charged twice, whatever is repeated; and without faults nothing is left out."""

from __future__ import annotations

import pytest

from everstep import Context, step, workflow
from everstep.core.invariants import ViolationError
from everstep.core.spending import INVOCATION, Spent
from everstep.testing.simulation.charges import all_charges, no_more_is_charged_than_was_done
from everstep.testing.simulation.world import World


@step
def count(number: int) -> int:
    """Count one up."""
    return number + 1


@workflow
async def counts(ctx: Context, steps: int) -> int:
    """Steps, one after another, and a short sleep."""
    number = 0
    for _ in range(steps):
        number = await ctx.step(count, number)
    await ctx.sleep(5)
    return number


@workflow
async def maps(ctx: Context, items: int) -> int:
    """Steps side by side."""
    batch = await ctx.map(count, range(items))
    return batch.succeeded


@pytest.mark.parametrize("flow", [counts, maps])
def test_without_faults_everything_is_charged_that_was_done(flow: object) -> None:
    with World([flow]) as world:  # type: ignore[list-item]  # both are workflows
        world.finish(world.trigger(flow.name, 5))  # type: ignore[attr-defined]
        world.run()
        world.check()
        charges = all_charges(world.store)
        requests = sum(n for name, n in world.counts.items() if name.startswith("runs."))
        assert (charges.requests, charges.sends) == (requests, world.queue.requests)
        delivered = sum(letter.receives for letter in world.queue.sent)
        assert charges.share == delivered * INVOCATION


def test_a_run_that_goes_on_is_charged_with_what_is_recorded() -> None:
    with World([counts]) as world:
        world.finish(world.trigger("counts", 5))
        world.next_message("count#3")
        assert all_charges(world.store).within(Spent(*[10**6] * 11))
        assert all_charges(world.store).writes == 3


@pytest.mark.parametrize("charges", [Spent(requests=1), Spent(sends=1), Spent(share=1)])
def test_a_charge_for_what_was_not_done_is_noticed(charges: Spent) -> None:
    with World([counts]) as world, pytest.raises(ViolationError, match="0 were made"):
        no_more_is_charged_than_was_done(charges, {}, (world.queue,))
