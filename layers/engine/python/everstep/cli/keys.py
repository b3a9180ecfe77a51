"""``everstep keys``: who may call the API of a deployment, and what."""

import re
from typing import TYPE_CHECKING, Annotated, Final

import typer

from everstep.app.keys import KeyRequest
from everstep.cli import options, shown
from everstep.cli.connection import connect_keys
from everstep.cli.exits import ExitCode, usage
from everstep.cli.printing import as_json, as_json_line, line, table
from everstep.cli.times import seconds
from everstep.core.durations import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.cli.printing import Cell
    from everstep.cli.session import Session
    from everstep.client.keys import IssuedKey, KeyInfo

_COLUMNS: Final = (
    "key",
    "name",
    "status",
    "scopes",
    "workflows",
    "rate",
    "created",
    "expires",
    "used",
)
_RATE: Final = re.compile(r"(\d{1,9})/min")

KeyId = Annotated[
    str, typer.Argument(metavar="KEY_ID", help="The key's id: what stands between its _.")
]
Scope = Annotated[
    list[str],
    typer.Option(
        "--scope",
        metavar="SCOPES",
        help="What it is good for: trigger, read, control, admin; by commas, or repeated.",
    ),
]
Name = Annotated[
    str, typer.Option("--name", metavar="NAME", help="What to call it; the audit shows it.")
]
Workflow = Annotated[
    list[str] | None,
    typer.Option("--workflow", metavar="NAME", help="Limit it to this workflow; may be repeated."),
]
Expires = Annotated[
    str | None,
    typer.Option("--expires", metavar="DURATION", help="How long it is good: 90d; else for ever."),
]
Rate = Annotated[
    str | None,
    typer.Option("--rate", metavar="N/min", help="How many calls it may make: 100/min."),
]
Overlap = Annotated[
    str,
    typer.Option(
        "--overlap", metavar="DURATION", help="How long the present secret stays good: 12h, 0."
    ),
]


@options.of_deployment
def create(
    ctx: typer.Context,
    *,
    scope: Scope,
    name: Name = "key",
    workflow: Workflow = None,
    expires: Expires = None,
    rate: Rate = None,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Make an API key, and show it: this once."""
    session: Session = ctx.obj
    request = KeyRequest(
        name=name,
        scopes=tuple(_words(scope)),
        workflows=tuple(workflow or ()),
        lifetime=_millis(expires, "--expires"),
        rate=_rate(rate),
    )
    with connect_keys(session, target) as keys:
        made = keys.create(request)
    return _told(session, made, json=json)


@options.of_deployment
def list_(
    ctx: typer.Context,
    *,
    json: options.Json = False,
    json_lines: options.JsonLines = False,
    target: options.Target,
) -> int:
    """List API keys, oldest first, without their secrets."""
    session: Session = ctx.obj
    with connect_keys(session, target) as keys:
        found = keys.list()
    if json_lines:
        for each in found:
            as_json_line(shown.data(each))
    elif json:
        as_json([shown.data(each) for each in found])
    else:
        table(session.out, _COLUMNS, [_row(each) for each in found])
    return ExitCode.DONE


@options.of_deployment
def revoke(
    ctx: typer.Context, key_id: KeyId, *, json: options.Json = False, target: options.Target
) -> int:
    """Let an API key be good no more, within the minute that API Gateway remembers it."""
    session: Session = ctx.obj
    with connect_keys(session, target) as keys:
        revoked = keys.revoke(key_id)
    if json:
        as_json(shown.data(revoked))
    else:
        line(session.out, f"key {revoked.key_id} ({revoked.name}) is ", shown.status("REVOKED"))
    return ExitCode.DONE


@options.of_deployment
def rotate(
    ctx: typer.Context,
    key_id: KeyId,
    *,
    overlap: Overlap = "1d",
    expires: Expires = None,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Give an API key another secret, and show it: this once."""
    session: Session = ctx.obj
    kept = round(seconds(overlap, "--overlap") * SECOND)
    lifetime = _millis(expires, "--expires")
    with connect_keys(session, target) as keys:
        rotated = keys.rotate(key_id, overlap=kept, lifetime=lifetime)
    return _told(session, rotated, json=json)


def _told(session: "Session", issued: "IssuedKey", *, json: bool) -> int:
    """Give the key alone on standard output, where a program reads it."""
    if json:
        as_json(shown.data(issued))
        return ExitCode.DONE
    line(session.out, issued.key)
    until = shown.time(issued.former_secret_until)
    former = f"; the secret before is good until {until}" if until else ""
    good = f"it is good for {', '.join(issued.scopes)}"
    line(session.err, f"key {issued.key_id} ({issued.name}) is shown this once; {good}{former}")
    return ExitCode.DONE


def _row(key: "KeyInfo") -> "tuple[Cell, ...]":
    return (
        key.key_id,
        key.name,
        shown.status(key.status),
        ", ".join(key.scopes),
        ", ".join(key.workflows) or "all",
        "" if key.rate is None else f"{key.rate}/min",
        shown.time(key.created_at),
        shown.time(key.expires_at),
        shown.time(key.last_used_at),
    )


def _words(given: "Iterable[str]") -> "Iterable[str]":
    return (word.strip() for each in given for word in each.split(",") if word.strip())


def _millis(duration: str | None, option: str) -> int | None:
    return None if duration is None else round(seconds(duration, option) * SECOND)


def _rate(text: str | None) -> int | None:
    if text is None:
        return None
    found = _RATE.fullmatch(text)
    if found is None:
        raise usage(f"--rate must be calls a minute such as 100/min, not {text!r}")
    return int(found[1])
