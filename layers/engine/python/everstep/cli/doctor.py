"""``everstep doctor``: why a run does not move, and whether all of them obey the rules."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated, Final

import typer

from everstep.cli import options
from everstep.cli.completion import run_ids
from everstep.cli.connection import configured_faults, connect_reader
from everstep.cli.diagnosis import Fix, diagnose
from everstep.cli.exits import CommandError, ExitCode, usage
from everstep.cli.failures import explain
from everstep.cli.health import Health
from everstep.cli.printing import as_json, line, table
from everstep.cli.session import Session
from everstep.cli.times import since as parse_since
from everstep.core.errors import EverstepError

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.app.verify import RunReport, Violation

_COLUMNS: Final = ("invariant", "checked", "violations", "notes", "skipped")

OneRun = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="Say why this run does not move.", autocompletion=run_ids),
]
Mend = Annotated[
    bool, typer.Option("--fix", help="Do what helps the run, if anything does; asks before.")
]
Check = Annotated[
    bool, typer.Option("--check", help="Check every run against the engine's invariants.")
]
Run = Annotated[str | None, typer.Option("--run", metavar="RUN_ID", help="Check this run only.")]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Only runs since then: an age (30m, 12h, 7d, 2w), a date, or a time with its zone.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="End with 1 for notes and for what could not be checked, too."),
]


@options.of_deployment
def doctor(
    ctx: typer.Context,
    run_id: OneRun = None,
    *,
    fix: Mend = False,
    yes: options.Yes = False,
    reason: options.Reason = None,
    check: Check = False,
    run: Run = None,
    since: Since = None,
    strict: Strict = False,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Say why a run does not move, and have it go on; or check all runs, with --check.

    Of a run it tells what it waits for, which failure window that is, what will happen by itself
    and what would help; it ends with 1 if the run needs help and got none.

    With --check every run is checked against the engine's invariants. That only reads, and cannot
    write. It ends with 1 if an invariant does not hold for some run, if configured workflows
    cannot be imported, or if the check broke off.
    """
    session: Session = ctx.obj
    if check is (run_id is not None):
        raise usage(
            "say what to do: everstep doctor RUN says why a run does not move, "
            "everstep doctor --check checks the runs of a deployment"
        )
    if run_id is not None:
        mend = Fix(yes=yes, reason=reason) if fix else None
        return diagnose(session, target, run_id, mend, json=json)
    if run is not None and since is not None:
        raise usage("give --run or --since, not both: a run is checked whenever it began")
    start = None if since is None else parse_since(since, session.clock.now())
    engine = connect_reader(session, target)
    health = Health(strict=strict, faults=configured_faults(session, target, engine))
    try:
        _examine(session, engine, health, run, start)
    except EverstepError as error:
        if not health.runs:
            raise
        health.complete = False
        _tell(session, health, json=json)
        raise CommandError(explain(error, session.place)[0], ExitCode.FAILED) from error
    _tell(session, health, json=json)
    return ExitCode.FAILED if health.failed else ExitCode.DONE


def _examine(
    session: Session, engine: "Engine", health: Health, run: str | None, since: int | None
) -> None:
    # Replays run the workflows' code, which may print: standard output is for the answer.
    with redirect_stdout(sys.stderr):
        reports = session.verify(engine, run_id=run, since=since)
        for report in _with_progress(session, reports):
            health.add(report)


def _tell(session: Session, health: Health, *, json: bool) -> None:
    if json:
        as_json(health.as_object())
    else:
        _print(session, health)


def _with_progress(session: Session, reports: Iterable["RunReport"]) -> Iterator["RunReport"]:
    if not session.err.is_terminal:
        yield from reports
        return
    with session.err.status("looking for runs") as status:
        for number, report in enumerate(reports, start=1):
            status.update(f"{number} checked, at run {report.run_id}")
            yield report


def _print(session: Session, health: Health) -> None:
    if health.tallies:
        table(session.out, _COLUMNS, health.rows())
        line(session.out)
    for reason, what in health.skipped():
        line(session.out, ("skipped", "yellow"), f": {what}")
        line(session.out, f"  {reason}")
        line(session.out)
    for each in health.notes:
        _print_one(session, "note on run ", each, "yellow")
    for each in health.violations:
        _print_one(session, "run ", each, "bold red")
    for module, reason in health.faults.items():
        line(session.out, "workflows of ", (module, "bold red"), " were not looked at")
        line(session.out, f"  {reason}")
        line(session.out)
    line(session.out, (health.summary(), "red" if health.failed else "green"))


def _print_one(session: Session, what: str, each: "Violation", style: str) -> None:
    line(session.out, what, (each.run_id, "bold"), ": ", (each.invariant, style))
    line(session.out, f"  {each.detail}")
    line(session.out)
