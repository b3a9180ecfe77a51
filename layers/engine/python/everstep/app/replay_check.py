"""Find out before a deployment whether runs in flight can go on with the code at hand.

Only reads. Runs move while they are looked at, and a query is no snapshot: a run that seems
broken is read once more, and counts only if it is so then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from everstep.app.deadline import call_within
from everstep.app.reading import read_run
from everstep.core.compatibility import check_replay
from everstep.core.durations import SECOND
from everstep.core.errors import StepTimeout, WorkflowMissingError
from everstep.core.replay_reports import (
    ReplayReport,
    pinned,
    restless,
    unreadable,
    unreplayable,
)
from everstep.core.unreadable import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.app.engine import Engine
    from everstep.authoring.registry import Registry
    from everstep.core.listing import Listed
    from everstep.core.model import History

# Far more than a replay takes.
_PATIENCE = 5 * SECOND


def judge(
    registry: Registry, history: History, *, patience: int = _PATIENCE, values: bool = False
) -> ReplayReport:
    """Say whether a run can go on with the code at hand; no step is executed.

    Args:
        registry: The code at hand.
        history: The run, every payload at hand, that of the result included.
        patience: Milliseconds that its code may take.
        values: Tell arguments and results.
    """
    head = history.head
    try:
        definition = registry.to_continue(head.workflow, head.version)
    except WorkflowMissingError:
        return pinned(history, registry.versions(head.workflow))
    try:
        report = call_within(lambda: check_replay(definition, history, values=values), patience)
    except StepTimeout:
        return restless(history, patience)
    return cast("ReplayReport", report)


def replay_check(engine: Engine) -> Iterator[ReplayReport]:
    """Report on every run that has not ended, in no order, one after the other.

    Args:
        engine: The ports, of which only reads are made, and the code at hand.

    Raises:
        EverstepError: A service failed; what was seen until then came before.
    """
    try:
        for run in engine.lists.every():
            report = None if run.status.terminal else _looked_at_twice(engine, run)
            if report is not None:
                yield report
    except UnreadableError as error:
        # What the list holds beside these was looked at before.
        for item in error.items:
            yield unreadable(item.run_id, "", "", [item])


def _looked_at_twice(engine: Engine, run: Listed) -> ReplayReport | None:
    report = _look_at(engine, run)
    return report if report is None or not report.broken else _look_at(engine, run)


def _look_at(engine: Engine, run: Listed) -> ReplayReport | None:
    """Return what there is to say of a run; None if it has ended by now."""
    history, items = read_run(engine, run.run_id)
    if history is not None and history.head.status.terminal:
        return None
    if items:
        return unreadable(run.run_id, run.workflow, run.version, items)
    if history is None:
        return None
    try:
        return judge(engine.registry, history)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a workflow's code may raise anything
        return unreplayable(history, error)
