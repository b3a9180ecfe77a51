"""``everstep doctor RUN``: why a run does not move, and the safe repair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from everstep.cli import shown
from everstep.cli.asking import may
from everstep.cli.exits import ExitCode
from everstep.cli.printing import as_json, facts, line, table

if TYPE_CHECKING:
    from everstep.cli.options import Target
    from everstep.cli.printing import Cell
    from everstep.cli.session import Session
    from everstep.client import Diagnosis, Run

_AWAITED: Final = ("operation", "kind", "state", "since", "until", "what")
_NOT_YET: Final = frozenset({"starting", "under-way", "finishing"})
_VERDICTS: Final = {
    True: ("it helped", "green"),
    False: ("it has not helped", "red"),
    None: ("it is under way, whether it helped shows soon: look again", "yellow"),
}
_LOOKS: Final = 10
_PAUSE: Final = 1.0
_REPAIRS: Final = {
    "resume": "resume it: it goes on from what is recorded",
    "recover": "send a message that takes over whatever it owes, as the sweeper would in the end; "
    "a step whose message is only late may be executed twice",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """That what helps is to be done, whether without asking, and why."""

    yes: bool
    reason: str | None


def diagnose(
    session: Session, target: Target, run_id: str, repair: Fix | None, *, json: bool
) -> int:
    """Tell why a run does not move; with a repair, do what helps, and say whether it did.

    Returns:
        1 if it stands still or has lost something and that was not mended, else 0.
    """
    with session.connect(session, target) as client:
        run = client.handle(run_id)
        found = run.diagnose()
        if not json:
            _print(session, found)
        if repair is None or found.repair is None:
            if json:
                as_json(shown.data(found))
            elif repair is not None:
                line(session.out, "there is nothing to repair")
            return _code(found)
        return _mend(session, run, found, repair, json=json)


def _mend(session: Session, run: Run[Any], found: Diagnosis, repair: Fix, *, json: bool) -> int:
    what = str(found.repair)
    if not may(session, _REPAIRS.get(what, what), yes=repair.yes):
        line(session.err, "nothing was done")
        return ExitCode.FAILED
    done = run.repair(reason=repair.reason or "everstep doctor --fix")
    after = _afterwards(session, run, found)
    helped = _helped(found, after)
    if json:
        told = {"before": shown.data(found), "done": done, "after": shown.data(after)}
        as_json(told | {"helped": helped})
    elif done is None:
        line(session.out, "nothing was done: it has moved meanwhile; look again")
    else:
        word, style = _VERDICTS[helped]
        line(session.out)
        line(session.out, (f"{done}: {word}", style))
        line(session.out, f"now {after.cause}: {after.says}")
    return ExitCode.FAILED if helped is False else ExitCode.DONE


def _helped(found: Diagnosis, after: Diagnosis) -> bool | None:
    """Say whether a repair helped; None as long as nobody can tell."""
    if after.repair is not None:
        return False
    same = [each.key for each in found.awaited] == [each.key for each in after.awaited]
    return None if after.cause in _NOT_YET and same else True


def _afterwards(session: Session, run: Run[Any], found: Diagnosis) -> Diagnosis:
    """Return how the run is once the repair has had its effect, or some seconds later."""
    after = run.diagnose()
    for _ in range(_LOOKS):
        if _helped(found, after):
            break
        session.sleep(_PAUSE)
        after = run.diagnose()
    return after


def _code(found: Diagnosis) -> int:
    sick = found.repair is not None or found.window is not None
    return ExitCode.FAILED if sick else ExitCode.DONE


def _print(session: Session, found: Diagnosis) -> None:
    foreseen = found.foreseen
    told: dict[str, Cell | None] = {
        "run": found.id,
        "status": shown.status(found.status),
        "why": (found.says, "bold red" if _code(found) else "bold"),
        "since": shown.time(found.since) or None,
        "until": shown.time(found.until) or None,
        "window": found.window,
        "by itself": None
        if foreseen is None
        else f"the sweeper sends a {foreseen.message} message at about {shown.time(foreseen.at)}",
        "repair": None if found.repair is None else _repair(found.repair),
        "to do": found.advice,
    }
    facts(session.out, told)
    if found.awaited:
        line(session.out)
        rows = (
            (
                each.key,
                each.kind,
                each.state,
                shown.time(each.since),
                shown.time(each.until),
                each.says,
            )
            for each in found.awaited
        )
        table(session.out, _AWAITED, rows)


def _repair(what: str) -> str:
    return f"{what} (--fix): {_REPAIRS.get(what, '')}"
