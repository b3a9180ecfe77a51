"""Become a Lambda runtime: the first code of every function process.

Run by path, with the interpreter of the functions, so it imports the standard library and
`awslambdaric` alone. Usage: launcher.py PARENT_PID DATA_LIMIT_BYTES HANDLER
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1


def die_with(parent: int) -> None:
    """Have the kernel kill this process when `parent` ends, however it ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    # The parent may have ended before the request was made: then nobody will ever send the signal.
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def limit_data(limit: int) -> None:
    """Refuse private memory beyond `limit` bytes: a backstop for allocations too fast to watch."""
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def main(arguments: list[str]) -> None:
    """Bind this process to LocalStack's life, limit its memory, and serve invocations for ever."""
    parent, data_limit, handler = arguments
    die_with(int(parent))
    limit_data(int(data_limit))
    from awslambdaric.__main__ import main as serve  # noqa: PLC0415 - after the limits are set

    serve(["awslambdaric", handler])


if __name__ == "__main__":
    main(sys.argv[1:])
