"""Listen to what code says: through ``logging``, powertools' Logger, ``print``.

``install`` puts an ear where every logger of the process hands over its records, as error
trackers do. Of what workflow code says in a replay nothing is passed on: it was said before. What
it says is kept all the same, as it belongs to the operation that the code asks for next.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextvars import ContextVar
from dataclasses import field
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TextIO, TypeAlias, cast

from everstep.authoring.loggers import named, said_beside
from everstep.core.records import dataclass
from everstep.core.run_logs import LogLimits, LogLine, LogSource, Said
from everstep.core.session import Phase, driven

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from contextvars import Token

    from everstep.core.session import Session

_MARKS: Final = frozenset({"run_id", "operation", "attempt", "workflow", "workflow_version"})
_ENGINE: Final = "everstep."
_OF_CODE: Final = ("everstep.workflow", "everstep.step")
_PRINTED: Final[Mapping[str, int]] = {"stdout": logging.INFO, "stderr": logging.WARNING}
_TRACE: Final = 4096
_PLAIN: Final = (str, int, float, bool, type(None))
_Streams: TypeAlias = tuple[TextIO, TextIO]
_hand_over: Final = logging.Logger.callHandlers


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """Listens to one attempt, or to a workflow's code.

    Attributes:
        now: Tells the time.
        limits: What is kept.
        marks: What every line is marked with where it is passed on.
        source: Whose code it is.
        silent: Whether nothing is passed on.
        said: What was heard.
    """

    now: Callable[[], int]
    limits: LogLimits
    marks: Mapping[str, Any]
    source: LogSource = LogSource.STEP
    silent: bool = False
    said: Said = field(default_factory=Said)

    def hear(self, record: logging.LogRecord) -> None:
        """Keep what a logger was told."""
        for name, value in self.marks.items():
            vars(record).setdefault(name, value)
        if self.limits.wants(record.levelno):
            self.said.add(_line(record, self.now(), self.source), self.limits)

    def hear_print(self, stream: str, text: str) -> list[str]:
        """Keep what was printed, line by line; return the lines that are whole by now."""
        *lines, rest = (self.said.begun.pop(stream, "") + text).split("\n")
        if rest:
            self.said.begun[stream] = rest
        level = _PRINTED[stream]
        for line in lines if self.limits.wants(level) else ():
            said = LogLine(
                at=self.now(),
                level=logging.getLevelName(level),
                source=self.source,
                logger=stream,
                message=_sendable(line),
            )
            self.said.add(said, self.limits)
        return lines


@dataclass(slots=True)
class _Process:
    """What holds for all of the process."""

    limits: LogLimits = field(default_factory=LogLimits)
    as_json: bool = False
    listeners: int = 0
    streams: _Streams | None = None
    ears: tuple[_Streams, _Streams] | None = None
    lock: Lock = field(default_factory=Lock)


_process: Final = _Process()
_listener: Final[ContextVar[Ear | None]] = ContextVar("everstep_ear", default=None)


def install(limits: LogLimits, *, as_json: bool = False) -> None:
    """Listen to every logger of this process from now on; doing it again changes the limits only.

    Args:
        limits: What is kept of what workflow code says.
        as_json: Whether what is printed is passed on as lines of a logger instead of as it is.
    """
    _process.limits, _process.as_json = limits, as_json
    logging.Logger.callHandlers = _heard  # type: ignore[method-assign, assignment]


def keeps(level: int) -> bool:
    """Say whether what workflow code says is kept, also where it is not passed on."""
    return logging.Logger.callHandlers is _heard and _process.limits.wants(level)


class listening:  # noqa: N801 - used as a function is
    """Listen to an attempt while the block runs, in its threads and tasks, too."""

    __slots__ = ("_before", "_ear")
    _before: Token[Ear | None]

    def __init__(self, ear: Ear) -> None:
        """Hear nothing yet."""
        self._ear = ear

    def __enter__(self) -> None:
        """Begin to listen."""
        self._before = _listener.set(self._ear)
        _hearing.__enter__()

    def __exit__(self, *_: object) -> None:
        """Hear also what was printed without the end of a line."""
        try:
            _hearing.__exit__()
            for stream in list(self._ear.said.begun):
                _print(self._ear, stream, "\n")
        finally:
            _listener.reset(self._before)


class _HearingPrints:
    """Takes the place of the standard streams while anybody listens."""

    __slots__ = ()

    def __enter__(self) -> None:
        with _process.lock:
            _process.listeners += 1
            if _process.streams is None:
                _process.streams = under = sys.stdout, sys.stderr
                if _process.ears is None or _process.ears[0] != under:
                    _process.ears = under, (_with_ear(0, under), _with_ear(1, under))
                sys.stdout, sys.stderr = _process.ears[1]

    def __exit__(self, *_: object) -> None:
        with _process.lock:
            _process.listeners -= 1
            if not _process.listeners and _process.streams is not None:
                (sys.stdout, sys.stderr), _process.streams = _process.streams, None


_hearing: Final = _HearingPrints()


def hearing_prints() -> AbstractContextManager[None]:
    """Hear what is printed while the block runs; several may listen at the same time."""
    return _hearing


class _Stream:
    """Standard output or error, with an ear."""

    def __init__(self, under: TextIO, name: str) -> None:
        self._under = under
        self._name = name

    def write(self, text: str) -> int:
        ear = _ear()
        if ear is None:
            return self._under.write(text)
        _print(ear, self._name, text)
        if not (ear.silent or _process.as_json):
            self._under.write(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._under, name)


def _with_ear(which: int, streams: _Streams) -> TextIO:
    return cast("TextIO", _Stream(streams[which], tuple(_PRINTED)[which]))


def _print(ear: Ear, stream: str, text: str) -> None:
    lines = ear.hear_print(stream, text)
    if _process.as_json and not ear.silent:
        for line in lines:
            level = _PRINTED[stream]
            record = logging.LogRecord(f"everstep.{stream}", level, "", 0, line, (), None)
            vars(record).update(ear.marks)
            _hand_over(named(record.name), record)


def _heard(logger: logging.Logger, record: logging.LogRecord) -> None:
    """Hear a record before the handlers of its logger do, which are not asked if it is silent."""
    ear = _ear()
    if ear is not None:
        ear.hear(record)
    if ear is None or not ear.silent:
        _hand_over(logger, record)


def _ear() -> Ear | None:
    """Return who listens to the code that runs at the moment."""
    session = driven()
    return _listener.get() if session is None else _of_workflow(session)


def _of_workflow(session: Session) -> Ear:
    run, frame = session.run, session.frame
    driving = session.phase is Phase.DRIVING
    return Ear(
        now=lambda: frame.now,
        limits=_process.limits if driving else LogLimits(level=None),
        marks={"run_id": run.run_id, "workflow": run.workflow, "workflow_version": run.version},
        source=LogSource.WORKFLOW,
        silent=not (driving and frame.live),
        said=frame.said,
    )


def _line(record: logging.LogRecord, at: int, source: LogSource) -> LogLine:
    of_engine = record.name.startswith(_ENGINE) and not record.name.startswith(_OF_CODE)
    fields = {
        name: value if isinstance(value, _PLAIN) else _sendable(str(value))
        for name, value in said_beside(record).items()
        if name not in _MARKS
    }
    if record.exc_info and record.exc_info[1] is not None:
        text = "".join(traceback.format_exception(record.exc_info[1]))
        fields["exception"] = _sendable(text[-_TRACE:])
    return LogLine(
        at=at,
        level=record.levelname,
        source=LogSource.ENGINE if of_engine else source,
        logger=record.name,
        message=_sendable(_message(record)),
        fields=fields,
    )


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - arguments may be anything; the logger's handlers complain
        return str(record.msg)


def _sendable(text: str) -> str:
    """Return a text without halves of characters, which cannot be recorded."""
    return text.encode(errors="replace").decode()
