"""The latency of a step on AWS, as a model: `python -m bench.latency`.

The real engine runs in virtual time; every request takes a time that is drawn from what
`bench/latencies.toml` assumes. Nothing here was measured on AWS.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

from bench.virtual.assumptions import load_assumptions
from bench.virtual.deployment import Case, Deployment, Own
from bench.virtual.paths import gaps, path_of
from bench.virtual.processor import measured
from everstep import Context, step, workflow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.virtual.assumptions import Assumptions
    from bench.virtual.deployment import Seen
    from everstep import Workflow

RESULTS: Final = Path(__file__).with_name("results")
SEED: Final = 1
BURST: Final = 100
CASES: Final = (
    Case(name="default, 256 MB", memory_mb=256),
    Case(name="default, 1,024 MB", memory_mb=1024),
    Case(name=f"burst of {BURST}, 256 MB", memory_mb=256, steps_per_message=BURST),
    Case(name=f"burst of {BURST}, 1,024 MB", memory_mb=1024, steps_per_message=BURST),
)
COLD: Final = Case(name="default, 256 MB, no environment yet", memory_mb=256, cold=True)
_MILLIS: Final = 1_000


@step
def count(number: int) -> int:
    """Count one up; takes no time of its own."""
    return number + 1


@workflow(name="steps")
async def counts(ctx: Context, steps: int) -> int:
    """Run so many steps, one after the other."""
    number = 0
    for _ in range(steps):
        number = await ctx.step(count, number)
    return number


@workflow(name="naps")
async def naps(ctx: Context, steps: int) -> int:
    """Run so many steps, with a second of sleep after each."""
    number = 0
    for _ in range(steps):
        number = await ctx.step(count, number)
        await ctx.sleep(1)
    return number


@workflow(name="fan")
async def fan(ctx: Context, items: int) -> int:
    """Run a step for each of so many items, side by side."""
    batch = await ctx.map(count, range(items))
    return batch.succeeded


def measure(
    *,
    w1: tuple[int, int] = (200, 10),
    w2: int = 1_000,
    naps_of: int = 100,
    w4: tuple[int, int] = (20, 100),
    own: Own | None = None,
    seed: int = SEED,
) -> dict[str, Any]:
    """Return what the model says.

    Args:
        w1: How many runs at once, and of how many steps each.
        w2: How many steps one after the other.
        naps_of: How many steps with a sleep after each.
        w4: How many runs, one after the other, and how many steps side by side in each.
        own: What work takes; measured if not given.
        seed: Of chance.
    """
    assumed = load_assumptions()
    taken = own or measured(counts, max(w1[1], 100))
    made: list[dict[str, Any]] = []
    for case in CASES:
        runs = _Runs(case, assumed, taken, seed)
        made.append(
            {
                **asdict(case),
                "w1": runs.many(counts, [w1[1]] * w1[0]),
                "w2": runs.many(counts, [w2]),
                "w2b": runs.many(naps, [naps_of]),
                "w4": runs.whole(fan, *w4),
            }
        )
    return {
        "model": True,
        "workload": {"w1": list(w1), "w2": w2, "w2b": naps_of, "w4": list(w4), "seed": seed},
        "own": {"engine_ms_per_step": taken.step, "client_ms_per_request": taken.call},
        "cases": made,
        "cold_name": COLD.name,
        "cold": _Runs(COLD, assumed, taken, seed).many(counts, [w1[1]] * w1[0]),
        "assumed": assumed.told["meta"]["date"],
    }


class _Runs:
    """Plays workloads on one kind of deployment."""

    def __init__(self, case: Case, assumed: Assumptions, own: Own, seed: int) -> None:
        self._case, self._assumed, self._own, self._seed = case, assumed, own, seed

    def many(self, flow: Workflow[Any, Any], values: Sequence[int]) -> dict[str, Any]:
        """Return times and path of the steps of runs that are all started at once."""
        seen = self._play(flow, values)
        between = [gap for commits in seen.commits.values() for gap in gaps(commits)]
        said = {
            "runs": len(seen.lasted),
            "messages": seen.messages,
            "step_ms": _percentiles(between),
            "first_step_ms": _percentiles(
                commits[0].at - seen.started[run_id] for run_id, commits in seen.commits.items()
            ),
            "run_ms": _percentiles(at - seen.started[run_id] for run_id, at in seen.lasted.items()),
            "path": [
                {"what": what, "times": times, "mean_ms": mean}
                for what, times, mean in path_of(seen.commits.values())
            ],
        }
        if seen.late:
            said["late_ms"] = _percentiles(late * _MILLIS for late in seen.late)
        return said

    def whole(self, flow: Workflow[Any, Any], runs: int, items: int) -> dict[str, Any]:
        """Return how long runs with so many items take, each on a deployment of its own.

        One would tell little: it ends when the slowest of its messages has come.
        """
        played = [self._play(flow, [items], more) for more in range(runs)]
        return {
            "messages": sum(seen.messages for seen in played) / runs,
            "run_ms": _percentiles(
                at - seen.started[run_id] for seen in played for run_id, at in seen.lasted.items()
            ),
        }

    def _play(self, flow: Workflow[Any, Any], values: Sequence[int], more: int = 0) -> Seen:
        deployment = Deployment(flow, self._case, self._assumed, self._own, self._seed + more)
        for value in values:
            deployment.start(value)
        return deployment.run()


def _percentiles(micros: Iterable[int]) -> dict[str, float]:
    """Return median, 99th percentile and mean in milliseconds."""
    millis = sorted(each / _MILLIS for each in micros)
    if len(millis) == 1:
        return {"p50": millis[0], "p99": millis[0], "mean": millis[0]}
    cut = quantiles(millis, n=100, method="inclusive")
    return {"p50": cut[49], "p99": cut[98], "mean": sum(millis) / len(millis)}


def main(arguments: list[str] | None = None) -> None:
    """Play everything, print it and write it down."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__)
    parser.add_argument("--output", type=Path, help="file for the result as JSON")
    parsed = parser.parse_args(arguments)
    date = datetime.now(UTC).date().isoformat()
    result = {"date": date, "command": "python -m bench.latency", **measure()}
    for line in told(result):
        print(line)
    path = parsed.output or RESULTS / f"{date}-latency.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path}")


def told(result: dict[str, Any]) -> Iterable[str]:
    """Yield what a person wants to read of a result."""
    yield "a model: nothing here was measured on AWS"
    for case in result["cases"]:
        yield f"{case['name']}:"
        for name in ("w1", "w2"):
            step_ms = case[name]["step_ms"]
            yield f"  {name} step: p50 {step_ms['p50']:.0f} ms, p99 {step_ms['p99']:.0f} ms"
        yield from (
            f"    {each['times']:5.2f} x {each['what']}: {each['mean_ms']:.1f} ms"
            for each in case["w2"]["path"]
        )


if __name__ == "__main__":
    main()
