"""``everstep runs list|inspect|result|history``: look at runs."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Final

import typer

from everstep.cli import options, shown
from everstep.cli.choice import Choice
from everstep.cli.completion import run_ids, statuses, workflow_names
from everstep.cli.exits import ExitCode, usage
from everstep.cli.printing import as_json, as_json_line, facts, line, table
from everstep.cli.session import Session
from everstep.cli.times import seconds
from everstep.cli.times import since as parse_time
from everstep.cli.trigger import tags
from everstep.cli.waiting import wait
from everstep.core.model import RunStatus

if TYPE_CHECKING:
    from everstep.client import RunSummary

_LIMIT: Final = 20

RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.", autocompletion=run_ids)]
Workflow = Annotated[
    str | None,
    typer.Option(
        "--workflow",
        metavar="NAME",
        help="Only runs of this workflow.",
        autocompletion=workflow_names,
    ),
]
Status = Annotated[
    str | None,
    typer.Option(
        "--status",
        metavar="STATUS",
        help="Only runs with one of these statuses: FAILED,STALLED.",
        autocompletion=statuses,
    ),
]
Tag = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="NAME=VALUE", help="Only runs with this tag; may be repeated."),
]
ReferenceId = Annotated[
    str | None,
    typer.Option("--reference-id", metavar="ID", help="Only the run with this reference id."),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Only runs that were started then or later: an age (30m, 12h, 7d), a date, a time.",
    ),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="Only runs that were started before."),
]
Limit = Annotated[
    int, typer.Option("--limit", "-n", min=1, metavar="NUMBER", help="At most so many.")
]
All = Annotated[bool, typer.Option("--all", help="Every run, however many there are.")]
Timeout = Annotated[
    str | None,
    typer.Option("--timeout", metavar="DURATION", help="Wait no longer than this; 0: not at all."),
]


@options.of_deployment
def list_(
    ctx: typer.Context,
    *,
    workflow: Workflow = None,
    status: Status = None,
    tag: Tag = None,
    reference_id: ReferenceId = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = _LIMIT,
    every: All = False,
    json: options.Json = False,
    json_lines: options.JsonLines = False,
    target: options.Target,
) -> int:
    """List runs, newest first."""
    session: Session = ctx.obj
    chosen = Choice(
        workflow=workflow,
        statuses=read_statuses(status),
        tags=tags(tag or ()),
        reference_id=reference_id,
        since=_time(session, since, "--since"),
        until=_time(session, until, "--until"),
    )
    with session.connect(session, target) as client:
        # One more than is shown tells whether there are more.
        found = chosen.runs(client)
        if json_lines:
            for each in found if every else islice(found, limit):
                as_json_line(shown.data(each))
            return ExitCode.DONE
        runs = list(found if every else islice(found, limit + 1))
    kept = runs if every else runs[:limit]
    if json:
        as_json([shown.data(each) for each in kept])
    else:
        _print(session, kept, more=len(runs) > len(kept))
    return ExitCode.DONE


def _print(session: Session, runs: list["RunSummary"], *, more: bool) -> None:
    if not runs:
        line(session.err, "no such runs")
        return
    table(session.out, shown.RUNS, map(shown.run_row, runs))
    if more:
        line(session.err, f"there are more than these {len(runs)}: --limit, --all")


def _time(session: Session, text: str | None, option: str) -> int | None:
    return None if text is None else parse_time(text, session.clock.now(), option)


def read_statuses(text: str | None) -> tuple[RunStatus, ...]:
    """Return the statuses that are meant by names with commas between them.

    Raises:
        CommandError: One of them is none.
    """
    named = [each.strip().upper() for each in (text or "").split(",") if each.strip()]
    for each in named:
        if each not in RunStatus.__members__:
            raise usage(f"--status must be one of {', '.join(RunStatus)}, not {each!r}")
    return tuple(dict.fromkeys(map(RunStatus, named)))


@options.of_deployment
def inspect(
    ctx: typer.Context, run_id: RunId, *, json: options.Json = False, target: options.Target
) -> int:
    """Show a run with its input, its steps and what it came to."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        run = client.handle(run_id).get()
    if json:
        as_json(shown.data(run))
        return ExitCode.DONE
    facts(session.out, shown.run_facts(run))
    if run.steps:
        line(session.out)
        table(session.out, shown.STEPS, map(shown.step_row, run.steps))
    return ExitCode.DONE


@options.of_deployment
def result(
    ctx: typer.Context,
    run_id: RunId,
    *,
    timeout: Timeout = None,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Wait for a run to end, and print its result as JSON; ends with 4 if it failed."""
    session: Session = ctx.obj
    longest = None if timeout is None else seconds(timeout, "--timeout")
    with session.connect(session, target) as client:
        return wait(session, client.handle(run_id), longest, json=json)


@options.of_deployment
def history(
    ctx: typer.Context,
    run_id: RunId,
    *,
    json: options.Json = False,
    json_lines: options.JsonLines = False,
    target: options.Target,
) -> int:
    """Show what is recorded of a run, in the order in which its code asked for it."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        steps = client.handle(run_id).history()
    if json_lines:
        for each in steps:
            as_json_line(shown.data(each))
    elif json:
        as_json([shown.data(each) for each in steps])
    else:
        table(session.out, shown.STEPS, map(shown.step_row, steps))
    return ExitCode.DONE
