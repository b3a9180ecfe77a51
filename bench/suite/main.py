"""`make bench`: the same workloads on Everstep and on its peers, on this machine, one by one."""

from __future__ import annotations

import argparse
import fcntl
import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from bench.report import table
from bench.suite import counted, facts, tables
from bench.suite.engines import ENGINES, chosen, unknown
from bench.suite.installs import HOME
from bench.suite.plan import TITLES
from bench.suite.session import Session, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Data = dict[str, Any]

_WIDTH: Final = 150
RESULTS: Final = Path(__file__).parents[1] / "results"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write the result down; leave nothing running."""
    parsed = _arguments(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)

    def say(line: str) -> None:
        console.print(line, soft_wrap=True, markup=False)

    wanted = _wanted(parsed)
    began = time.monotonic()
    with _alone(HOME), _ending_on_sigterm():
        date = datetime.now(UTC).date().isoformat()
        result = {"date": date, "command": _command(parsed), **measure(wanted, HOME, say)}
    result["minutes"] = round((time.monotonic() - began) / 60, 1)
    for each in tables.all_of(result).values():
        if each.rows:
            console.print(table(each))
    path = parsed.output or _path(result, wanted)
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    say(f"written to {path}")
    return 0


def measure(wanted: Wanted, home: Path, say: Callable[[str], None]) -> Data:
    """Measure everything that is wanted.

    Args:
        wanted: What.
        home: The folder for everything that is installed, or kept while it lasts.
        say: Is told of progress.
    """
    machine = facts.machine()
    engines = Session(wanted, home, say).measure()
    say("==> Everstep by itself: counts, processor time, cold start")
    return {
        "quick": wanted.quick,
        "machine": machine,
        "engines": engines,
        "counted": counted.measure(fans=counted.FANS[:1] if wanted.quick else counted.FANS),
        "cpu": _cpu(quick=wanted.quick),
        "cold_start": _cold_start(quick=wanted.quick),
    }


def _cpu(*, quick: bool) -> Data:
    from bench import cpu  # noqa: PLC0415 - it sets up an engine

    lengths = (100, 1_000)
    return cpu.measure(1, lengths, runs=20, steps=100) if quick else cpu.measure(3, lengths)


def _cold_start(*, quick: bool) -> Data:
    """Return what the start of the step executor takes, as built; or why that is not known."""
    from bench import cold_start  # noqa: PLC0415 - as above

    try:
        return cold_start.measure(2 if quick else 10, functions=["step_executor"])
    except (OSError, subprocess.SubprocessError) as error:
        return {"reason": facts.scrubbed(str(error))}


def _path(result: Data, wanted: Wanted) -> Path:
    """Return where a result belongs: only a whole one lies among those that the page shows."""
    whole = not wanted.quick and wanted.engines == ENGINES and set(wanted.workloads) == set(TITLES)
    folder, end = (RESULTS, "bench") if whole else (HOME, "part")
    return folder / f"{result['date']}-{end}.json"


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep a second session of this checkout out: it would end this one's processes."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("error: `make bench` runs already in this folder") from None
        yield


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does: end what was started."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _command(parsed: argparse.Namespace) -> str:
    given = [
        f"--{name.replace('_', '-')} {','.join(value) if isinstance(value, list) else value}"
        for name, value in vars(parsed).items()
        if name in ("only", "workloads") and value
    ]
    given += ["--quick"] if parsed.quick else []
    return f'make bench BENCH="{" ".join(given)}"' if given else "make bench"


def _wanted(parsed: argparse.Namespace) -> Wanted:
    return Wanted(
        engines=chosen(parsed.only),
        workloads=tuple(parsed.workloads or TITLES),
        quick=parsed.quick,
        instance=parsed.instance,
        port=parsed.port,
    )


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    names = "\n".join(f"  {each.name:<26} {each.title}" for each in ENGINES)
    workloads = "\n".join(f"  {name:<26} {title}" for name, title in TITLES.items())
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"engines:\n{names}\nworkloads:\n{workloads}",
    )
    parser.add_argument("--only", type=_words, default=[], help="parts of engines' names: a,b")
    parser.add_argument("--workloads", type=_words, default=[], help="W1,W2")
    parser.add_argument("--quick", action="store_true", help="small: to see that it works")
    parser.add_argument("--instance", default="bench", help="name of the LocalStack")
    parser.add_argument("--port", type=int, default=4637, help="port of the LocalStack")
    parser.add_argument("--output", type=Path, help="file for the result as JSON")
    parsed = parser.parse_args(arguments)
    if wrong := [*unknown(parsed.only), *(set(parsed.workloads) - set(TITLES))]:
        parser.error(f"unknown: {', '.join(wrong)}")
    return parsed


def _words(text: str) -> Sequence[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; nothing is left running")
