"""``everstep events`` and ``everstep callbacks``: tell runs what they wait for."""

from typing import Annotated

import typer

from everstep.cli import options
from everstep.cli.exits import ExitCode
from everstep.cli.inputs import json_of
from everstep.cli.printing import as_json, line
from everstep.cli.runs import RunId
from everstep.cli.session import Session

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the event is called.")]
Token = Annotated[
    str, typer.Argument(metavar="TOKEN", help="What the run handed out; as good as a password.")
]
Payload = Annotated[
    str | None,
    typer.Option("--payload", "-p", metavar="JSON|@FILE|-", help="What comes with it."),
]
IdempotencyKey = Annotated[
    str | None,
    typer.Option("--idempotency-key", metavar="KEY", help="The same key keeps one event only."),
]
ErrorType = Annotated[
    str, typer.Option("--type", metavar="NAME", help="What went wrong, as an exception's name.")
]
ErrorMessage = Annotated[
    str, typer.Option("--message", metavar="TEXT", help="What is to be said of it.")
]


@options.of_deployment
def send(
    ctx: typer.Context,
    run_id: RunId,
    name: Name,
    *,
    payload: Payload = None,
    idempotency_key: IdempotencyKey = None,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Send an event to a run; it is kept, whether or not the run waits for it yet."""
    session: Session = ctx.obj
    value = None if payload is None else json_of(payload, "--payload")
    with session.connect(session, target) as client:
        client.handle(run_id).send_event(name, value, idempotency_key=idempotency_key or "")
    return _told(session, {"run_id": run_id, "event": name}, f"{name} is kept", json=json)


@options.of_deployment
def complete(
    ctx: typer.Context,
    token: Token,
    *,
    payload: Payload = None,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Give the result of what a run waits for."""
    session: Session = ctx.obj
    value = None if payload is None else json_of(payload, "--payload")
    with session.connect(session, target) as client:
        client.complete_callback(token, value)
    return _told(session, {"status": "completed"}, "completed", json=json)


@options.of_deployment
def fail(
    ctx: typer.Context,
    token: Token,
    *,
    type_: ErrorType,
    message: ErrorMessage = "",
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Say that what a run waits for has failed."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        client.fail_callback(token, {"type": type_, "message": message})
    return _told(session, {"status": "failed"}, "failed, as told", json=json)


@options.of_deployment
def heartbeat(
    ctx: typer.Context, token: Token, *, json: options.Json = False, target: options.Target
) -> int:
    """Say that what a run waits for is still worked on."""
    session: Session = ctx.obj
    with session.connect(session, target) as client:
        client.heartbeat_callback(token)
    return _told(session, {"status": "alive"}, "alive", json=json)


def _told(session: Session, answer: dict[str, str], what: str, *, json: bool) -> int:
    if json:
        as_json(answer)
    else:
        line(session.out, what)
    return ExitCode.DONE
