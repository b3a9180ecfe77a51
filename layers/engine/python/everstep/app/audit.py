"""Read the audit of a run, check it, and continue it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.audit import acceptance, seal
from everstep.core.audit_check import Break, Harm, check_audit
from everstep.core.errors import RunNotFoundError, UnavailableError
from everstep.core.places import content_digest, digest_of
from everstep.core.records import replace
from everstep.core.trail import began_at, trail_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.app.engine import Engine
    from everstep.core.audit import AuditEntry
    from everstep.core.audit_check import Verdict
    from everstep.core.model import Head, Payload

_CONTENTION: Final = 5


def audit(engine: Engine, run_id: str) -> Sequence[AuditEntry]:
    """Return what was done to a run, beginning with its birth, in order.

    Raises:
        RunNotFoundError: There is no such run.
    """
    return trail_of(*_together(engine, run_id))


def began(engine: Engine, run_id: str) -> int | None:
    """Return when a run's code began, as far as that is known.

    Raises:
        RunNotFoundError: There is no such run.
    """
    head = _head(engine, run_id)
    if head.trail is not None and head.trail.sealed is not None:
        return head.trail.started_at
    history = engine.runs.load(run_id)
    return None if history is None else began_at(history.records.values())


def verify_audit(engine: Engine, run_id: str) -> Verdict:
    """Return what was done to the audit of a run that should not have been done.

    What the run was started with and what it came to are compared with what is recorded of them,
    also where they are objects of the blob store.

    Raises:
        RunNotFoundError: There is no such run.
    """
    head, entries = _together(engine, run_id)
    verdict = check_audit(head, entries)
    named = {each.entry for each in verdict.breaks}
    sealed = head.trail.sealed if head.trail else None
    altered = [
        Break(entry=number, harm=Harm.EDITED, detail=f"the object that holds its {what} was edited")
        for number, what, payload in ((0, "input", head.input), (sealed, "result", head.result))
        if number is not None
        and number not in named
        and payload is not None
        and not _is_what_it_was(engine, payload)
    ]
    return replace(verdict, breaks=(*verdict.breaks, *altered))


def link_of(engine: Engine, head: Head) -> str:
    """Return the hash of the last entry of a run's audit."""
    if head.trail is not None:
        return head.trail.link
    # All of it is of an earlier release, whose heads do not hold the hash.
    if head.generation == 0:
        return seal(acceptance(head))
    found = engine.runs.audit(head.run_id, head.generation)
    # An entry that is gone keeps nobody from acting; the chain shows that it is broken.
    return seal(found[0] if found else replace(acceptance(head), number=head.generation))


def _head(engine: Engine, run_id: str) -> Head:
    head = engine.runs.head(run_id)
    if head is None:
        raise RunNotFoundError(run_id)
    return head


def _together(engine: Engine, run_id: str) -> tuple[Head, Sequence[AuditEntry]]:
    """Return a run's head and the entries that it counts, although they are two reads."""
    for _ in range(_CONTENTION):
        head = _head(engine, run_id)
        entries = engine.runs.audit(run_id)
        if _head(engine, run_id).generation == head.generation:
            return head, entries
    raise UnavailableError(f"the audit of run {run_id} grows all the time: try again")


def _is_what_it_was(engine: Engine, payload: Payload) -> bool:
    if payload.ref is None:
        return True
    return content_digest(engine.blobs.get(payload.ref).encode()) == digest_of(payload)
