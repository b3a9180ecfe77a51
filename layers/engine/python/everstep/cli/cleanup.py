"""``everstep runs cleanup``: remove runs that nobody needs any more."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from everstep.cli import options, shown
from everstep.cli.asking import may
from everstep.cli.choice import Choice
from everstep.cli.exits import ExitCode, usage
from everstep.cli.printing import as_json, line, table
from everstep.cli.runs import Tag, Workflow, read_statuses
from everstep.cli.times import since as parse_time
from everstep.cli.trigger import tags
from everstep.core.model import RunStatus

if TYPE_CHECKING:
    from everstep.cli.session import Session
    from everstep.client import RunSummary

_ENDED: Final = tuple(each for each in RunStatus if each.terminal)

OlderThan = Annotated[
    str,
    typer.Option(
        "--older-than", metavar="TIME", help="Only runs that ended before: 7d, a date, a time."
    ),
]
Status = Annotated[
    str | None,
    typer.Option(
        "--status",
        metavar="STATUS",
        help="Only runs with one of these statuses: COMPLETED,FAILED; else any that has ended.",
        autocompletion=lambda: [str(each) for each in _ENDED],
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go, and do nothing.")]


@options.of_deployment
def cleanup(
    ctx: typer.Context,
    *,
    older_than: OlderThan,
    status: Status = None,
    workflow: Workflow = None,
    tag: Tag = None,
    dry_run: DryRun = False,
    yes: options.Yes = False,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Remove runs that have ended, with all that is recorded of them; asks before.

    They are removed as those are whose retention is over: by the sweeper, within minutes.
    """
    session: Session = ctx.obj
    before = parse_time(older_than, session.clock.now(), "--older-than")
    chosen = Choice(
        workflow=workflow, statuses=_statuses(status), tags=tags(tag or ()), until=before
    )
    with session.connect(session, target) as client:
        found = [each for each in chosen.runs(client) if _ended_before(each, before)]
        if dry_run or not found:
            return _told(session, found, removed=False, json=json)
        if not may(session, f"remove {_many(len(found))} for ever", yes=yes):
            line(session.err, "nothing was removed")
            return ExitCode.FAILED
        for each in found:
            client.handle(each.id).remove()
    return _told(session, found, removed=True, json=json)


def _statuses(text: str | None) -> tuple[RunStatus, ...]:
    asked = read_statuses(text) or _ENDED
    for each in asked:
        if not each.terminal:
            raise usage(f"--status {each}: only runs that have ended can be removed")
    return asked


def _ended_before(run: "RunSummary", millis: int) -> bool:
    return run.ended_at is not None and run.ended_at.timestamp() * 1000 < millis


def _told(session: "Session", runs: "list[RunSummary]", *, removed: bool, json: bool) -> int:
    if json:
        told: dict[str, Any] = {"removed": removed, "runs": [shown.data(each) for each in runs]}
        as_json(told)
        return ExitCode.DONE
    if runs and not removed:
        table(session.out, shown.RUNS, map(shown.run_row, runs))
    verb = "are being removed" if removed else "would be removed"
    line(session.out, f"{_many(len(runs))} {verb if len(runs) != 1 else verb.replace('are', 'is')}")
    return ExitCode.DONE


def _many(number: int) -> str:
    return f"{number} run{'' if number == 1 else 's'}"
