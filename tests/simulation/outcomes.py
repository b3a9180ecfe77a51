"""What a play of a scenario has come to, to be compared with a play in which nothing went wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from everstep.core.errors import EverstepError, StepFailed, StepInterrupted
from everstep.core.invariants import ViolationError
from everstep.core.model import MessageKind, OpStatus, RunStatus
from everstep.testing.simulation.faults import FaultKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.core.model import History, OpRecord, Payload
    from everstep.testing.simulation.explore import Plan, Scenario
    from everstep.testing.simulation.faults import Call
    from everstep.testing.simulation.world import World

# What a scenario costs without faults: messages sent, writes of operations, blobs.
BUDGETS: Final = {
    "three_steps": {"messages": 4, "runs.put": 3},
    # Three steps by the message that began the run, and one by its own.
    "in_one_go": {"messages": 2, "runs.put": 4},
    "retries": {"messages": 5, "runs.put": 4},
    "short_sleep": {"messages": 4, "runs.put": 3},
    # A long sleep is armed by one write, and its message is sent by the sweeper.
    "long_sleep": {"messages": 4, "runs.put": 4},
    # A short sleep leaves no record before its end. When nothing is recorded after the grace the
    # sweeper sends the start once more, and the second timer message finds the sleep over.
    "sleeps_first": {"messages": 6, "runs.put": 4},
    "sleeps_until": {"messages": 3, "runs.put": 2},
    "naps": {"messages": 5, "runs.put": 4},
    "long_retry": {"messages": 4, "runs.put": 3},
    "large_payload": {"messages": 3, "runs.put": 2, "blobs.put": 2},
    "fails": {"messages": 3, "runs.put": 2},
    "relents": {"messages": 3, "runs.put": 2},
    "gives_up": {"messages": 3, "runs.put": 2},
    "recovers": {"messages": 3, "runs.put": 2},
    "without_operations": {"messages": 1},
    # A join is one write; the branch that ends last reads again, and sends on.
    "side_by_side": {"messages": 5, "runs.put": 5},
    "nested": {"messages": 5, "runs.put": 8},
    "races": {"messages": 3, "runs.put": 4},
    "lanes": {"messages": 6, "runs.put": 7},
    "undoes": {"messages": 4, "runs.put": 3},
    "looks_again": {"messages": 4, "runs.put": 4},
    # A wait is recorded when it begins and when it ends; each event brings a message.
    "waits": {"messages": 4, "runs.put": 5},
    "waits_in_vain": {"messages": 4, "runs.put": 5},
    "shares": {"messages": 3, "runs.put": 5},
    # A child is a run of its own; its parent records that it waits, and what came of it.
    "helps": {"messages": 2, "runs.put": 1},
    "lets_down": {"messages": 2, "runs.put": 1},
    "hands_on": {"messages": 4, "runs.put": 3},
    "delegates": {"messages": 12, "runs.put": 12},
    "listens": {"messages": 2, "runs.put": 2},
    "talks": {"messages": 7, "runs.put": 12},
    # Each of two answers comes twice, and so does a message.
    "is_answered": {"messages": 7, "runs.put": 6},
    "is_not_answered": {"messages": 4, "runs.put": 5},
    "is_limited": {"messages": 2, "runs.put": 3},
    "sleeps_too_long": {"messages": 4, "runs.put": 4},
    "waits_for_many": {"messages": 11, "runs.put": 15},
    # Where the first look of the sweeper comes before the end, it tells of the end once more.
    "runs_short_of_time": {"messages": 6, "runs.put": 4},
    "runs_out_of_time": {"messages": 7, "runs.put": 6},
    # Who hands over leaves no record of that; the successor's first message follows, and one for
    # the events that it is given.
    "goes_on": {"messages": 12, "runs.put": 9},
    "passes_on": {"messages": 7, "runs.put": 4},
    "waits_for_the_last": {"messages": 9, "runs.put": 6},
    "insists": {"messages": 2, "runs.put": 3},
    # That code comes by a change costs nothing.
    "is_patched": {"messages": 3, "runs.put": 3},
    # What may happen once only is recorded before it happens, too.
    "probes": {"messages": 3, "runs.put": 4},
    "once": {"messages": 3, "runs.put": 3},
    "once_per_attempt": {"messages": 3, "runs.put": 4},
    "two_triggers": {"messages": 3, "runs.put": 2},
    # A beginning that is far away costs the sweeper's write, in place of the trigger's message.
    "begins_soon": {"messages": 4, "runs.put": 3},
    "begins_far_away": {"messages": 4, "runs.put": 3},
    "two_with_one_name": {"messages": 4, "runs.put": 4},
    "is_removed": {"messages": 4, "runs.put": 3},
    # The timer's message stalls the run; after the resumption a second one takes over.
    "lost_code": {"messages": 6, "runs.put": 3},
    # The recovery sends a second message for the timer, which finds the sleep over.
    "stumbles": {"messages": 9, "runs.put": 4},
    # What is kept is written before the head; the recovery finds it.
    "retried": {"messages": 6, "runs.put": 5},
    "forked": {"messages": 5, "runs.put": 4, "blobs.put": 3},
    # The timer's message finds the run paused; the recovery sends another.
    "pauses": {"messages": 7, "runs.put": 4},
    "impatient": {"messages": 4, "runs.put": 4},
    # The second attempt is made and recorded twice, in two tables.
    "lost_table": {"messages": 6, "runs.put": 5},
}
_FAILS: Final = frozenset({"fails", "gives_up", "relents", "retried", "lets_down"})
_REMOVED: Final = frozenset({"is_removed"})
_CALLED_OFF: Final = frozenset({"sleeps_too_long", "waits_for_many", "insists"})
_TIMED_OUT: Final = frozenset({"runs_short_of_time", "runs_out_of_time"})
_HANDS_OVER: Final = frozenset({"goes_on", "passes_on"})
# How often people asked something of the run.
_ASKED: Final = {
    "sleeps_too_long": 1,
    "waits_for_many": 1,
    "insists": 1,
    # That it stood still, and that somebody had it go on.
    "lost_code": 2,
    "stumbles": 2,
    "pauses": 2,
    "runs_short_of_time": 1,
    "runs_out_of_time": 1,
    "retried": 1,
    "forked": 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one run has come to, apart from times, tokens, attempts and its id.

    Attributes:
        run: Status, result and type of the error.
        operations: By key, status and result of every operation that is not unknown.
        unknown: Keys of the operations of which nobody knows what became of them, and never will.
    """

    run: tuple[object, ...]
    operations: Mapping[str, object]
    unknown: frozenset[str]

    def same_but_for_the_unknown(self, usual: Outcome) -> bool:
        """Say whether this differs in nothing but in what is unknown here."""
        known = {key: end for key, end in usual.operations.items() if key not in self.unknown}
        if self.operations != known:
            return False
        # A run may fail of what is unknown where it would have failed of the same step otherwise.
        failed = (RunStatus.FAILED, None)
        return self.run == usual.run or (
            bool(self.unknown)
            and self.run == (*failed, StepInterrupted.__name__)
            and usual.run == (*failed, StepFailed.__name__)
        )


