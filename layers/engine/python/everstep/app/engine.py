"""The engine's ports and limits in one value, assembled once per process."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from everstep.app.deadline import call_within
from everstep.app.payloads import PLAIN
from everstep.app.unbilled import Unbilled
from everstep.core.durations import MINUTE
from everstep.core.masking import BY_NAME, Masking
from everstep.core.observations import unobserved
from everstep.core.records import dataclass
from everstep.core.retry import Retry
from everstep.core.run_logs import LogLimits
from everstep.core.spending import USUAL_MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from everstep.app.kept import Passes
    from everstep.authoring.registry import Registry
    from everstep.core.observations import Observation
    from everstep.core.trace_context import TraceContext
    from everstep.ports import (
        BlobStore,
        Clock,
        DeadLetters,
        Ids,
        PayloadCodec,
        Queue,
        RunList,
        RunStore,
        TimerIndex,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes and times in milliseconds.

    Attributes:
        inline: Recorded text above this goes to the blob store.
        payload: Recorded text above this is refused.
        grace: How long a message that was sent may take to leave a trace before the sweeper
            sends it again; longer than the visibility time-out.
        watchdog: How long a run may show no progress before the sweeper takes it over; longer
            than a message can be retried before it becomes a dead letter.
        logs: What is kept of what code says.
        attempt: By when an attempt is surely over, where neither its step nor the function that
            it runs in says how long it may take.
        runs: How many runs may be there that have not ended, before starts are refused; 0 for
            any number.
        runs_of: The same for single workflows, by name.
        run_timeout: How long a run may take whose workflow and start say nothing; None for ever.
        retention: How long a run is kept after its end whose workflow and start say nothing, in
            milliseconds; None for ever.
        step_timeout: How long an attempt of a step may take that says nothing; None for as long
            as the function has.
        retry: How a step is tried that says nothing.
        steps_per_message: How many steps a message may carry out, one after another, of a
            workflow that says nothing; 1 for a message per step.
    """

    inline: int = 32 * 1024
    payload: int = 5 * 1024 * 1024
    grace: int = 7 * MINUTE
    watchdog: int = 360 * MINUTE
    attempt: int = MINUTE
    runs: int = 0
    runs_of: Mapping[str, int] = field(default_factory=dict)
    run_timeout: int | None = None
    retention: int | None = None
    step_timeout: int | None = None
    retry: Retry = field(default_factory=Retry)
    steps_per_message: int = 1
    logs: LogLimits = field(default_factory=LogLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """An attempt's call of user code, about to be made.

    Attributes:
        run_id: The run.
        key: The operation.
        attempt: Its number, from 1.
        fn: The step's function.
        args: What it is called with, by position.
        kwargs: What it is called with, by name.
        limit: Longest time in milliseconds; None for no limit.
        probe: Whether this is no attempt, but finds out what became of it.
        trace: Where it is in a trace.
    """

    run_id: str
    key: str
    attempt: int
    fn: Callable[..., object]
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    limit: int | None
    probe: bool = False
    trace: TraceContext | None = None

    def carry_out(self) -> object:
        """Return what the function, or the coroutine that it makes, gives.

        Raises:
            StepTimeout: Time was up.
        """
        return call_within(lambda: self.fn(*self.args, **self.kwargs), self.limit)


def untraced() -> TraceContext | None:
    """Return no trace."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Everything that a use case needs.

    ``execute`` calls the user's code; tests put something of their own in its place. ``kept``
    holds suspended passes from one message of a run to the next; None to replay for each.
    ``masking`` is what is masked in every run, and ``codec`` makes of payloads what is recorded.
    ``observe`` is told what was done, and ``called_in`` tells the trace that this process is
    called in, if somebody records one. ``memory`` and ``architecture`` are this process's, and
    ``unbilled`` is what was taken for runs and waits to be recorded with them.
    """

    runs: RunStore
    timers: TimerIndex
    lists: RunList
    dead_letters: DeadLetters
    queue: Queue
    blobs: BlobStore
    clock: Clock
    ids: Ids
    registry: Registry
    limits: Limits = field(default_factory=Limits)
    execute: Callable[[Execution], object] = Execution.carry_out
    kept: Passes | None = None
    masking: Masking = BY_NAME
    codec: PayloadCodec = PLAIN
    observe: Callable[[Observation], None] = unobserved
    called_in: Callable[[], TraceContext | None] = untraced
    memory: int = USUAL_MEMORY
    architecture: str = "arm64"
    unbilled: Unbilled = field(default_factory=Unbilled)
