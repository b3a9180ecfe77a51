"""What must hold once a storm is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from everstep.core.model import OpKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from everstep.core.model import History
    from tests.e2e.storm.course import Storm
    from tests.e2e.storm.plan import Planned
    from tests.examples.effects import Received

Attempt = tuple[str, str, int]
"""Run, operation and number of an attempt."""


class Effect(NamedTuple):
    """An effect: which execution had it, and from which execution its argument came."""

    execution: str
    given: str


Effects = dict[Attempt, list[Effect]]
"""The effects of each attempt in their order."""
SUMS: Final = ("add", "flaky", "measure", "once")
"""The steps whose result names the execution that it comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What is left of a storm.

    Attributes:
        storm: The storm.
        effects: What was seen of each attempt at the server.
        histories: The history of every run, by its number in the plan.
    """

    storm: Storm
    effects: Effects
    histories: Mapping[int, History]


def histories_of(storm: Storm) -> dict[int, History]:
    """Return the history of every run, by its number in the plan."""
    found = {
        number: storm.engine.runs.load(run_id)
        for number, told in storm.client.told.items()
        for run_id in told
    }
    return {number: history for number, history in found.items() if history is not None}


def effects_of(received: Iterable[Received]) -> Effects:
    """Return what a server received."""
    effects: Effects = {}
    for body in (item.body for item in received):
        attempt = (body["run"], body["operation"], body["attempt"])
        effects.setdefault(attempt, []).append(Effect(body["execution"], body["given"]))
    return effects


ONCE: Final = "once#"
"""How the keys of the steps begin that run at most once."""


def attempts_of(histories: Iterable[History]) -> set[Attempt]:
    """Return every attempt of a step that the histories say was made."""
    return {
        (history.head.run_id, record.key, number)
        for history in histories
        for record in history.records.values()
        if record.kind is OpKind.STEP
        for number in range(1, record.attempt + 1)
    }


def at_least_once(attempts: set[Attempt], effects: Effects) -> None:
    """Check the default policy of steps: what is recorded happened, and nothing else did.

    How often an attempt happened is not limited: whoever was cut off before the result was
    recorded leaves the attempt to be made again. Each policy has a check like this one.
    """
    # An attempt that was cut off twice counts, also if both times were before its effect.
    last: dict[tuple[str, str], int] = {}
    for run_id, key, number in attempts:
        last[run_id, key] = max(number, last.get((run_id, key), 0))
    ended = {(*step, number) for step, number in last.items() if not step[1].startswith(ONCE)}
    missing = ended - effects.keys()
    assert not missing, f"recorded, but without any effect: {sorted(missing)}"
    unrecorded = effects.keys() - attempts
    assert not unrecorded, f"carried out, but not recorded: {sorted(unrecorded)}"


def at_most_once(effects: Effects) -> None:
    """Check the other policy: however often a message came, an attempt had one effect at most."""
    repeated = {
        attempt: len(seen)
        for attempt, seen in effects.items()
        if attempt[1].startswith(ONCE) and len(seen) > 1
    }
    assert not repeated, f"carried out more than once: {repeated}"
    assert any(attempt[1].startswith(ONCE) for attempt in effects)


def as_planned(aftermath: Aftermath, planned: Planned) -> None:
    """Check outcome and operations of a run: each is there, once, and no other."""
    case, history = planned.case, aftermath.histories[planned.number]
    head = history.head
    assert (head.workflow, head.idempotency_key) == (case.workflow, planned.key)
    assert head.status is case.status, head
    records = history.records
    assert records.keys() == case.records.keys(), head.run_id
    for key, (status, attempt) in case.records.items():
        record = records[key]
        unknown = record.error is not None and record.error.type == "StepInterrupted"
        assert record.status is status or (key.startswith(ONCE) and unknown), record
        # Deaths may use up attempts.
        assert record.attempt >= attempt, record
    result = aftermath.storm.stack.run(head.run_id)["result"]
    # Which execution a sum comes from differs; that it is the recorded one, the replay tells.
    plain = result["number"] if isinstance(result, dict) else result
    assert plain == case.result(planned.number), head.run_id


def one_of_its_executions(aftermath: Aftermath, run_id: str) -> None:
    """Check that every sum is what an execution of just that attempt returned."""
    for shown in aftermath.storm.stack.run(run_id)["steps"]:
        if shown["status"] == "DONE" and shown["name"] in SUMS:
            attempt = (run_id, shown["key"], shown["attempt"])
            executions = {effect.execution for effect in aftermath.effects[attempt]}
            assert shown["result"]["execution"] in executions, attempt


def the_same_for_everybody(effects: Effects) -> None:
    """Check that however often a step was executed, it was given the same recorded result."""
    given: dict[tuple[str, str], set[str]] = {}
    for (run_id, operation, _), seen in effects.items():
        given.setdefault((run_id, operation), set()).update(effect.given for effect in seen)
    differing = {step: executions for step, executions in given.items() if len(executions) > 1}
    assert not differing, f"given results of several executions: {differing}"
