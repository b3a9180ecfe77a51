"""A result as `make bench` writes it, small enough to be checked by eye."""

from __future__ import annotations

from typing import Any, Final

Data = dict[str, Any]

SIZE: Final = {
    "shape": "sequence",
    "runs": 200,
    "steps": 10,
    "seconds": 0,
    "millis": 0,
    "kill_at": 0,
}


def workload(**figures: float) -> Data:
    return {"size": SIZE, "rounds": 3, "figures": figures}


def engine(name: str, baseline: str, **more: object) -> Data:
    return {
        "name": name,
        "title": name.replace("-", " ").title(),
        "keeps": "in the process",
        "baseline": baseline,
        **more,
    }


def result() -> Data:
    memory = engine(
        "everstep-memory",
        "everstep-memory",
        versions={"everstep": "0.1.0"},
        load_before=0.25,
        workloads={
            "W1": workload(steps_per_second=2_000, cpu_ms_per_step=0.4, p50_ms=40, p95_ms=90),
            "W2": {
                **workload(
                    p50_ms=0.5,
                    p95_ms=0.9,
                    cpu_ms_per_step=0.4,
                    early_ms=0.5,
                    middle_ms=0.5,
                    late_ms=0.55,
                    growth=1.1,
                ),
                "size": {**SIZE, "runs": 1, "steps": 1_000},
            },
            "W3": workload(late_p50_ms=20, late_p99_ms=80, asleep_mb=41, asleep_cpu=0.01),
            "W4 100": workload(seconds=0.1, ms_per_item=1),
            "W5": {"size": SIZE, "reason": "it is in the process"},
        },
    )
    peer = engine(
        "aws-durable",
        "everstep-memory",
        versions={"sdk": "3.0.0"},
        load_before=0.5,
        workloads={
            "W1": workload(steps_per_second=400, cpu_ms_per_step=2, p50_ms=80, p95_ms=200),
            "W2": {
                **workload(
                    steps_per_second=500,
                    p50_ms=2,
                    p95_ms=3,
                    cpu_ms_per_step=2,
                    early_ms=1.8,
                    middle_ms=2.3,
                    late_ms=2.7,
                    growth=1.5,
                ),
                "size": {**SIZE, "runs": 1, "steps": 1_000},
            },
            "W4 100": workload(seconds=0.2, ms_per_item=2),
            "W5": workload(again=1, finished=1, recovered_s=6.1),
        },
    )
    absent = engine("absurd", "everstep-memory", reason="PostgreSQL is not installed")
    return {
        "date": "2026-01-31",
        "command": "make bench",
        "minutes": 18.4,
        "quick": False,
        "machine": {
            "cores": 2,
            "cpu": "A processor",
            "memory_gb": 8,
            "system": "Linux",
            "python": "3.11.7",
            "load": 0.1,
        },
        "engines": [memory, peer, absent],
        "counted": {
            "step": {"query": 1, "put_item": 1, "read_units": 1, "write_units": 1, "sends": 1},
            "late": [_late(100, 2), _late(1_000, 3)],
            "runs": {"default": _run(1, 1), "burst": _run(0.01, 0.02)},
            "fan": [_fan(100, 1, 3.2), _fan(1_000, 1, 3.02), _fan(1_000, 10, 2.2)],
            "lanes": [_fan(1_000, 1, 3.01)],
        },
        "cpu": {
            "step_ms": {"W1": 0.3, "W2": 0.31},
            "replay": {"sequence": [_replay(100, 2), _replay(1_000, 18)]},
        },
        "cold_start": {"functions": {"step_executor": {"cpu_ms": 210.4}}},
    }


def _late(after: int, read_units: float) -> Data:
    return {
        "after": after,
        "kept": True,
        "read_units": read_units,
        "write_units": 1,
        "requests": 2,
        "messages": 1,
    }


def _run(sends: float, messages: float) -> Data:
    return {
        "query": sends,
        "put_item": 1,
        "read_units": 2 * sends,
        "write_units": 1,
        "sends": sends,
        "messages": messages,
    }


def _fan(items: int, batch: int, requests: float) -> Data:
    return {
        "items": items,
        "batch": batch,
        "requests_per_item": requests,
        "read_units_per_item": 2,
        "write_units_per_item": 1,
    }


def _replay(operations: int, millis: float) -> Data:
    return {"operations": operations, "total_ms": millis}