def outcome(world: World) -> tuple[Outcome, ...]:
    """Return what every run has come to."""
    return tuple(_outcome_of(world.history(run_id)) for run_id in world.store.run_ids)


def _content(payload: Payload | None) -> Payload | None:
    """Return a payload without the run under which its text is kept: ids differ by play."""
    if payload is None or payload.ref is None:
        return payload
    return replace(payload, ref=payload.ref.rpartition("/")[2])


def _outcome_of(history: History) -> Outcome:
    head, records = history.head, history.records
    unknown = {key for key, record in records.items() if _unknown(record)}
    return Outcome(
        run=(head.status, _content(head.result), head.error and head.error.type),
        operations={
            key: (record.status, _content(record.result))
            for key, record in records.items()
            if key not in unknown
        },
        unknown=frozenset(unknown),
    )


def _unknown(record: OpRecord) -> bool:
    interrupted = record.error is not None and record.error.type == "StepInterrupted"
    return record.status is OpStatus.FAILED and interrupted


def attempts(world: World) -> int:
    """Return how many attempts were used up, by all runs together."""
    histories = map(world.history, world.store.run_ids)
    return sum(record.attempt for each in histories for record in each.records.values())


def check_usual(name: str, world: World) -> None:
    """Check a play of a scenario in which nothing went wrong.

    Raises:
        ViolationError: It came to another end, or the watchdog had to help.
    """
    if name in _REMOVED:
        if world.store.run_ids:
            raise ViolationError("one_outcome", f"{world.store.run_ids} are still there")
        return
    # What follows the first run are its children, which end as it wants them to.
    head = world.history(world.store.run_ids[0]).head
    # Its end is an entry, too.
    if head.status is not _ends(name) or head.generation != _ASKED.get(name, 0) + 1:
        raise ViolationError("one_outcome", f"{head}")
    if world.facts.recovered:
        raise ViolationError("nobody_was_rescued", f"{world.facts.recovered} runs were taken over")


def _ends(name: str) -> RunStatus:
    if name in _CALLED_OFF:
        return RunStatus.CANCELLED
    if name in _TIMED_OUT:
        return RunStatus.TIMED_OUT
    if name in _HANDS_OVER:
        return RunStatus.CONTINUED
    return RunStatus.FAILED if name in _FAILS else RunStatus.COMPLETED


