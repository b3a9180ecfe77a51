"""What the process says by its exit code, and the error that commands raise."""

from __future__ import annotations

from enum import IntEnum

from everstep.core.errors import EverstepError


class ExitCode(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    RUN_FAILED = 4


class CommandError(EverstepError):
    """Say in one line what went wrong, where, and how to mend it.

    Attributes:
        exit_code: What the process ends with.
    """

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        """Keep the exit code beside the message."""
        self.exit_code = exit_code
        super().__init__(message)


def usage(message: str) -> CommandError:
    """Return the error for what was typed wrongly."""
    return CommandError(message, ExitCode.USAGE)


def not_found(message: str) -> CommandError:
    """Return the error for what is not there."""
    return CommandError(message, ExitCode.NOT_FOUND)
