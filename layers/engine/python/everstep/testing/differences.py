"""Two passes that part, told so that one can mend the workflow."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from everstep.core.model import ErrorInfo
    from everstep.core.tracing import Moment

_WIDTH: Final = 96
_CHECK: Final = "`everstep check` finds most such places without running anything."


class Cause(StrEnum):
    """What differs around two passes."""

    CLOCK = "the clock"
    CHANCE = "the seed of random"
    ENVIRONMENT = "environment variables"
    AGAIN = "nothing: the code just ran once more in the same process"
    AGAIN_OR_THE_CLOCK = "the clock, or nothing: the code ran once more in the same process"
    LEFT_BEHIND = (
        "what the run or an earlier pass left behind in this process, such as a module global"
    )
    HASH_SEED = "the hash seed (PYTHONHASHSEED), which orders sets, another one in each process"
    FRESH = "the process: a fresh one knows nothing of what happened in this one"
    PROCESS = "the process, even with the same hash seed"


_ADVICE: Final = {
    Cause.CLOCK: "take the time from ctx.now(), or read the clock in a step",
    Cause.CHANCE: "draw from ctx.random(), or in a step",
    Cause.ENVIRONMENT: "hand settings over in the workflow's input, or read them in a step",
    Cause.AGAIN: "take ids from ctx.uuid() and chance from ctx.random(), not from uuid4() and "
    "secrets; let workflow code change no module global; put what comes from outside into a step",
    Cause.AGAIN_OR_THE_CLOCK: "take time, ids and chance from ctx.now(), ctx.uuid() and "
    "ctx.random(); let workflow code change no module global; put what comes from outside into a "
    "step",
    Cause.LEFT_BEHIND: "let workflow code keep nothing outside its own variables; caches belong "
    "into steps",
    Cause.HASH_SEED: "go through sorted(…) and not through a set; let nothing depend on hash()",
    Cause.FRESH: "let workflow code keep nothing in module globals, and read nothing there that "
    "steps or tests change",
    Cause.PROCESS: "let nothing depend on id(), the process id, threads, or what differs from one "
    "process to the next; put that into a step",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """Where two passes part: what each does when it is told the same operations."""

    one: Moment
    other: Moment


def parting(one: Iterable[Moment], other: Iterable[Moment]) -> Parting | None:
    """Return the first moment in which two passes differ; None if there is none.

    Only moments that both have are compared: a run's own records do not tell its end.
    """
    moments = {moment.told: moment for moment in other}
    for moment in one:
        there = moments.get(moment.told, moment)
        if not moment.same_as(there):
            return Parting(one=moment, other=there)
    return None


class DeterminismError(AssertionError):
    """Two passes over a workflow's code do not do the same.

    Attributes:
        operation: Key of the recorded operation after which they part; None for the beginning.
        causes: What made the difference, as far as that could be found out.
    """

    def __init__(
        self, text: str, operation: str | None = None, causes: Sequence[Cause] = ()
    ) -> None:
        """Tell the text."""
        self.operation = operation
        self.causes = tuple(causes)
        super().__init__(text)

    @classmethod
    def of_a_parting(
        cls, name: str, found: Parting, causes: Sequence[Cause], keys: Sequence[str]
    ) -> Self:
        """Tell where two passes part.

        Args:
            name: The workflow.
            found: What each of them does.
            causes: What differed around them.
            keys: The recorded operations, in order.
        """
        told = found.one.told
        after = keys[told - 1] if told else None
        where = f"after {after}" if after else "at the beginning"
        what = " or ".join(causes)
        lines = [
            f"{name} is not deterministic: two passes over its code part {where}",
            f"  one pass: {_does(found.one, found.other)}",
            f"  another:  {_does(found.other, found.one)}",
            f"What differed: {what}",
            *_wrapped(f"What to do: {'; '.join(_ADVICE[cause] for cause in causes)}. {_CHECK}"),
        ]
        return cls("\n".join(lines), after, causes)

    @classmethod
    def of_a_stall(cls, name: str, reason: ErrorInfo) -> Self:
        """Tell that the run stands still, although no two passes were seen to part."""
        lines = [
            f"{name} stands still before its end: {reason.type}: {reason.message}",
            *_wrapped("What to do: let the run end as it should first; then compare its passes."),
        ]
        return cls("\n".join(lines), reason.operation)


def _does(moment: Moment, other: Moment) -> str:
    *before, key = moment.asked or ("",)
    text = moment.shown.get("", "")
    told = {
        "step": f"asks for the step {key}{_arguments(moment, other)}",
        "sleep": f"asks for the sleep {key} {text}",
        "wait": f"waits for the event {key} {text}",
        "stands": f"waits for {text}",
        "returns": f"returns {text}",
        "fails": f"fails with {text}",
        "breaks": f"cannot go on: {text}",
    }[moment.does]
    if moment.asked[:-1] == other.asked[:-1]:
        return told
    return f"{told} (asked for before: {', '.join(before) or 'nothing'})"


def _arguments(moment: Moment, other: Moment) -> str:
    """Return the arguments that differ, or all of them where the other asks for something else."""
    same_step = moment.asked == other.asked and moment.does == other.does
    shown = {
        name: value
        for name, value in moment.shown.items()
        if not same_step or other.shown.get(name) != value
    }
    return f" with {', '.join(f'{name}={value}' for name, value in shown.items())}" if shown else ""


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent="  ")
