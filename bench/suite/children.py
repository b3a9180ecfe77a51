"""Have a script play a task in a process of its own, watch it, and leave nothing of it behind."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from bench.suite import watching
from bench.suite.plan import as_data

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bench.peers.protocol import Item
    from bench.suite.watching import Usage

_TAIL: Final = 400
_ASLEEP_SECONDS: Final = 2.0
_ENDED: Final = "the script ended"
_ANSWERED: Final = frozenset({"begin", "end", "failed"})


class ChildError(Exception):
    """A script could not do anything; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """How to start a script.

    Attributes:
        command: What to call, without the task.
        folder: The current folder.
        options: For the task.
        environment: Variables in addition.
        watched: Marks of processes that belong to the engine, but were not started by the script.
        emulated: Whether processor time would be that of an emulator, and is left out.
    """

    command: Sequence[str]
    folder: Path
    options: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    watched: tuple[str, ...] = ()
    emulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of an item.

    Attributes:
        item: What was played.
        seconds: What the script says that it took.
        cpu: Seconds of processor time of everything that belongs to the engine.
        asleep_mb: Memory while all runs were asleep, if that was seen.
        asleep_cpu: Share of a processor while all runs were asleep.
        reason: Why there is no result.
    """

    item: Item
    seconds: float = 0
    cpu: float | None = None
    asleep_mb: float | None = None
    asleep_cpu: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a script told.

    Attributes:
        versions: Of what it ran.
        played: One for each item, without those left out since they take long.
    """

    versions: dict[str, str]
    played: tuple[Played, ...]


def play(
    script: Script, items: Sequence[Item], folder: Path, seconds: float, say: Callable[[str], None]
) -> Report:
    """Have a script play items.

    Args:
        script: What to start.
        items: What to play.
        folder: An empty folder for the script; it holds its log afterwards.
        seconds: After which it is ended. What it has done until then counts.
        say: Is told of every item.

    Raises:
        ChildError: The script did not even begin.
    """
    task = folder / "task.json"
    state = folder / "state"
    state.mkdir()
    listed = [as_data(each) for each in items]
    options = dict(script.options)
    task.write_text(
        json.dumps({"items": listed, "state": str(state), "options": options}), encoding="utf-8"
    )
    mark = str(folder)
    log = folder / "log.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*script.command, str(task)],
            cwd=script.folder,
            env={**os.environ, **script.environment, watching.VARIABLE: mark},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            # Ctrl-C is for the suite, which then ends the script.
            start_new_session=True,
        )
    try:
        listener = _Listener(items, (mark, *script.watched), timed=not script.emulated)
        why = _listen(process, listener, seconds, say)
    finally:
        watching.end(mark)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
    if listener.versions is None:
        raise ChildError(why if why != _ENDED else _last_words(log))
    return Report(versions=listener.versions, played=tuple(listener.played))


class _Listener:
    """Puts what a script tells beside what its processes used at that moment."""

    def __init__(self, items: Sequence[Item], marks: tuple[str, ...], *, timed: bool) -> None:
        self._items = items
        self._marks = marks
        self._timed = timed
        self._began: Usage | None = None
        self._asleep: tuple[float | None, float | None] = None, None
        self.versions: dict[str, str] | None = None
        self.played: list[Played] = []
        self.current: Item | None = None

    def hear(self, told: Mapping[str, Any]) -> Played | None:
        """Take in what was told; return what came of an item when it is over."""
        match told["event"]:
            case "ready":
                self.versions = told["versions"]
            case "begin":
                self.current = self._items[told["item"]]
                self._asleep = None, None
                self._began = watching.usage(self._marks)
            case "asleep":
                self._asleep = self._look_at_sleepers()
            case "end":
                return self._over(seconds=told["seconds"])
            case _:
                return self._over(reason=told["reason"])
        return None

    def give_up(self, reason: str) -> list[Played]:
        """Return what came of the item that was being played, and of all that come after it."""
        begun = len(self.played)
        self._over(reason=reason)
        known = {each.item.number for each in self.played}
        left = [each for each in self._items if not (each.number in known or each.again)]
        self.played.extend(Played(item=each, reason=reason) for each in left)
        return self.played[begun:]

    def _look_at_sleepers(self) -> tuple[float, float]:
        before, at = watching.usage(self._marks), time.monotonic()
        time.sleep(_ASLEEP_SECONDS)
        after = watching.usage(self._marks)
        return after.memory_mb, max(0.0, after.cpu - before.cpu) / (time.monotonic() - at)

    def _over(self, *, seconds: float = 0, reason: str | None = None) -> Played | None:
        if self.current is None or self._began is None:
            return None
        used = watching.usage(self._marks).cpu - self._began.cpu
        memory, share = self._asleep
        played = Played(
            item=self.current,
            seconds=seconds,
            cpu=used if self._timed and not reason and self.current.shape != "crash" else None,
            asleep_mb=memory,
            asleep_cpu=share,
            reason=reason,
        )
        self.current = None
        self.played.append(played)
        return played


def _listen(
    process: subprocess.Popen[bytes],
    listener: _Listener,
    seconds: float,
    say: Callable[[str], None],
) -> str:
    """Hear a script out; return why no more is heard of it."""
    lines: queue.Queue[bytes] = queue.Queue()
    Thread(target=_pass_on, args=(process, lines), daemon=True).start()
    deadline = time.monotonic() + seconds
    why = _ENDED
    while True:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            why = f"did not finish in {seconds / 60:.2g} min"
            break
        if not line:
            break
        if line.startswith(b'{"event"'):
            told = json.loads(line)
            _said(listener.hear(told), say)
            if told["event"] in _ANSWERED:
                _answer(process)
    if listener.versions is not None:
        for each in listener.give_up(why):
            _said(each, say)
    return why


def _answer(process: subprocess.Popen[bytes]) -> None:
    """Let a script go on; it may have ended meanwhile."""
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.write(b"\n")
            process.stdin.flush()


def _pass_on(process: subprocess.Popen[bytes], lines: queue.Queue[bytes]) -> None:
    """Hand over every line, and an empty one at the end."""
    if process.stdout is not None:
        for line in process.stdout:
            lines.put(line)
    lines.put(b"")


def _said(played: Played | None, say: Callable[[str], None]) -> None:
    if played is not None:
        name = f"{played.item.workload} ({played.item.runs} x {played.item.steps})"
        say(f"{name}: {played.reason or f'{played.seconds:.2f} s'}")


def _last_words(log: Path) -> str:
    lines = [each for each in log.read_text(errors="replace").splitlines() if each.strip()]
    return (lines[-1] if lines else "it ended without a word")[:_TAIL]
