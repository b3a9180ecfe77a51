"""The command line ``everstep``.

``main`` is the script. ``root`` puts the commands together and is the one place where errors
become a line and an exit code; each group of commands is a module of its own: ``check``,
``doctor``. What they share: ``session`` (where to print, what to ask), ``options`` (which
deployment), ``connection`` (options → engine), ``printing`` (tables and JSON), ``failures``
(error → line and exit code).

typer and rich come with the extra ``everstep[cli]``; nothing else of the package imports them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXTRA: Final = frozenset({"annotated_doc", "rich", "shellingham", "typer"})
_USAGE: Final = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code.

    Args:
        arguments: Instead of the process's own.
    """
    try:
        from everstep.cli.root import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        print(
            f"error: the command line needs {error.name}, which is not installed: "
            'pip install "everstep[cli]"',
            file=sys.stderr,
        )
        sys.exit(_USAGE)
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))
