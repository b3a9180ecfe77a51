"""What somebody types, and what they see."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from everstep.adapters.memory.clock import VirtualClock
from everstep.app.verify import RunReport, Skipped, Violation
from everstep.cli.connection import connect
from everstep.cli.printing import console
from everstep.cli.root import run
from everstep.cli.session import Session
from everstep.core.model import RunStatus
from everstep.wiring import Clients, ReadOnlyClients

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.app.engine import Engine

NOW: Final = 1_767_225_600_000  # 1 January 2026
DEPLOYMENT: Final = {"EVERSTEP_TABLE": "table", "EVERSTEP_BUCKET": "bucket"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Exit code, standard output and standard error of one call."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class Verifier:
    """Gives prepared reports, and remembers what it was asked."""

    reports: Iterable[RunReport] = ()
    asked: tuple[str | None, int | None] | None = None
    engine: Engine | None = None

    def __call__(
        self, engine: Engine, *, run_id: str | None, since: int | None
    ) -> Iterable[RunReport]:
        self.engine = engine
        self.asked = (run_id, since)
        return self.reports


def session(verify: Verifier | None = None, environment: dict[str, str] | None = None) -> Session:
    return Session(
        environment=DEPLOYMENT if environment is None else environment,
        out=console(),
        err=console(stderr=True),
        connect=connect,
        clients=Clients,
        readers=ReadOnlyClients,
        verify=Verifier() if verify is None else verify,
        clock=VirtualClock(NOW),
        sleep=lambda _: None,
        ask=False,
    )


def typed(*arguments: str, by: Session | None = None) -> Seen:
    """Type ``everstep`` with arguments."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(arguments, session() if by is None else by)
    return Seen(code=code, out=out.getvalue(), err=err.getvalue())


def report(
    run_id: str,
    *checked: str,
    violations: tuple[tuple[str, str], ...] = (),
    skipped: tuple[tuple[str, str], ...] = (),
) -> RunReport:
    """Return a report; violations as (invariant, detail), skipped as (invariant, reason)."""
    return RunReport(
        run_id=run_id,
        workflow="shop",
        version="1",
        status=RunStatus.RUNNING,
        checked=checked,
        violations=tuple(
            Violation(invariant=name, run_id=run_id, detail=detail) for name, detail in violations
        ),
        skipped=tuple(Skipped(invariant=name, reason=reason) for name, reason in skipped),
    )
