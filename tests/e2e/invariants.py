"""What must hold on the live table after whatever was done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.payloads import load
from everstep.app.verify import verify, verify_run
from everstep.core.invariants import nothing_is_silently_stuck

if TYPE_CHECKING:
    from everstep.app.engine import Engine


def check_run(engine: Engine, run_id: str) -> None:
    """Check one run that has come to rest."""
    report = verify_run(engine, run_id)
    assert not report.violations
    _has_come_to_rest(engine, run_id)


def check_since(engine: Engine, oldest: str) -> int:
    """Check every run whose id sorts after this one; return how many there are."""
    started = list(verify(engine, lambda run: run.run_id > oldest))
    for report in started:
        assert not report.violations
        _has_come_to_rest(engine, report.run_id)
    return len(started)


def _has_come_to_rest(engine: Engine, run_id: str) -> None:
    history = load(engine, run_id)
    assert history is not None
    nothing_is_silently_stuck(history)
