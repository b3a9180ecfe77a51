"""What went wrong in a schedule, in words that a user of the engine understands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from everstep.core.model import HEAD
from everstep.testing.simulation.faults import FaultKind

if TYPE_CHECKING:
    from everstep.testing.simulation.faults import Call

_DOING: Final = {
    "runs.create": "recording the new run",
    "runs.load": "reading the run",
    "runs.rest": "reading the run",
    "runs.head": "reading the run",
    "runs.claim": "looking up who has the idempotency key",
    "runs.peek": "reading what may have changed of the run",
    "runs.within": "seeing whether a branch goes on",
    "runs.move": "moving a timer",
    "runs.put_event": "keeping an event",
    "runs.replace_event": "keeping a sign of life",
    "runs.claim_event": "claiming an event",
    "runs.change": "recording a change of the run itself",
    "timers.due": "looking for what is due",
    "lists.newest": "listing runs",
    "lists.count": "counting runs",
    "lists.every": "listing runs",
    "blobs.get": "fetching a large payload",
    "blobs.put": "keeping a large payload",
    "blobs.copy": "keeping another run's large payload",
    "blobs.clear": "removing large payloads",
    "dead_letters.keep": "keeping a dead letter",
    "ack": "acknowledging its message",
}
_WORDS: Final = {
    FaultKind.CRASH_BEFORE: "the {who} dies right before {doing}",
    FaultKind.CRASH_AFTER: "the {who} dies right after {doing}",
    FaultKind.ANSWER_LOST: "the {who} gets no answer to {doing}, although it was done",
    FaultKind.UNAVAILABLE: "the {who} is refused when {doing}",
    FaultKind.PARTIAL: "the {who} gets only half of the messages off when {doing}",
    FaultKind.TWIN: "a second {who} does all of the same work right before {doing}",
    FaultKind.STANDS_STILL: (
        "the {who} stands still right before {doing}, and goes on when all else is over"
    ),
    FaultKind.TWICE: "the {who} is {doing}: it arrives twice",
    FaultKind.AGAIN_LATER: "the {who} is {doing}: it arrives once more when all is over",
    FaultKind.LATE: "the {who} is {doing}: it arrives ten minutes late",
    FaultKind.EARLY: "the {who} is {doing}: it arrives early",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that went wrong at a call."""

    call: Call
    kind: FaultKind

    @property
    def operation(self) -> str:
        """Return the operation that it was about; HEAD for the run itself."""
        return self.call.op

    def __str__(self) -> str:
        who = self.call.task.split(" ")[0]
        if self.call.name == "effect":
            return f"the {who} dies after executing {self.call.op}, before its result is recorded"
        return _WORDS[self.kind].format(who=who, doing=_doing(self.call))


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something odd that happened between calls."""

    label: str
    operation: str = HEAD

    def __str__(self) -> str:
        return self.label


Incident = Fault | Oddity


def _doing(call: Call) -> str:
    match call.name:
        case "attempt":
            return f"beginning to execute {call.op}"
        case "runs.put":
            return f"recording how {call.op} went"
        case "queue.send":
            return f"sending the message for {call.op or 'the start of the run'}"
        case name:
            return _DOING.get(name, name)
