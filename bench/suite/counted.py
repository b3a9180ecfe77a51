"""What Everstep asks of AWS, counted over the model of the table: nothing here is timed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from bench.long_runs import BATCHES, Process, counts, lanes, late_steps, map_of, maps
from bench.suite.plan import BURST
from everstep.adapters.dynamodb.store import DynamoRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from everstep import Workflow

STEPS: Final = 10
RUN: Final = 100
AT: Final = (100, 1_000)
FANS: Final = (100, 1_000)


class _Counting:
    """Counts by name what is called of a client."""

    def __init__(self, client: object) -> None:
        self._client = client
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def counted(**request: Any) -> Any:  # noqa: ANN401 - botocore's
            self.calls[name] += 1
            return getattr(self._client, name)(**request)

        return counted


def measure(at: Sequence[int] = AT, fans: Sequence[int] = FANS) -> dict[str, Any]:
    """Count what sequential steps, late steps and steps side by side take."""
    return {
        "step": _step(),
        "late": [
            {
                "after": each.after,
                "kept": each.kept,
                "read_units": each.read_units,
                "write_units": each.write_units,
                "requests": each.requests,
                "messages": each.messages,
            }
            for each in late_steps(at)
        ],
        "fan": [_fan(items, batch) for items in fans for batch in BATCHES],
        "lanes": [_fan(items, batch, lanes) for items in fans for batch in BATCHES],
        "runs": {"default": _of_run(1), "burst": _of_run(BURST)},
    }


def _step() -> dict[str, float]:
    """Return what a step in the middle of a run takes: neither its start nor its end."""
    counting = _Counted(steps=STEPS + 2)
    counting.work(messages=1)
    before = counting.taken()
    counting.work(messages=STEPS)
    return _per(counting.taken() - before, STEPS)


def _of_run(steps_per_message: int) -> dict[str, float]:
    """Return what a step of a whole run takes, the run's start left out and its end included."""
    counting = _Counted(steps=RUN, steps_per_message=steps_per_message)
    before = counting.taken()
    counting.work()
    return _per(counting.taken() - before, RUN)


def _per(taken: Counter[str], count: int) -> dict[str, float]:
    return {name: amount / count for name, amount in taken.items()}


class _Counted:
    """One run of steps, of which everything is counted."""

    def __init__(self, *, steps: int, steps_per_message: int = 1) -> None:
        self._process = process = Process(counts)
        self._calls = _Counting(process.client)
        client: Any = self._calls
        process.engine = replace(
            process.engine,
            runs=DynamoRuns(client, "table"),
            limits=replace(process.engine.limits, steps_per_message=steps_per_message),
        )
        process.start(steps)
        self._done = 0
        self._messages = process.messages()

    def work(self, messages: int | None = None) -> None:
        """Process so many messages, or all."""
        for _ in islice(self._messages, messages):
            self._done += 1

    def taken(self) -> Counter[str]:
        """Return what was taken so far; units are in fractions, which a counter can hold."""
        taken, queue = self._process.client.taken, self._process.queue
        found: Counter[str] = Counter(self._calls.calls)
        sums: dict[str, Any] = {
            "read_units": taken.read_units,
            "write_units": taken.write_units,
            "sends": queue.requests,
            "messages": self._done,
        }
        found.update(sums)
        return found


def _fan(items: int, batch: int, flow: Workflow[Any, Any] = maps) -> dict[str, float]:
    each = map_of(items, batch, flow=flow)
    return {
        "items": items,
        "batch": batch,
        "requests_per_item": each.requests + each.sends,
        "read_units_per_item": each.read_units,
        "write_units_per_item": each.write_units,
    }
