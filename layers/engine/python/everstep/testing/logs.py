"""What workflows and steps log while the test engine runs them, by run."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKFLOW: Final = "everstep.workflow"
STEP: Final = "everstep.step"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line that ``ctx.logger`` or ``step_context().logger`` wrote.

    Attributes:
        level: ``INFO``, ``ERROR`` and so on.
        message: The text, arguments filled in.
        source: ``workflow`` or ``step``.
        operation: Key of the step that logged; None for the workflow itself.
        attempt: Its attempt; None for the workflow itself.
    """

    level: str
    message: str
    source: str
    operation: str | None = None
    attempt: int | None = None


class LogBook(logging.Handler):
    """Keeps every line of every run, whatever level the loggers are set to."""

    def __init__(self) -> None:
        """Start with an empty book."""
        super().__init__(logging.NOTSET)
        self._lines: dict[str, list[LogLine]] = {}

    def lines(self, run_id: str) -> list[LogLine]:
        """Return the lines of a run, in order."""
        return list(self._lines.get(run_id, ()))

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line of a run."""
        fields = vars(record)
        line = LogLine(
            level=record.levelname,
            message=record.getMessage(),
            source="step" if record.name == STEP else "workflow",
            operation=fields.get("operation"),
            attempt=fields.get("attempt"),
        )
        self._lines.setdefault(str(fields.get("run_id")), []).append(line)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Listen for the time of the block."""
        loggers = [logging.getLogger(name) for name in (WORKFLOW, STEP)]
        for logger in loggers:
            logger.addHandler(self)
            if logger.level != logging.DEBUG:
                # It stays so: each change of a level costs time for every logger that there is.
                logger.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(self)
