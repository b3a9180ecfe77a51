"""``everstep runs logs``: what a run's code, and the engine about it, have said."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from everstep.cli import options, shown
from everstep.cli.exits import ExitCode, usage
from everstep.cli.printing import as_json, as_json_line, line
from everstep.cli.runs import RunId
from everstep.cli.session import Session
from everstep.cli.times import since as parse_time
from everstep.core.durations import to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from everstep.client import LogLine, Run
    from everstep.client.run_logs import LogFilter

_PAGE = 1000
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_SOURCES = ("workflow", "step", "engine", "system")
_STYLES = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "bold red", "DEBUG": "dim"}

Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Go on with what is said, until the run has ended.")
]
Level = Annotated[
    str | None,
    typer.Option(
        "--level",
        metavar="LEVEL",
        help="Only lines at least as severe: DEBUG, INFO, WARNING, ERROR, CRITICAL.",
        autocompletion=lambda incomplete: [x for x in _LEVELS if x.startswith(incomplete.upper())],
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="Only lines from then on: an age, a date, a time."
    ),
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Only lines before that.")
]
Step = Annotated[
    str | None,
    typer.Option(
        "--step", metavar="KEY", help="Only lines of an operation (charge#1) or a name (charge)."
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="SOURCE",
        help="Only lines of workflow, step, engine or system.",
        autocompletion=lambda incomplete: [x for x in _SOURCES if x.startswith(incomplete)],
    ),
]
Grep = Annotated[
    str | None,
    typer.Option("--grep", metavar="TEXT", help="Only lines with this text, whatever its case."),
]
Limit = Annotated[
    int | None,
    typer.Option("--limit", "-n", min=1, metavar="NUMBER", help="At most so many, from the first."),
]


@options.of_deployment
def logs(
    ctx: typer.Context,
    run_id: RunId,
    *,
    follow: Follow = False,
    level: Level = None,
    since: Since = None,
    until: Until = None,
    step: Step = None,
    source: Source = None,
    grep: Grep = None,
    limit: Limit = None,
    json: options.Json = False,
    json_lines: options.JsonLines = False,
    target: options.Target,
) -> int:
    """Show what a run's code has said, in steps and between them."""
    session: Session = ctx.obj
    if follow and json:
        raise usage("what is followed has no end: give --json-lines instead of --json")
    which: LogFilter = {
        "level": _one_of(level and level.upper(), _LEVELS, "--level"),
        "since": _time(session, since, "--since"),
        "until": _time(session, until, "--until"),
        "step": step,
        "source": _one_of(source, _SOURCES, "--source"),
        "grep": grep,
        "limit": _PAGE if limit is None else min(limit, _PAGE),
    }
    with session.connect(session, target) as client:
        run = client.handle(run_id)
        found = run.follow_logs(**which) if follow else _every(run, which)
        _print(session, islice(found, limit), json=json, json_lines=json_lines)
    return ExitCode.DONE


def _every(run: "Run[Any]", which: "LogFilter") -> "Iterator[LogLine]":
    asked = which.copy()
    while True:
        page = run.logs(**asked)
        yield from page.lines
        if page.next is None:
            return
        asked["after"] = page.next


def _print(session: Session, lines: "Iterable[LogLine]", *, json: bool, json_lines: bool) -> None:
    if json:
        as_json([shown.data(each) for each in lines])
        return
    for each in lines:
        if json_lines:
            as_json_line(shown.data(each))
        else:
            _line(session, each)


def _line(session: Session, each: "LogLine") -> None:
    where = each.source if each.step is None else each.step
    attempt = f" ({each.attempt})" if each.attempt and each.attempt > 1 else ""
    said = "".join(f" {name}={shown.text(value)}" for name, value in each.fields.items())
    line(
        session.out,
        (f"{shown.instant_of(each.at)} ", "dim"),
        (f"{each.level:<8} ", _STYLES.get(each.level, "")),
        (f"{where}{attempt}: ", "bold"),
        each.message,
        (said, "dim"),
    )


def _time(session: Session, text: str | None, option: str) -> Any:  # noqa: ANN401 - a time, if any
    return None if text is None else to_datetime(parse_time(text, session.clock.now(), option))


def _one_of(given: str | None, allowed: tuple[str, ...], option: str) -> str | None:
    if given is not None and given not in allowed:
        raise usage(f"{option} must be one of {', '.join(allowed)}, not {given!r}")
    return given
