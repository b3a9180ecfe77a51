"""What must hold once a storm is over."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from everstep.core.model import OpKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.app.engine import Engine
    from everstep.core.model import History
    from tests.e2e.stack import Stack
    from tests.e2e.storm.client import Client
    from tests.e2e.storm.course import Storm
    from tests.e2e.storm.plan import Case
    from tests.examples.effects import Received

Attempt = tuple[str, str, int]


def counted(received: Iterable[Received]) -> Counter[Attempt]:
    """Count what the server received: effects by run, operation and attempt."""
    bodies = (item.body for item in received)
    return Counter((body["run"], body["operation"], body["attempt"]) for body in bodies)


def attempts_of(history: History) -> set[Attempt]:
    """Return every attempt that a history says was made."""
    return {
        (history.head.run_id, record.key, number)
        for record in history.records.values()
        if record.kind is OpKind.STEP
        for number in range(1, record.attempt + 1)
    }


def at_least_once(attempts: set[Attempt], effects: Counter[Attempt]) -> None:
    """Check steps of the default policy: what is recorded happened, and nothing else did.

    How often an attempt happened is not limited: whoever was cut off before the result was
    recorded leaves the attempt to be made again.
    """
    missing = attempts - effects.keys()
    assert not missing, f"recorded, but without any effect: {sorted(missing)}"
    unrecorded = effects.keys() - attempts
    assert not unrecorded, f"carried out, but not recorded: {sorted(unrecorded)}"


def one_run_per_key(client: Client) -> None:
    """Check that every call with the same idempotency key was told the same run."""
    wrong = {number: told for number, told in client.told.items() if len(told) != 1}
    assert not wrong, f"not one run by number: {wrong}"
    assert len(set(client.started)) == len(client.planned)


def as_planned(stack: Stack, history: History, case: Case, number: int) -> None:
    """Check outcome and operations of a run: each is there, once, and no other."""
    head = history.head
    assert head.workflow == case.workflow
    assert head.status is case.status, head
    records = {record.key: (record.status, record.attempt) for record in history.records.values()}
    assert records == case.records, head.run_id
    assert stack.run(head.run_id).get("result") == case.result(number), head.run_id


def large_results_are_in_the_bucket(histories: Iterable[History]) -> None:
    """Check that what the table has no room for was moved out of it."""
    large = [history for history in histories if history.head.workflow == "storm-large"]
    assert large
    for history in large:
        for payload in (history.records["enlarge#1"].result, history.head.result):
            assert payload is not None
            assert payload.ref is not None


def histories_of(engine: Engine, client: Client) -> dict[int, History]:
    """Return the history of every run, by its number in the plan."""
    found = {
        number: engine.runs.load(run_id) for number, told in client.told.items() for run_id in told
    }
    return {number: history for number, history in found.items() if history is not None}


def it_was_a_storm(storm: Storm) -> None:
    """Check that processes at work were killed and messages doubled: a calm proves nothing."""
    minutes = storm.plan.seconds / 60
    assert storm.cut_off["StepExecutor"] >= 15 * minutes
    assert storm.cut_off["Trigger"] >= 2 * minutes
    assert storm.fleet.killed_busy >= 6 * minutes
    assert storm.duplicator.copies >= 20 * minutes
    assert storm.duplicator.replays >= 20 * minutes
    assert storm.client.repeats >= 1
    assert storm.witness.looks >= 100 * minutes
