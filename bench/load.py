"""`make load`: send load to the whole system on a LocalStack, and print what it took."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from rich.console import Console

from bench.drive import Plan
from bench.measure import measure
from bench.report import show
from bench.target import LoadError, deploy
from everstep_localstack import LocalStack, LocalStackError, Options

RESULTS: Final = Path(__file__).with_name("results")


def main(arguments: list[str] | None = None) -> int:
    """Start LocalStack, deploy, send load, print, write the result down, stop LocalStack."""
    parsed = _arguments(arguments)
    console = Console(highlight=False)
    server = LocalStack(
        Options(instance=parsed.instance, port=parsed.port, pollers=parsed.executors)
    )
    if server.status() is not None:
        console.print(f"[bold red]error:[/] instance {parsed.instance} runs already; stop it first")
        return 1
    try:
        with server, TemporaryDirectory() as build:
            result = _load(parsed, server, Path(build), console)
    except (LocalStackError, LoadError) as error:
        console.print(f"[bold red]error:[/] {error}", soft_wrap=True)
        return 1
    show(result, console)
    path = _write(result, parsed.output)
    console.print(f"written to {path}", soft_wrap=True)
    return 0 if all(line["kept"] for line in result["budget"]) else 1


def _load(
    parsed: argparse.Namespace, server: LocalStack, build: Path, console: Console
) -> dict[str, Any]:
    def say(line: str) -> None:
        console.print(f"    {line}", soft_wrap=True)

    console.print(f"[bold]==> LocalStack[/] {server.endpoint_url}, {parsed.executors} executors")
    target = deploy(server, build, say, batch_size=parsed.batch_size)
    plan = Plan(
        runs=parsed.runs,
        steps=parsed.steps,
        result_bytes=parsed.result_bytes,
        patience=parsed.patience,
    )
    console.print(f"[bold]==> load[/] {plan.runs} runs of {plan.steps} steps")
    result = measure(target, plan, say)
    result["stack"]["batch_size"] = parsed.batch_size
    date = datetime.now(UTC).date().isoformat()
    return {"date": date, "command": _command(parsed), **result}


def _command(parsed: argparse.Namespace) -> str:
    options = {
        name: getattr(parsed, name)
        for name in ("runs", "steps", "batch_size", "result_bytes")
        if getattr(parsed, name) != _parser().get_default(name)
    }
    given = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in options.items())
    return f'make load LOAD="{given}"' if given else "make load"


def _write(result: dict[str, Any], output: Path | None) -> Path:
    path = output or RESULTS / f"{result['date']}-load{_suffix(result)}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return path


def _suffix(result: dict[str, Any]) -> str:
    """Return what tells a load that is not the usual one from the others of its day."""
    plan, batch = result["plan"], result["stack"]["batch_size"]
    parts = {
        f"-{plan['runs']}x{plan['steps']}": (plan["runs"], plan["steps"]) != (200, 10),
        f"-batch-{batch}": batch != 1,
        f"-result-{plan['result_bytes']}": plan["result_bytes"] != 0,
    }
    return "".join(part for part, told in parts.items() if told)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--executors", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--result-bytes", type=int, default=0)
    parser.add_argument("--patience", type=float, default=300, help="seconds")
    parser.add_argument("--instance", default="load")
    parser.add_argument("--port", type=int, default=4633)
    parser.add_argument("--output", type=Path, help="file for the result as JSON")
    return parser


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    return _parser().parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
