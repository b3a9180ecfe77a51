"""Wait for a run, and say on standard error how it gets on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from everstep.cli.exits import ExitCode
from everstep.cli.printing import as_json, line
from everstep.client import RunFailed, RunTimeout

if TYPE_CHECKING:
    from everstep.cli.session import Session
    from everstep.client import Run

_LOOK_SECONDS: Final = 5.0


def wait(session: Session, run: Run[Any], timeout: float | None, *, json: bool) -> int:
    """Wait for a run to end, and print its result; return the exit code.

    Args:
        session: What to print to.
        run: The run.
        timeout: Seconds; None to wait for as long as it takes.
        json: Whether to print an object with the status, also of a run that failed.

    Raises:
        RunFailed: It has ended in another way than by completing.
        RunTimeout: It has not ended by then.
    """
    try:
        result = _result(session, run, timeout)
    except RunFailed as error:
        if json:
            as_json(_failed(error))
        raise
    completed = {"run_id": run.id, "status": "COMPLETED", "result": result}
    as_json(completed if json else result)
    return ExitCode.DONE


def _result(session: Session, run: Run[Any], timeout: float | None) -> Any:  # noqa: ANN401 - JSON
    if not session.err.is_terminal:
        return run.result(timeout)
    spent = 0.0
    with session.err.status(f"waiting for run {run.id}") as progress:
        while True:
            left = _LOOK_SECONDS if timeout is None else min(timeout - spent, _LOOK_SECONDS)
            try:
                return run.result(left)
            except RunTimeout as error:
                spent += left
                if timeout is not None and spent >= timeout:
                    raise
                progress.update(f"run {run.id} is {error.status}, waiting for {spent:.0f} s")


def _failed(error: RunFailed) -> dict[str, Any]:
    return {
        "run_id": error.run_id,
        "status": error.status,
        "error": {
            "type": error.error_type,
            "message": error.message,
            "operation": error.operation,
        },
    }


def started(session: Session, run: Run[Any], what: str, *, json: bool) -> int:
    """Say that a run was made; return the exit code."""
    if json:
        as_json({"run_id": run.id, "status": run.accepted})
    else:
        line(session.out, "run ", (run.id, "bold"), f" {what}")
    return ExitCode.DONE
