"""Find out why a run does not move, and have it go on: what ``everstep doctor`` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.control import recover, resume
from everstep.app.look import look
from everstep.app.payloads import load
from everstep.core.decisions import Broken, Suspended
from everstep.core.diagnose import diagnose
from everstep.core.diagnosis import Diagnosis, Known, Repair
from everstep.core.errors import RunNotFoundError, WorkflowMissingError
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.app.engine import Engine
    from everstep.core.audit import AuditEntry
    from everstep.core.decisions import Decision
    from everstep.core.model import Head, History


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What was found, and whether anything was done about it.

    Attributes:
        found: The diagnosis that was acted upon.
        done: What was done; None if nothing would have helped, or somebody else was faster.
    """

    found: Diagnosis
    done: Repair | None


def examine(engine: Engine, run_id: str) -> Diagnosis:
    """Return why a run does not move; nothing is written.

    Raises:
        RunNotFoundError: There is no such run.
        UnavailableError: A service did not answer.
    """
    history, decision = _looked_at(engine, run_id)
    if isinstance(decision, Broken):
        # A query is no snapshot: what contradicts the code counts if it does so twice.
        history, decision = _looked_at(engine, run_id)
    known = Known(
        watchdog=engine.limits.watchdog,
        grace=engine.limits.grace,
        last=_last(engine, history.head),
        children=_children(engine, decision),
        missing="" if decision is not None else _missing(engine, history.head),
    )
    return diagnose(history, decision, engine.clock.now(), known)


def repair(
    engine: Engine, run_id: str, *, who: str | None = None, why: str | None = None
) -> Repaired:
    """Do what helps a run now, if anything does; repeating this is harmless.

    A run that stands still is resumed, if its cause is mended. One that has lost a message, a
    timer or its place in the due index is taken over, as the watchdog would do hours later. What
    is under way is left alone.

    Args:
        engine: The ports.
        run_id: The run.
        who: Who asks, for the audit.
        why: What for, for the audit.

    Raises:
        InvalidRequestError: What is to be recorded is too long.
        RunNotFoundError: There is no such run.
        IllegalStateError: It has ended meanwhile.
        UnavailableError: Nothing is known; the same call again is harmless.
    """
    found = examine(engine, run_id)
    match found.repair:
        case Repair.RESUME:
            resume(engine, run_id, who=who, why=why)
            return Repaired(found=found, done=Repair.RESUME)
        case Repair.RECOVER:
            seen = found.due_at
            done = recover(engine, run_id, seen, who=who, why=why)
            return Repaired(found=found, done=Repair.RECOVER if done else None)
        case _:
            return Repaired(found=found, done=None)


def _looked_at(engine: Engine, run_id: str) -> tuple[History, Decision | None]:
    history = load(engine, run_id)
    if history is None:
        raise RunNotFoundError(run_id)
    if history.head.status.terminal:
        return history, None
    return history, look(engine, history, lambda replay: replay.decision)


def _last(engine: Engine, head: Head) -> AuditEntry | None:
    if head.generation == 0:
        return None
    found = engine.runs.audit(head.run_id, head.generation)
    return found[0] if found else None


def _missing(engine: Engine, head: Head) -> str:
    try:
        engine.registry.to_continue(head.workflow, head.version)
    except WorkflowMissingError as error:
        return str(error)
    return ""


def _children(engine: Engine, decision: Decision | None) -> Mapping[str, Head | None]:
    """Return the runs that are waited for, or those that go on in their place."""
    waits = decision.frontier if isinstance(decision, Suspended) else ()
    records = [each.record for each in waits if each.record is not None]
    return {each.child: _followed(engine, each.child) for each in records if each.child}


def _followed(engine: Engine, run_id: str) -> Head | None:
    head = engine.runs.head(run_id)
    while head is not None and head.successor is not None:
        head = engine.runs.head(head.successor)
    return head
