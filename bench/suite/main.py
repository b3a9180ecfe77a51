"""`make bench`: the same workloads on Everstep and on its peers, on this machine, one by one."""

from __future__ import annotations

import argparse
import fcntl
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from bench.layer import ROOT
from bench.report import table
from bench.suite import counted, facts, tables
from bench.suite import progress as progressing
from bench.suite.engines import ENGINES, chosen, unknown
from bench.suite.installs import HOME
from bench.suite.plan import TITLES
from bench.suite.progress import Progress
from bench.suite.session import LIMIT_MINUTES, Session, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Data = dict[str, Any]
Say = Callable[[str], None]

_WIDTH: Final = 150
_INTERRUPTED: Final = 130
RESULTS: Final = Path(__file__).parents[1] / "results"
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ADVICE: Final = "BENCH=--resume"
UNFINISHED: Final = "unfinished.json"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write the result down; leave nothing running."""
    parsed = _arguments(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)

    def say(line: str) -> None:
        console.print(line, soft_wrap=True, markup=False)

    wanted = _wanted(parsed)
    with _alone(HOME), _ending_on_signals():
        progress = _progress(parsed, HOME / UNFINISHED, say)
        try:
            result = measure(wanted, HOME, progress, say)
        except KeyboardInterrupt:
            say(_interrupted(progress, wanted, parsed))
            return _INTERRUPTED
        for each in tables.all_of(result).values():
            if each.rows:
                console.print(table(each))
        path = parsed.output or _path(result, wanted)
        path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        progress.forget()
    say(f"written to {path}")
    return 0


def measure(wanted: Wanted, home: Path, progress: Progress, say: Say) -> Data:
    """Measure everything that is wanted and not yet known.

    Args:
        wanted: What.
        home: The folder for everything that is installed, or kept while it lasts.
        progress: What is known; is told of every engine.
        say: Is told of progress.
    """
    began, before = time.monotonic(), progress.minutes
    say("==> Everstep by itself: counts, processor time, cold start")
    # First, while nothing that belongs to an engine is still being ended.
    alone = _alone_measured(quick=wanted.quick)
    through = progress.through()
    left = tuple(each for each in wanted.engines if each.name not in through)
    with closing(Session(replace(wanted, engines=left), home, say).measure()) as engines:
        for engine in engines:
            progress.minutes = before + (time.monotonic() - began) / 60
            progress.keep(engine)
    return {
        "date": progress.about["day"],
        "command": progress.about["command"],
        "quick": wanted.quick,
        "machine": progress.machine,
        "engines": progress.in_order([each.name for each in wanted.engines]),
        **alone,
        "minutes": round(before + (time.monotonic() - began) / 60, 1),
        "sittings": progress.sittings,
    }


def _alone_measured(*, quick: bool) -> Data:
    return {
        "counted": counted.measure(fans=counted.FANS[:1] if quick else counted.FANS),
        "cpu": _cpu(quick=quick),
        "cold_start": _cold_start(quick=quick),
    }


def _progress(parsed: argparse.Namespace, path: Path, say: Say) -> Progress:
    """Return what is known already; that is nothing, unless an interrupted bench is taken up."""
    day = datetime.now(UTC).date().isoformat()
    about = progressing.circumstances(day, _command(parsed))
    if parsed.resume:
        found = progressing.taken_up(path, about)
        if isinstance(found, Progress):
            say(f"going on after {len(found.through())} engines")
            return found
        say(f"starting anew: {found}")
    elif path.exists():
        say(f"starting anew: {_ADVICE} would have gone on with an interrupted bench")
    return progressing.begun(path, about)


def _interrupted(progress: Progress, wanted: Wanted, parsed: argparse.Namespace) -> str:
    through, all_of_them = len(progress.through()), len(wanted.engines)
    if not progress.engines:
        return "interrupted before any engine was through; nothing is left running"
    given = _options(parsed)
    again = " ".join([*given, "--resume"])
    return (
        f"interrupted; nothing is left running. {through} of {all_of_them} engines are kept in"
        f' {progress.path}; today make bench BENCH="{again}" goes on with the others'
    )


def _cpu(*, quick: bool) -> Data:
    """Return what a process that holds nothing else says of the engine's processor time."""
    options = ["--json", "--rounds", "1" if quick else "25", "--lengths", "100", "1000"]
    command = [sys.executable, "-m", "bench.cpu", *options]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout
    measured: Data = json.loads(said)
    return measured


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
def _ending_on_signals() -> Iterator[None]:
    """Let SIGTERM and the terminal's end do what Ctrl-C does: end what was started, in peace."""

    def end(*_: object) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, end) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _command(parsed: argparse.Namespace) -> str:
    given = _options(parsed)
    return f'make bench BENCH="{" ".join(given)}"' if given else "make bench"


def _options(parsed: argparse.Namespace) -> list[str]:
    """Return the options that say what is measured, as they were given."""
    given = [
        f"--{name} {','.join(getattr(parsed, name))}"
        for name in ("only", "workloads")
        if getattr(parsed, name)
    ]
    return [*given, "--quick"] if parsed.quick else given


def _wanted(parsed: argparse.Namespace) -> Wanted:
    return Wanted(
        engines=chosen(parsed.only),
        workloads=tuple(parsed.workloads or TITLES),
        quick=parsed.quick,
        limit=parsed.limit,
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
    parser.add_argument(
        "--resume", action="store_true", help="go on with a bench that was interrupted today"
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=LIMIT_MINUTES,
        metavar="MINUTES",
        help="after which an engine is ended (%(default)s)",
    )
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
    sys.exit(main())
