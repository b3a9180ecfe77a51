"""What runs are charged with, compared with what was done at the ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.cost import spent_on
from everstep.core.invariants import ViolationError
from everstep.core.spending import INVOCATION, NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from everstep.adapters.memory.store import MemoryStore
    from everstep.core.model import History
    from everstep.core.spending import Spent
    from everstep.testing.simulation.step_queue import StepQueue


def charged(history: History) -> Spent:
    """Return what a run is charged with by what is recorded of it."""
    return spent_on(history.head, history.records, history.events)


def all_charges(store: MemoryStore) -> Spent:
    """Return what all runs together are charged with."""
    found = [store.history(run_id) for run_id in store.run_ids]
    return sum([charged(each) for each in found if each is not None], NOTHING)


def no_more_is_charged_than_was_done(
    charges: Spent, calls: Mapping[str, int], queues: Iterable[StepQueue]
) -> None:
    """Nothing is charged twice, whatever was repeated or went wrong.

    Args:
        charges: What all runs together are charged with.
        calls: How often each port was called, and how often something went wrong with that.
        queues: What carried messages.

    Raises:
        ViolationError: More is charged than was asked for, sent or delivered.
    """
    # A run's birth and its end tell of the send that follows: who dies in between makes none.
    faults = sum(n for name, n in calls.items() if " " in name)
    sent = sum(each.requests for each in queues) + faults
    delivered = sum(letter.receives for each in queues for letter in each.sent)
    done = {
        "requests": (charges.requests, sum(n for name, n in calls.items() if _of_table(name))),
        "sends": (charges.sends, sent),
        "invocations": (charges.share, delivered * INVOCATION),
    }
    for what, (told, there) in done.items():
        if told > there:
            detail = f"{what}: {told} are charged, {there} were made"
            raise ViolationError("no_more_is_charged_than_was_done", detail)


def _of_table(call: str) -> bool:
    return " " not in call and call.startswith(("runs.", "lists.", "timers."))
