"""``everstep runs cancel|pause|resume|retry|fork``: ask something of a run."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from everstep.cli import options
from everstep.cli.exits import ExitCode
from everstep.cli.inputs import json_of
from everstep.cli.printing import as_json, line
from everstep.cli.runs import RunId
from everstep.cli.session import Session
from everstep.cli.waiting import started

if TYPE_CHECKING:
    from everstep.client import Run

Force = Annotated[
    bool, typer.Option("--force", help="End it at once: its code is not asked, nothing is undone.")
]
FromStep = Annotated[
    str,
    typer.Option(
        "--from-step", metavar="KEY", help="The operation to execute again: charge#1, see history."
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        "--budget",
        metavar="DOLLARS",
        help="What it may cost from now on, all that it has cost included.",
    ),
]
NewInput = Annotated[
    str | None,
    typer.Option("--input", "-i", metavar="JSON|@FILE|-", help="Another input."),
]


@options.of_deployment
def cancel(
    ctx: typer.Context,
    run_id: RunId,
    *,
    force: Force = False,
    reason: options.Reason = None,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Have a run end; its code is told, and may undo what was done."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        run = client.handle(run_id)
        run.cancel(reason=reason, force=force)
        return _done(session, run, "is ended" if force else "is told to end", json=json)


@options.of_deployment
def pause(
    ctx: typer.Context,
    run_id: RunId,
    *,
    reason: options.Reason = None,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Let a run go no further; a step in flight is finished."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        run = client.handle(run_id)
        run.pause(reason=reason)
        return _done(session, run, "is paused", json=json)


@options.of_deployment
def resume(
    ctx: typer.Context,
    run_id: RunId,
    *,
    budget: Budget = None,
    reason: options.Reason = None,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Let a run that is paused or stalled go on."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        run = client.handle(run_id)
        run.resume(reason=reason, budget=budget)
        return _done(session, run, "goes on", json=json)


def _done(session: Session, run: "Run[Any]", what: str, *, json: bool) -> int:
    if json:
        as_json({"run_id": run.id, "done": what})
    else:
        line(session.out, "run ", (run.id, "bold"), f" {what}")
    return ExitCode.DONE


@options.of_deployment
def retry(
    ctx: typer.Context,
    run_id: RunId,
    *,
    reason: options.Reason = None,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Start a run that goes on from the step by which a run failed."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        made = client.handle(run_id).retry(reason=reason)
        return started(session, made, f"goes on from {run_id}", json=json)


@options.of_deployment
def fork(
    ctx: typer.Context,
    run_id: RunId,
    *,
    from_step: FromStep,
    input: NewInput = None,  # noqa: A002 - the name in workflows
    reason: options.Reason = None,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Start a run that keeps what a run recorded before a step, and executes that again."""
    session: Session = ctx.obj
    changed = {} if input is None else {"input": json_of(input, "--input")}
    with session.connect(session, target) as client:
        made = client.handle(run_id).fork(from_step, **changed, reason=reason)
        return started(session, made, f"goes on from {run_id} at {from_step}", json=json)
