"""``everstep runs audit``: who did what to a run, and whether that is all of it."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from everstep.cli import options, shown
from everstep.cli.exits import ExitCode
from everstep.cli.printing import as_json, line, table
from everstep.cli.runs import RunId

if TYPE_CHECKING:
    from rich.console import Console

    from everstep.cli.session import Session
    from everstep.client import AuditEntry, AuditVerdict

_COLUMNS: Final = ("number", "at", "action", "by", "reason", "details")
_SHORT: Final = frozenset({"run_id", "from_step", "how", "from", "successor"})

Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        help="Check that no entry was edited, removed, inserted or reordered, nor what the run was "
        "started with or came to; ends with 1 if one was.",
    ),
]


@options.of_deployment
def audit(
    ctx: typer.Context,
    run_id: RunId,
    *,
    verify: Verify = False,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Show who did what to a run, when and why."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        run = client.handle(run_id)
        entries = run.audit()
        verdict = run.verify_audit() if verify else None
    if json:
        said = {} if verdict is None else {"verified": shown.data(verdict)}
        as_json({"audit": [shown.data(each) for each in entries], **said})
    else:
        table(session.out, _COLUMNS, map(_row, entries))
        if verdict is not None:
            _tell(session.out, verdict)
    return ExitCode.DONE if verdict is None or verdict.whole else ExitCode.FAILED


def _row(entry: "AuditEntry") -> tuple[str, ...]:
    told = (f"{name}={value}" for name, value in entry.details.items() if name in _SHORT)
    return (
        "" if entry.number is None else str(entry.number),
        shown.time(entry.at),
        entry.action,
        entry.by or "",
        " ".join((entry.reason or "").split()),
        " ".join(told),
    )


def _tell(out: "Console", verdict: "AuditVerdict") -> None:
    line(out)
    for each in verdict.breaks:
        line(out, (f"{each.harm}: ", "bold red"), each.detail)
    if verdict.whole:
        line(out, ("whole: ", "bold green"), f"{verdict.entries} entries, the last {verdict.hash}")
    if not verdict.proven:
        line(out, "An earlier release began this run: its birth is not covered in full.")
