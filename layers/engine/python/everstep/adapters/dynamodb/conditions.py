"""Guards as condition expressions.

A condition is evaluated on the item as it stands when the write is applied, in one atomic step
with it: this is what makes a guard safe. A comparison with a missing attribute is false, just as
``Guard.allows`` says. Names are always escaped (``status`` is a reserved word), and values are
prefixed so that they meet no value of an update expression.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from everstep.core.model import OpStatus
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from everstep.adapters.dynamodb.values import Value
    from everstep.core.transitions import Guard, HeadGuard


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition expression, with its placeholders for names and values."""

    expression: str
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)


# Of any item: the partition key is the one attribute that every item has.
_NOTHING_RECORDED: Final = "attribute_not_exists(PK)"
_SOMETHING_RECORDED: Final = "attribute_exists(PK)"

ALWAYS: Final = Condition(expression=f"{_NOTHING_RECORDED} OR {_SOMETHING_RECORDED}")
"""For what each writes in place of the one before."""

IF_ABSENT: Final = Condition(expression=_NOTHING_RECORDED)


def on_record(guard: Guard) -> Condition:
    """Return the condition under which an operation's record may be replaced."""
    found = _Clauses()
    # Only from these statuses does an arrow lead to the new one; no status at all: from none.
    found.status_is_one_of(guard.statuses)
    if guard.attempt is not None:
        # Attempts are recorded one by one: none is counted twice, none is left out.
        found.add("#attempt = :if_attempt", "attempt", if_attempt=guard.attempt)
    if guard.attempt_below is not None:
        # A zombie's late result must not replace what a later attempt recorded.
        found.add("#attempt < :if_below", "attempt", if_below=guard.attempt_below)
    if guard.due_at is not None:
        # The sweeper acts on what it saw; if the entry moved since, somebody else acted.
        found.add("#due_at = :if_due_at", "due_at", if_due_at=guard.due_at)
    if guard.wake_at is not None:
        # Whoever gave the wait more time did so for what it saw.
        found.add("#wake_at = :if_wake_at", "wake_at", if_wake_at=guard.wake_at)
    as_it_stands = found.all_of()
    if guard.started is not None:
        # An attempt whose start is recorded; nobody else can begin it, so it is this one's to end.
        begun = _Clauses()
        begun.status_is(OpStatus.STARTED)
        begun.add("#attempt = :if_started", "attempt", if_started=guard.started)
        found.names |= begun.names
        found.values |= begun.values
        as_it_stands = f"({as_it_stands}) OR ({begun.all_of()})"
    # The first write of an operation; the clauses above are false where nothing is recorded.
    expression = f"{_NOTHING_RECORDED} OR ({as_it_stands})" if guard.absent else as_it_stands
    return Condition(expression=expression, names=found.names, values=found.values)


def on_existing_record(guard: Guard) -> Condition:
    """Return the condition for a change in place, which must not make an item out of nothing."""
    condition = on_record(guard)
    return Condition(
        expression=f"{_SOMETHING_RECORDED} AND ({condition.expression})",
        names=condition.names,
        values=condition.values,
    )


def on_head(guard: HeadGuard) -> Condition:
    """Return the condition under which a run's head may be changed."""
    found = _Clauses()
    # False where there is no head, so a change never creates one.
    found.status_is_one_of(guard.statuses)
    if guard.due_at is not None:
        # As above: only the sweeper that saw the run at this place may move it on.
        found.add("#due_at = :if_due_at", "due_at", if_due_at=guard.due_at)
    if guard.goes_on:
        # A run is told once to end: who and why do not change afterwards.
        found.add("attribute_not_exists(#ending)", "ending")
    if guard.generation is not None:
        # Audit entries form a chain: each follows the one that its writer has read.
        found.add("#gen = :if_gen", "gen", if_gen=guard.generation)
    return Condition(expression=found.all_of(), names=found.names, values=found.values)


def unclaimed(key: str) -> Condition:
    """Return the condition under which a wait may have an event: nobody has it, or itself."""
    return Condition(
        expression=(
            f"{_SOMETHING_RECORDED} AND (attribute_not_exists(#taken_by) OR #taken_by = :if_key)"
        ),
        names={"#taken_by": "taken_by"},
        values={":if_key": {"S": key}},
    )


def free_of_others(holder: str | None) -> Condition:
    """Return the condition under which a run may have a name: nobody else has it than was seen."""
    if holder is None:
        return IF_ABSENT
    return Condition(
        expression=f"{_NOTHING_RECORDED} OR #run = :if_holder",
        names={"#run": "run"},
        values={":if_holder": {"S": holder}},
    )


def held_by(run_id: str) -> Condition:
    """Return the condition under which a run may give back what it held: it still has it."""
    return Condition(
        expression="#run = :if_holder",
        names={"#run": "run"},
        values={":if_holder": {"S": run_id}},
    )


def ended_and_due(due_at: int) -> Condition:
    """Return the condition under which a head may go: the run has ended, and was seen here."""
    return Condition(
        expression="attribute_exists(#ended_at) AND #due_at = :if_due_at",
        names={"#ended_at": "ended_at", "#due_at": "due_at"},
        values={":if_due_at": {"N": str(due_at)}},
    )


class _Clauses:
    """Collects clauses that must all hold."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Value] = {}
        self._clauses: list[str] = []

    def status_is_one_of(self, statuses: Iterable[str]) -> None:
        listed = {f":if_status{n}": status for n, status in enumerate(statuses)}
        if not listed:
            # DynamoDB knows no empty list; this is how to say "never" on what exists.
            self._clauses.append(f"{_SOMETHING_RECORDED} AND {_NOTHING_RECORDED}")
            return
        self._clauses.append(f"#status IN ({', '.join(listed)})")
        self.names["#status"] = "status"
        self.values.update({name: {"S": status} for name, status in listed.items()})

    def status_is(self, status: str) -> None:
        self._clauses.append("#status = :if_status")
        self.names["#status"] = "status"
        self.values[":if_status"] = {"S": status}

    def add(self, clause: str, attribute: str, **values: int) -> None:
        self._clauses.append(clause)
        self.names[f"#{attribute}"] = attribute
        self.values.update({f":{name}": {"N": str(value)} for name, value in values.items()})

    def all_of(self) -> str:
        return " AND ".join(self._clauses)
