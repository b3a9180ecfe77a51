"""What the shell completes beside commands and options: workflows, runs, statuses.

Whoever presses tab waits for the answer: one call, answered soon or not at all. Nothing is
printed, and what goes wrong shows when the command itself is called.
"""

from itertools import islice
from typing import TYPE_CHECKING, Final

import typer

from everstep.cli.options import target_of
from everstep.core.errors import EverstepError
from everstep.core.model import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from everstep import Client
    from everstep.cli.session import Session

_SHOWN: Final = 50


def workflow_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return workflows that are deployed."""
    return _asked(ctx, incomplete, lambda client: (each.name for each in client.workflows()))


def run_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the newest runs."""
    return _asked(
        ctx, incomplete, lambda client: (each.id for each in islice(client.runs(), _SHOWN))
    )


def statuses(incomplete: str) -> list[str]:
    """Return what can be asked for, after those that are typed already."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{each}" for each in RunStatus if each.startswith(last.upper())]


def _asked(
    ctx: typer.Context, incomplete: str, ask: "Callable[[Client], Iterable[str]]"
) -> list[str]:
    session: Session = ctx.obj
    try:
        with session.connect(session, target_of(ctx.params), hasty=True) as client:
            return [each for each in ask(client) if each.startswith(incomplete)]
    except EverstepError:
        return []
