"""A result and the prices as tables of text: what the terminal and the document show alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from bench.budget import READS
from bench.prices import (
    ASSUMED_MS,
    Assumption,
    bill,
    history_read_units,
    idle_month,
    mean_read_units,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.prices import Bill

Data = dict[str, Any]

_PHASES: Final = {
    "step": "step",
    "start_plain": "run: start",
    "start_keyed": "run: start with idempotency key",
    "end": "run: end",
}
_LENGTHS: Final = (1, 10, 100, 1000)
_PAYLOADS: Final = (0, 512, 1024, 4096, 16384)
_NOTHING: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One table: a title, the names of its columns, its rows. The first column is text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def counted(result: Mapping[str, Any]) -> Figures:
    """Return what functions asked of AWS, per step and per run."""
    sums: dict[str, Data] = {name: result["counted"][name] for name in _PHASES}
    rows = [
        *_rows("", "calls", sums),
        ("DynamoDB read units", *(_number(each["read_units"]) for each in sums.values())),
        ("DynamoDB write units", *(_number(each["write_units"]) for each in sums.values())),
        *_rows("index write units: ", "index_units", sums),
        ("SQS requests (sends)", *(_number(each["sqs_requests"]) for each in sums.values())),
        ("bytes sent", *(f"{each['bytes_sent']:,.0f}" for each in sums.values())),
        ("bytes received", *(f"{each['bytes_received']:,.0f}" for each in sums.values())),
    ]
    return Figures(
        title="Counted, per step and per run", columns=("", *_PHASES.values()), rows=tuple(rows)
    )


def functions(result: Mapping[str, Any]) -> Figures:
    """Return how long invocations took: on this machine, which says nothing of AWS."""
    rows = [
        (
            name.replace("_", "-"),
            str(each["invocations"]),
            str(each["processes"]),
            f"{each['billed_ms_mean']:.0f} ms",
            f"{each['billed_ms_p50']:.0f} ms",
            f"{each['billed_ms_p95']:.0f} ms",
            str(each["log_bytes_own"] + each["log_bytes_platform"]),
        )
        for name, each in result["functions"].items()
    ]
    columns = ("function", "invocations", "processes", "mean", "p50", "p95", "log bytes each")
    return Figures(title="LocalStack time, not AWS time", columns=columns, rows=tuple(rows))


def dollars(
    result: Mapping[str, Any],
    prices: Mapping[str, Any],
    batched: Mapping[str, Any] | None = None,
) -> Figures:
    """Return what a million steps cost, part by part, by batch size and memory.

    Args:
        result: A load with one message in a batch.
        prices: The table of prices.
        batched: A load with full batches, if there is one: what it has logged.
    """
    cases = [
        Assumption(memory_mb=memory, billed_ms=billed, batch=batch)
        for memory, billed in sorted(ASSUMED_MS.items(), reverse=True)
        for batch in (1, 10)
    ]
    step = result["counted"]["step"]
    bills = [bill(prices, step, case) for case in cases]
    shares = [run_bill(result, prices, case) / result["plan"]["steps"] for case in cases]
    logged = {1: log_dollars(result, prices), 10: batched and log_dollars(batched, prices)}
    logs = [logged[case.batch] for case in cases]
    per_run = f"share of a run's start and end ({result['plan']['steps']} steps)"
    rows = (
        *_parts(bills),
        ("**a step**", *(f"**{each.total:.2f}**" for each in bills)),
        (per_run, *(f"{share:.2f}" for share in shares)),
        (
            "**a step with its share**",
            *(f"**{each.total + share:.2f}**" for each, share in zip(bills, shares, strict=True)),
        ),
        (
            f"Lambda compute, were it LocalStack's time ({_localstack_ms(result):.0f} ms)",
            *(
                f"{bill(prices, step, replace(case, billed_ms=_localstack_ms(result))).compute:.2f}"
                for case in cases
            ),
        ),
        ("logs at level INFO", *(_NOTHING if each is None else f"{each:.2f}" for each in logs)),
    )
    columns = tuple(
        f"batch {case.batch}, {case.memory_mb} MB, {case.billed_ms:.0f} ms" for case in cases
    )
    return Figures(title="Dollars per million steps", columns=("", *columns), rows=rows)


def run_dollars(result: Mapping[str, Any], prices: Mapping[str, Any]) -> Figures:
    """Return what the start and the end of a million runs cost, beside their steps."""
    assumed = Assumption(memory_mb=256, billed_ms=ASSUMED_MS[256])
    starts = [
        bill(prices, result["counted"][name], assumed, through_api=True)
        for name in ("start_plain", "start_keyed")
    ]
    end = bill(prices, result["counted"]["end"], assumed, messages=0)
    bills = [*starts, end]
    rows = (*_parts(bills), ("**sum**", *(f"**{each.total:.2f}**" for each in bills)))
    return Figures(
        title="Dollars per million runs, beside their steps",
        columns=("", *(name for key, name in _PHASES.items() if key != "step")),
        rows=rows,
    )


def run_bill(result: Mapping[str, Any], prices: Mapping[str, Any], assumed: Assumption) -> float:
    """Return what start and end of a million runs cost, without an idempotency key."""
    counts = result["counted"]
    start = bill(prices, counts["start_plain"], assumed, through_api=True)
    return start.total + bill(prices, counts["end"], assumed, messages=0).total


def peers(result: Mapping[str, Any], prices: Mapping[str, Any]) -> Figures:
    """Return what others ask for orchestrating the same: a million steps, in runs of ten."""
    steps = result["plan"]["steps"]
    rows = [
        _own(result, prices, Assumption(memory_mb=256, billed_ms=ASSUMED_MS[256], batch=batch))
        for batch in (1, 10)
    ]
    for peer in prices["peers"].values():
        if "per_million_steps" in peer:
            price = peer["per_million_steps"]
            cells = (f"{price:.2f}", f"{price * (steps + 1) / steps:.2f}")
        else:
            cells = (_NOTHING, f"{peer['per_million_requests'] / steps:.2f}")
        rows.append((peer["name"], *cells, peer["extra"]))
    return Figures(
        title=f"Dollars per million steps beside others, in runs of {steps} steps",
        columns=("", "per step alone", "with the run's share", "comes on top"),
        rows=tuple(rows),
    )


def history(
    result: Mapping[str, Any], prices: Mapping[str, Any], measured: Mapping[int, float]
) -> Figures:
    """Return how the read of the history grows with the number of steps before it.

    Args:
        result: Gives the sizes of head and records, and everything else that a step takes.
        prices: The table of prices.
        measured: Read units per step that were counted, by length of the run.
    """
    head, record = result["counted"]["head_bytes"], result["counted"]["record_bytes"]
    price = prices["dynamodb"]["per_million_read_units"]
    rest = bill(
        prices,
        {**result["counted"]["step"], "read_units": 0},
        Assumption(memory_mb=256, billed_ms=ASSUMED_MS[256]),
    ).total
    rows = []
    for steps in _LENGTHS:
        mean = mean_read_units(steps, head, record)
        rows.append(
            (
                f"{steps:,}",
                str(history_read_units(steps, head, record)),
                f"{mean:.2f}",
                f"{measured[steps]:.2f}" if steps in measured else _NOTHING,
                f"{mean * price:.2f}",
                f"{rest + mean * price:.2f}",
            )
        )
    columns = (
        "steps of the run",
        "read units of the last step",
        "mean per step",
        "counted",
        "dollars of reads per million steps",
        "dollars of a million steps",
    )
    return Figures(title="Replay reads grow with the history", columns=columns, rows=tuple(rows))


def payloads(result: Mapping[str, Any], prices: Mapping[str, Any]) -> Figures:
    """Return how the size of a step's result changes what a step of a run takes."""
    counts, steps = result["counted"], result["plan"]["steps"]
    rows = []
    for size in _PAYLOADS:
        record = counts["record_bytes"] + size
        writes = -(-record // 1024)
        reads = mean_read_units(steps, counts["head_bytes"], record)
        step = {**counts["step"], "read_units": reads, "write_units": writes}
        total = bill(prices, step, Assumption(memory_mb=256, billed_ms=ASSUMED_MS[256])).total
        rows.append((f"{size:,}", str(writes), f"{reads:.2f}", f"{total:.2f}"))
    columns = ("bytes of the result", "write units", "mean read units", "dollars per million steps")
    title = f"Payloads, in runs of {steps} steps, one message per batch"
    return Figures(title=title, columns=columns, rows=tuple(rows))


def loads(recorded: Mapping[str, Mapping[str, Any]], prices: Mapping[str, Any]) -> Figures:
    """Return every recorded load in one line: what it was, what a step took, how fast it went."""
    assumed = Assumption(memory_mb=256, billed_ms=ASSUMED_MS[256])
    rows = []
    for each in recorded.values():
        plan, step, outcome = each["plan"], each["counted"]["step"], each["outcome"]
        total = bill(prices, step, replace(assumed, batch=each["stack"]["batch_size"])).total
        others = {*READS, "dynamodb PutItem", "sqs SendMessage"}
        extra = [f"{name} {n:g}" for name, n in step["calls"].items() if name not in others]
        rows.append(
            (
                f"{plan['runs']:,} x {plan['steps']:,}",
                str(each["stack"]["batch_size"]),
                f"{plan['result_bytes']:,}",
                _number(step["read_units"]),
                _number(step["write_units"]),
                ", ".join(extra) or _NOTHING,
                f"{total:.2f}",
                str(each["functions"]["step_executor"]["invocations"]),
                f"{outcome['steps_per_second']:g}",
            )
        )
    columns = (
        "runs x steps",
        "batch",
        "result bytes",
        "read units",
        "write units",
        "other calls",
        "dollars per million steps",
        "invocations",
        "steps/s on LocalStack",
    )
    return Figures(title="Every recorded load, per step", columns=columns, rows=tuple(rows))


def idle(result: Mapping[str, Any], prices: Mapping[str, Any]) -> Figures:
    """Return what a stack costs in a month in which nothing runs."""
    parts = idle_month(prices, result["idle"])
    rows = [(name, f"{amount:.2f}") for name, amount in parts.items()]
    rows.append(("**sum**", f"**{sum(parts.values()):.2f}**"))
    return Figures(
        title="Dollars per month of an idle stack", columns=("", "dollars"), rows=tuple(rows)
    )


def budget(result: Mapping[str, Any]) -> Figures:
    """Return the budget, line by line."""
    rows = tuple(
        (
            line["what"],
            ("" if line["exact"] else "at most ") + f"{line['allowed']:g}",
            f"{line['counted']:g}",
            "PASS" if line["kept"] else "FAIL",
        )
        for line in result["budget"]
    )
    return Figures(title="Budget", columns=("", "allowed", "counted", ""), rows=rows)


def _own(
    result: Mapping[str, Any], prices: Mapping[str, Any], assumed: Assumption
) -> tuple[str, str, str, str]:
    step = bill(prices, result["counted"]["step"], assumed).total
    share = run_bill(result, prices, assumed) / result["plan"]["steps"]
    return (
        f"**Everstep, {assumed.batch} per batch**",
        f"**{step:.2f}**",
        f"**{step + share:.2f}**",
        "the time that the steps' own work takes; logs; the idle stack",
    )


def _parts(bills: Sequence[Bill]) -> tuple[tuple[str, ...], ...]:
    parts = {
        "DynamoDB writes": [each.writes for each in bills],
        "DynamoDB index writes": [each.index_writes for each in bills],
        "DynamoDB reads": [each.reads for each in bills],
        "SQS": [each.messages for each in bills],
        "Lambda requests": [each.requests for each in bills],
        "Lambda compute (assumed)": [each.compute for each in bills],
        "API Gateway": [each.api for each in bills],
        "S3": [each.payloads for each in bills],
    }
    return tuple(
        (name, *(f"{amount:.3f}" for amount in amounts))
        for name, amounts in parts.items()
        if any(amounts)
    )


def _rows(prefix: str, what: str, sums: Mapping[str, Data]) -> list[tuple[str, ...]]:
    names = sorted({name for each in sums.values() for name in each[what]})
    return [
        (prefix + name, *(_number(each[what].get(name, 0)) for each in sums.values()))
        for name in names
    ]


def _localstack_ms(result: Mapping[str, Any]) -> float:
    """Return the billed time per message that LocalStack reported."""
    executor = result["functions"]["step_executor"]
    messages = result["plan"]["runs"] * (result["plan"]["steps"] + 1)
    return float(executor["billed_ms_mean"] * executor["invocations"] / messages)


def log_dollars(result: Mapping[str, Any], prices: Mapping[str, Any]) -> float:
    """Return what the logs of a million steps cost, with batches as full as they were."""
    log = result["functions"]["step_executor"]
    messages = result["plan"]["runs"] * (result["plan"]["steps"] + 1)
    size = (log["log_bytes_own"] + log["log_bytes_platform"]) * log["invocations"] / messages
    return float(size * 1_000_000 / 1024**3 * prices["cloudwatch"]["per_gb_logs"])


def _number(amount: float) -> str:
    return f"{amount:g}" if amount else _NOTHING
