"""What Everstep asks of AWS, counted over the model of the table: nothing here is timed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bench.long_runs import Process, counts, late_steps, maps
from everstep.adapters.dynamodb.store import DynamoRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STEPS: Final = 10
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
        "fan": [_fan(items) for items in fans],
    }


def _step() -> dict[str, float]:
    """Return what a step in the middle of a run takes: neither its start nor its end."""
    process = Process(counts)
    counting = _Counting(process.client)
    client: Any = counting
    process.engine = replace(process.engine, runs=DynamoRuns(client, "table"))
    process.start(STEPS + 2)
    messages = process.messages()
    next(messages)
    taken = process.client.taken
    before = counting.calls.copy()
    read, written, sent = taken.read_units, taken.write_units, process.queue.requests
    for _ in range(STEPS):
        next(messages)
    taken = process.client.taken
    calls = {name: count / STEPS for name, count in (counting.calls - before).items()}
    return {
        **calls,
        "read_units": (taken.read_units - read) / STEPS,
        "write_units": (taken.write_units - written) / STEPS,
        "sends": (process.queue.requests - sent) / STEPS,
    }


def _fan(items: int) -> dict[str, float]:
    process = Process(maps)
    process.start(items)
    for _ in process.messages():
        pass
    taken, queue = process.client.taken, process.queue
    return {
        "items": items,
        "requests_per_item": (taken.requests + queue.requests) / items,
        "read_units_per_item": taken.read_units / items,
        "write_units_per_item": taken.write_units / items,
    }