def check_budget(name: str, world: World) -> None:
    """Check what a play has cost in which nothing went wrong.

    Raises:
        ViolationError: It cost more than its budget, or less.
    """
    budget = {"runs.put": 0, "blobs.put": 0, **BUDGETS[name]}
    sent = len(world.queue.sent)
    spent = {"messages": sent, **{each: world.counts[each] for each in ("runs.put", "blobs.put")}}
    if spent != budget:
        raise ViolationError("budget_is_kept", f"{spent} in place of {budget}")
    received = sum(letter.receives for letter in world.queue.sent)
    if not world.counts["ack"] == received == sent:
        raise ViolationError("every_message_is_received_once", f"{received}: {world.counts}")


def check_outcome(scenario: Scenario, usual: World, world: World, plan: Plan) -> None:
    """Check that what went wrong in a play changed nothing of what came of it.

    Args:
        scenario: What was played.
        usual: Its play without faults.
        world: Its play with faults.
        plan: The faults.

    Raises:
        ViolationError: It did, or a fault has cost more than it may.
    """
    try:
        # Two faults can use up the last attempt of a step.
        twice = len(plan) > 1
        _one_outcome(usual, world, interruptible=scenario.interruptible or twice)
        _attempts_are_used_up_by_deaths(scenario, usual, world, len(plan))
        _nobody_was_rescued(scenario, world)
        _a_fault_costs_little(usual, world, plan)
        _work_that_is_done_stalls_nothing(usual, world, plan)
    except ViolationError as violation:
        violation.add_note("\n".join(world.story))
        violation.add_note(f"plan: {plan}")
        raise


def _one_outcome(usual: World, world: World, *, interruptible: bool) -> None:
    expected, found = outcome(usual), outcome(world)
    same = found == expected
    if interruptible and len(found) == len(expected):
        pairs = zip(found, expected, strict=True)
        same = all(here.same_but_for_the_unknown(there) for here, there in pairs)
    if not same:
        detail = f"{found} in place of {expected}"
        raise ViolationError("one_outcome", detail)


def _attempts_are_used_up_by_deaths(
    scenario: Scenario, usual: World, world: World, faults: int
) -> None:
    """It takes two deaths to use up an attempt, and one where an attempt may begin once only."""
    more = attempts(world) - attempts(usual)
    deaths = faults if scenario.interruptible else faults // 2
    if not 0 <= more <= deaths:
        raise ViolationError("attempts_are_used_up_by_deaths", f"{more} more for {faults} faults")


def _nobody_was_rescued(scenario: Scenario, world: World) -> None:
    """Redelivery alone makes up for everything; the watchdog is for what nobody thought of.

    And it comes after the grace if a run was resumed and the message for that is lost or late.
    """
    if world.facts.recovered and not scenario.rescued and not world.facts.resumptions:
        raise ViolationError("nobody_was_rescued", f"{world.facts.recovered} runs were taken over")


def _messages(world: World) -> int:
    """Count messages, without those by which somebody looks again who has not heard of the end."""
    messages = (letter.message for letter in world.queue.sent)
    return sum(not (each.kind is MessageKind.CANCEL and each.attempt) for each in messages)


def _messages_of(call: Call) -> int:
    """Return how many messages a call sends; each of them is a cause if all are delivered twice."""
    return call.detail.count(", ") + 1 if call.name == "queue.send" else 1


def _a_fault_costs_little(usual: World, world: World, plan: Plan) -> None:
    """What goes wrong starts no second chain of messages that trails the run to its end."""
    doubled = [call for call in world.calls if plan.get(call.number) is FaultKind.TWICE]
    causes = len(plan) + sum(_messages_of(call) - 1 for call in doubled)
    causes += world.facts.resumptions + world.facts.recovered
    sent = _messages(world) - _messages(usual)
    # Whoever repeats what begins several branches sends to each of them once more.
    widest = max(map(_messages_of, usual.calls), default=1)
    # And whoever hands over once more lets the successor begin once more, which does the same.
    beginnings = 1 + (usual.counts["runs.hand_over"] > 0)
    # Who finds a step done by a message that goes on by itself asks for another look.
    looks = usual.settings.limits.steps_per_message > 1
    if sent > (1 + widest + looks) * beginnings * (causes + usual.facts.disturbances):
        raise ViolationError("a_fault_costs_little", f"{sent} more messages for {causes} causes")


def _work_that_is_done_stalls_nothing(usual: World, world: World, plan: Plan) -> None:
    """A message that is only not acknowledged may become a dead letter, and nobody minds.

    If that fails, too, the dead-letter function stalls the run without looking at it.
    """
    names = [call.name for call in world.calls if call.number in plan]
    if names == ["ack"] and world.facts.resumptions > usual.facts.resumptions:
        raise ViolationError("work_that_is_done_stalls_nothing", f"{world.history().head}")


def is_accident(error: BaseException) -> bool:
    """Say whether a play ended with an error that nobody meant, such as a ``TypeError``.

    An error of the engine's own is one that its user would get to see.
    """
    unexpected = isinstance(error, ViolationError) and error.invariant == "no_unexpected_errors"
    own = isinstance(error.__cause__, EverstepError)
    return (unexpected and not own) or not isinstance(error, AssertionError)
