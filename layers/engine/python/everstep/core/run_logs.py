"""What a run's code has said: lines, kept in chunks beside the records of its operations.

What a workflow says before it asks for an operation goes with that operation, and so do what its
attempts say: lines are written in the same write as what they belong to, and cost no other.
"""

from __future__ import annotations

import json
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from everstep.core.records import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from everstep.core.masking import Masking
    from everstep.core.model import Payload

LEVELS: Final[Mapping[str, int]] = {
    "DEBUG": 10,
    "INFO": 20,
    "WARNING": 30,
    "ERROR": 40,
    "CRITICAL": 50,
}
"""What a level is called, and how severe it is; the numbers are those of Python's logging."""

MOST_CHUNKS: Final = 24
"""Of an operation with more attempts the chunks in between are dropped: the first one stays."""

_CUT: Final = "…"
_ROW: Final = 24


class LogSource(StrEnum):
    """Who says a line.

    Values:
        WORKFLOW: Workflow code.
        STEP: An attempt of a step, and whatever it calls.
        ENGINE: The engine, about an attempt that failed.
        SYSTEM: The engine, about what happened to a process or a run.
    """

    WORKFLOW = "workflow"
    STEP = "step"
    ENGINE = "engine"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line.

    Attributes:
        at: When it was said; of a workflow, when what it had awaited last was over.
        level: ``INFO``, ``ERROR`` and so on.
        source: Who says it.
        logger: The name of the logger; ``stdout`` and ``stderr`` of what was printed.
        message: The text.
        fields: What was said beside the text.
    """

    at: int
    level: str
    source: LogSource
    logger: str
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def cut(self, size: int) -> LogLine:
        """Return the line with no more than so many characters of text, and of fields."""
        line = self
        if len(line.message) > size:
            line = replace(line, message=line.message[:size] + _CUT)
        if len(_dump(line.fields)) > size:
            line = replace(line, fields={"dropped": f"fields of over {size} characters"})
        return line

    def masked(self, masking: Masking) -> LogLine:
        """Return the line without what is to be masked."""
        if not masking:
            return self
        fields = masking.data(dict(self.fields)) if self.fields else self.fields
        return replace(self, message=masking.text(self.message), fields=fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLimits:
    """What is kept of what code says.

    Attributes:
        level: The least severe level that is kept; None to keep nothing.
        inline: Bytes of an operation's lines that stand in its record; more go elsewhere.
        together: Characters that are kept of an attempt, or of a workflow between two operations.
        line: Characters that are kept of the text of a line.
    """

    level: str | None = "INFO"
    inline: int = 1024
    together: int = 262_144
    line: int = 8192

    def wants(self, severity: int) -> bool:
        """Say whether lines as severe as this are kept."""
        return self.level is not None and severity >= LEVELS[self.level]


@dataclass(slots=True, eq=False)
class Said:
    """What code has said and nobody has recorded yet.

    Attributes:
        lines: The lines.
        size: About how many characters they have.
        dropped: How many there was no room for.
        begun: Lines that were begun to be printed, by stream.
    """

    lines: list[LogLine] = field(default_factory=list)
    size: int = 0
    dropped: int = 0
    begun: dict[str, str] = field(default_factory=dict)

    def add(self, line: LogLine, limits: LogLimits) -> None:
        """Keep one more line, if there is room for it."""
        line = line.cut(limits.line)
        size = len(line.message) + len(line.logger) + len(_dump(line.fields)) + _ROW
        if self.dropped or self.size + size > limits.together:
            self.dropped += 1
            return
        self.size += size
        self.lines.append(line)

    def all(self) -> tuple[LogLine, ...]:
        """Return the lines, and how many there was no room for."""
        if not self.dropped:
            return tuple(self.lines)
        at = self.lines[-1].at if self.lines else 0
        return (*self.lines, note(at, f"{self.dropped} more lines: there was no room for them"))

    def clear(self) -> None:
        """Forget everything: it was recorded."""
        self.lines.clear()
        self.size = self.dropped = 0

    def extend(self, other: Said) -> None:
        """Add what was said elsewhere."""
        self.lines += other.lines
        self.size += other.size
        self.dropped += other.dropped


def note(at: int, message: str) -> LogLine:
    """Return a line of the engine about lines that are missing."""
    return LogLine(
        at=at, level="WARNING", source=LogSource.ENGINE, logger="everstep", message=message
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChunk:
    """Lines that were recorded together.

    Attributes:
        at: When.
        attempt: The attempt that said them; 0 for workflow code alone.
        count: How many lines.
        payload: Their recorded text, see ``encode``.
    """

    at: int
    attempt: int
    count: int
    payload: Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """What was said on the way to an operation, and in its attempts.

    Attributes:
        chunks: What is recorded, oldest first.
        lines: What is to be recorded with the next write.
    """

    chunks: tuple[LogChunk, ...] = ()
    lines: tuple[LogLine, ...] = ()

    def and_lines(self, lines: Iterable[LogLine]) -> Logs:
        """Return the same with more lines to be recorded."""
        more = (*self.lines, *lines)
        return Logs(chunks=self.chunks, lines=more) if more else self

    @property
    def recorded_so_far(self) -> Logs:
        """Return the same without lines that are to be recorded."""
        return Logs(chunks=self.chunks) if self.lines else self

    def recorded(self, chunk: LogChunk) -> Logs:
        """Return what is recorded once this chunk of the lines is."""
        chunks = (*self.chunks, chunk)
        if len(chunks) > MOST_CHUNKS:
            chunks = (chunks[0], *chunks[2:])
        return Logs(chunks=chunks)

    @property
    def inline(self) -> int:
        """Return how many bytes stand in the record itself."""
        return sum(each.payload.size for each in self.chunks if each.payload.ref is None)


NO_LOGS: Final = Logs()


def encode(lines: Sequence[LogLine]) -> str:
    """Return lines as recorded text: rows of JSON, times counted from the first."""
    start = lines[0].at if lines else 0
    rows = [
        [line.at - start, line.level, line.source, line.logger, line.message]
        + ([dict(line.fields)] if line.fields else [])
        for line in lines
    ]
    return _dump([start, *rows])


def decode(text: str) -> tuple[LogLine, ...]:
    """Return the lines of a recorded text."""
    start, *rows = json.loads(text)
    return tuple(
        LogLine(
            at=start + after,
            level=level,
            source=LogSource(source),
            logger=logger,
            message=message,
            fields=rest[0] if rest else {},
        )
        for after, level, source, logger, message, *rest in rows
    )


def severity(level: str) -> int:
    """Return how severe a level is; one that nobody knows counts as the lowest."""
    return LEVELS.get(level, 0)


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
