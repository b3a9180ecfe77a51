"""``everstep doctor``: does what the table holds obey the engine's rules?"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated, Final

import typer

from everstep.cli import options
from everstep.cli.connection import connect_reader
from everstep.cli.exits import ExitCode, usage
from everstep.cli.health import Health
from everstep.cli.printing import as_json, line, table
from everstep.cli.session import Session
from everstep.cli.times import since as parse_since

if TYPE_CHECKING:
    from everstep.app.verify import RunReport

_COLUMNS: Final = ("invariant", "checked", "violations", "skipped")

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


def doctor(
    ctx: typer.Context,
    *,
    check: Check = False,
    run: Run = None,
    since: Since = None,
    json: options.Json = False,
    stack: options.Stack = None,
    table: options.Table = None,
    bucket: options.Bucket = None,
    queue_url: options.QueueUrl = None,
    workflows: options.Workflows = None,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
) -> int:
    """Check the runs of a deployment against the engine's invariants.

    Only reads, and cannot write. Ends with 1 if an invariant does not hold for some run.
    """
    session: Session = ctx.obj
    if not check:
        raise usage("say what to do: everstep doctor --check checks the runs of a deployment")
    if run is not None and since is not None:
        raise usage("give --run or --since, not both: a run is checked whenever it began")
    start = None if since is None else parse_since(since, session.clock.now())
    target = options.Target(
        stack=stack,
        table=table,
        bucket=bucket,
        queue_url=queue_url,
        workflows=workflows,
        region=region,
        profile=profile,
        endpoint_url=endpoint_url,
    )
    health = _examine(session, target, run, start)
    if json:
        as_json(health.as_object())
    else:
        _print(session, health)
    return ExitCode.FAILED if health.violations else ExitCode.DONE


def _examine(
    session: Session, target: options.Target, run: str | None, since: int | None
) -> Health:
    health = Health()
    engine = connect_reader(session, target)
    # Replays run the workflows' code, which may print: standard output is for the answer.
    with redirect_stdout(sys.stderr):
        reports = session.verify(engine, run_id=run, since=since)
        for report in _with_progress(session, reports):
            health.add(report)
    return health


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
    for each in health.violations:
        line(session.out, "run ", (each.run_id, "bold"), ": ", (each.invariant, "bold red"))
        line(session.out, f"  {each.detail}")
        line(session.out)
    line(session.out, (health.summary(), "red" if health.violations else "green"))
