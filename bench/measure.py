"""One load, from its plan to plain data: what was counted, timed and checked."""

from __future__ import annotations

import time
from statistics import mean, median, quantiles
from typing import TYPE_CHECKING, Any, Final

from bench import budget
from bench.charges import compared
from bench.drive import KEYED, PLAIN, drive
from bench.effects import EffectCounter
from bench.ledger import Phase, book_all, read_lines
from bench.metering.sizes import read_units
from bench.target import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bench.drive import Outcome, Plan
    from bench.ledger import Ledger, Line
    from bench.target import FunctionLog, Target

_FUNCTIONS: Final = {
    "trigger": "TriggerFunctionName",
    "step_executor": "StepExecutorFunctionName",
}


def measure(target: Target, plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """Carry out a plan and return everything that is known about it.

    Raises:
        LoadError: The runs did not end in time.
    """
    since = time.time()
    with EffectCounter() as counter:
        outcome = drive(target, plan, counter, say)
    swept = _sweep(target)
    lines = [line for line in read_lines(target.metering) if line["at"] >= since]
    ledger = book_all(lines, target.indexes(), outcome.groups)
    result: dict[str, Any] = {
        "plan": {"runs": plan.runs, "steps": plan.steps, "result_bytes": plan.result_bytes},
        "stack": {
            "executors": target.server.options.pollers,
            "memory_mb": target.memory_mb("StepExecutorFunctionName"),
        },
        "outcome": _outcome(plan, outcome),
        "counted": _counted(plan, outcome, ledger),
        "ledger": compared(ledger),
        "functions": {
            name: _function(target.log(output, since), lines, f"-{name.replace('_', '-')}")
            for name, output in _FUNCTIONS.items()
        },
    }
    result["idle"] = _idle(target, lines, swept)
    result["budget"] = [line.as_data() for line in budget.lines(result)]
    return result


def _sweep(target: Target) -> float:
    """Have the sweeper look once while nothing is due; return since when."""
    since = time.time()
    answer = target.client("lambda").invoke(
        FunctionName=target.outputs["SweeperFunctionName"], Payload=b"{}"
    )
    if "FunctionError" in answer:
        raise LoadError(f"the sweeper failed: {answer['Payload'].read()!r}")
    return since


def _idle(target: Target, lines: Iterable[Line], since: float) -> dict[str, Any]:
    """Return what one sweep takes that finds nothing to do."""
    queries = [
        read_units(line["read"], consistent=line["consistent"])
        for line in lines
        if line["function"].endswith("-sweeper") and line["at"] >= since and "read" in line
    ]
    log = target.log("SweeperFunctionName", since)
    sweeps = len(log.billed_ms)
    return {
        "queries_per_sweep": len(queries) / sweeps,
        "read_units_per_sweep": sum(queries) / sweeps,
        "billed_ms_mean": round(mean(log.billed_ms), 1),
    }


def _outcome(plan: Plan, outcome: Outcome) -> dict[str, Any]:
    return {
        "statuses": dict(outcome.statuses),
        "steps_done": outcome.done,
        "effects_not_exactly_once": len(outcome.repeated),
        "left_in_queue": outcome.left["QueueUrl"],
        "left_in_dead_letters": outcome.left["DeadLetterQueueUrl"],
        "seconds": round(outcome.seconds, 1),
        "steps_per_second": round(plan.runs * plan.steps / outcome.seconds, 1),
    }


def _counted(plan: Plan, outcome: Outcome, ledger: Ledger) -> dict[str, Any]:
    steps = plan.runs * plan.steps
    groups = list(outcome.groups.values())
    records = ledger.table.sizes("OP#", outcome.groups)
    heads = ledger.table.sizes("#HEAD", outcome.groups)
    return {
        "step": ledger.of(Phase.STEP).per(steps),
        "start_plain": ledger.of(Phase.START, PLAIN).per(groups.count(PLAIN)),
        "start_keyed": ledger.of(Phase.START, KEYED).per(groups.count(KEYED)),
        "end": ledger.of(Phase.END).per(plan.runs),
        "reads_by_units": {str(n): count for n, count in sorted(ledger.queries.items())},
        "record_bytes": round(mean(records)),
        "head_bytes": round(mean(heads)),
    }


def _function(log: FunctionLog, lines: Iterable[Line], suffix: str) -> dict[str, Any]:
    """Return the time of a function's invocations on LocalStack, and what it logs."""
    processes = {line["pid"] for line in lines if line["function"].endswith(suffix)}
    count = len(log.billed_ms)
    return {
        "processes": len(processes),
        "invocations": count,
        "billed_ms_mean": round(mean(log.billed_ms), 1),
        "billed_ms_p50": median(log.billed_ms),
        "billed_ms_p95": quantiles(log.billed_ms, n=20)[-1] if count > 1 else log.billed_ms[0],
        "log_bytes_own": round(log.own_bytes / count),
        "log_bytes_platform": round(log.platform_bytes / count),
    }
