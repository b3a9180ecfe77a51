"""``mask()``: keep a value that code has come by out of everything that people see."""

from __future__ import annotations

from everstep.core.errors import EverstepError
from everstep.core.hiding import of_step
from everstep.core.session import driven


def mask(value: str) -> None:
    """Take care that a value is not shown from now on, in a workflow or in one of its steps.

    It is taken out of every answer of the API, of errors, logs, exports and dead letters of this
    run, wherever it stands, also within other text or encoded in it; and of the child runs and
    the successor that the run begins from now on. Code gets it in clear as ever. The value is
    recorded with the run, for those who show what the run has recorded.

    Args:
        value: The secret, of 4 to 8,192 characters.

    Raises:
        UnmaskableError: It is too short or too long, or no text.
        EverstepError: Called outside a workflow and its steps.
    """
    session = driven()
    hidden = of_step() if session is None else session.hidden
    if hidden is None:
        raise EverstepError("mask() was called outside a workflow and its steps")
    hidden.register(value)
