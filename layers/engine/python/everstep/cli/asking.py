"""Ask before something is done that changes much."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from everstep.cli.exits import usage
from everstep.cli.printing import line

if TYPE_CHECKING:
    from everstep.cli.session import Session


def may(session: Session, what: str, *, yes: bool) -> bool:
    """Say whether something may be done: it was said beforehand, or is said now.

    Raises:
        CommandError: It was not, and nobody is there to be asked.
    """
    if yes:
        return True
    if not session.ask:
        raise usage(f"this would {what}; nobody is there to be asked: --yes does it without")
    line(session.err, f"this will {what}")
    # Not by input(): that writes to standard output, which is for the answer.
    session.err.print("do it? [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
