"""Several processes that keep suspended passes, each its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from typing_extensions import override

from everstep.app.kept import Passes

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.kept import Kept
    from everstep.testing.simulation.choices import Choices
    from everstep.testing.simulation.settings import Settings

_HOW_MANY: Final = 2


class Processes(Passes):
    """What the processes of a deployment keep; it is a choice which of them gets a message.

    What others have done meanwhile is then behind the back of the one that keeps a pass.
    """

    def __init__(self, choices: Choices, task: Callable[[], object], fresh: int) -> None:
        """Keep nothing yet.

        Args:
            choices: Chooses the process for each message; the first one, unless others are chosen.
            task: Tells who processes a message now.
            fresh: For how long they do not read again what they have read, in milliseconds.
        """
        super().__init__(from_records=0, fresh=fresh)
        self._choices = choices
        self._task = task
        self._each = tuple(Passes(from_records=0, fresh=fresh) for _ in range(_HOW_MANY))
        self._at_work: dict[object, Passes] = {}

    @override
    def take(self, run_id: str) -> Kept | None:
        """Choose a process, and return what it keeps."""
        process = self._each[self._choices.pick("process", _HOW_MANY)]
        self._at_work[self._task()] = process
        return process.take(run_id)

    @override
    def put(self, run_id: str, kept: Kept) -> None:
        """Keep a pass, in the process that has made it."""
        self._at_work.pop(self._task()).put(run_id, kept)

    @override
    def clear(self) -> None:
        """Let everything go."""
        for process in self._each:
            process.clear()


def processes_of(
    settings: Settings, choices: Choices, task: Callable[[], object]
) -> Processes | None:
    """Return the processes of a deployment, if they keep anything."""
    return Processes(choices, task, settings.fresh) if settings.keeps else None


def let_go(kept: Passes | None) -> None:
    """Let everything go that is kept."""
    if kept is not None:
        kept.clear()
