"""``everstep trigger``: start a run."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from everstep.cli import options
from everstep.cli.completion import workflow_names
from everstep.cli.exits import usage
from everstep.cli.inputs import json_of
from everstep.cli.printing import line
from everstep.cli.times import moment, seconds
from everstep.cli.waiting import started, wait
from everstep.core.spending import to_nanos

if TYPE_CHECKING:
    from everstep.cli.session import Session
    from everstep.client.options import StartOptions

Workflow = Annotated[
    str,
    typer.Argument(metavar="WORKFLOW", help="Its name.", autocompletion=workflow_names),
]
Input = Annotated[
    str | None,
    typer.Option("--input", "-i", metavar="JSON|@FILE|-", help="Its input; - for standard input."),
]
IdempotencyKey = Annotated[
    str | None,
    typer.Option("--idempotency-key", metavar="KEY", help="The same key starts one run only."),
]
ReferenceId = Annotated[
    str | None,
    typer.Option("--reference-id", metavar="ID", help="Your own name for the run."),
]
Existing = Annotated[
    bool,
    typer.Option(
        "--existing", help="Give the run that has the reference id, if one goes on already."
    ),
]
Version = Annotated[
    str | None,
    typer.Option("--version", metavar="VERSION", help="The version; else the highest."),
]
Delay = Annotated[
    str | None,
    typer.Option("--delay", metavar="DURATION", help="Begin so much later: 90, 5m, 12h, 7d."),
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="Begin then: 2026-01-31T08:00Z, 2026-01-31."),
]
Tag = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="NAME=VALUE", help="A mark to find it by; may be repeated."),
]
Timeout = Annotated[
    str | None,
    typer.Option("--timeout", metavar="DURATION", help="How long the run may take."),
]
Retention = Annotated[
    str | None,
    typer.Option("--retention", metavar="DURATION", help="How long it is kept after its end."),
]
Budget = Annotated[
    float | None,
    typer.Option(
        "--budget", metavar="DOLLARS", help="What it may cost; else as its workflow says."
    ),
]
Wait = Annotated[
    bool,
    typer.Option("--wait", help="Wait for its end, and print its result; 4 if it failed."),
]
WaitTimeout = Annotated[
    str | None,
    typer.Option("--wait-timeout", metavar="DURATION", help="Wait no longer than this."),
]


@options.of_deployment
def trigger(
    ctx: typer.Context,
    workflow: Workflow,
    *,
    input: Input = None,  # noqa: A002 - the name in workflows
    idempotency_key: IdempotencyKey = None,
    reference_id: ReferenceId = None,
    existing: Existing = False,
    version: Version = None,
    delay: Delay = None,
    at: At = None,
    tag: Tag = None,
    timeout: Timeout = None,
    retention: Retention = None,
    budget: Budget = None,
    wait_for_it: Wait = False,
    wait_timeout: WaitTimeout = None,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Start a run; once this ends with 0 the run is not lost."""
    session: Session = ctx.obj
    if delay is not None and at is not None:
        raise usage("give --delay or --at, not both")
    _check_budget(budget)
    chosen: StartOptions = {
        "idempotency_key": idempotency_key,
        "reference_id": reference_id,
        "on_conflict": "existing" if existing else None,
        "version": version,
        "delay": None if delay is None else seconds(delay, "--delay"),
        "at": None if at is None else moment(at, "--at"),
        "tags": tags(tag or ()),
        "timeout": None if timeout is None else seconds(timeout, "--timeout"),
        "retention": None if retention is None else seconds(retention, "--retention"),
        "budget": budget,
    }
    longest = None if wait_timeout is None else seconds(wait_timeout, "--wait-timeout")
    value: Any = None if input is None else json_of(input, "--input")
    with session.connect(session, target) as client:
        run = client.start(workflow, value, **chosen)
        if not wait_for_it:
            return started(session, run, f"is {run.accepted}", json=json)
        line(session.err, f"run {run.id} is {run.accepted}")
        return wait(session, run, longest, json=json)


def _check_budget(budget: float | None) -> None:
    try:
        _ = None if budget is None else to_nanos(budget)
    except ValueError as error:
        raise usage(f"--{error}") from error


def tags(given: "list[str] | tuple[str, ...]") -> dict[str, str]:
    """Return tags as they are typed, ``name=value``."""
    found: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not (equals and name):
            raise usage(f"--tag must be name=value, not {each!r}")
        if found.setdefault(name, value) != value:
            raise usage(f"--tag {name} was given two values")
    return found
