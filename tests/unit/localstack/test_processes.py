"""Processes are recognised by what the kernel knows of them, and ended for certain."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from everstep_localstack import processes

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK: Final = "EVERSTEP_TEST_MARK"
VALUE: Final = f"test-{os.getpid()}"
# Says when it is ready, ignores SIGTERM on request, and waits.
PROGRAM: Final = """
import signal, sys
if sys.argv[1:] == ["stubborn"]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
signal.pause()
"""


def _start(*arguments: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={MARK: VALUE},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with _start() as process:
        yield process
        process.kill()


def _started(process: subprocess.Popen[bytes]) -> int:
    started = processes.start_time(process.pid)
    assert started is not None
    return started


def test_a_process_runs_until_it_ends(sleeper: subprocess.Popen[bytes]) -> None:
    started = _started(sleeper)
    assert processes.is_running(sleeper.pid, started)

    sleeper.kill()
    sleeper.wait()

    assert not processes.is_running(sleeper.pid, started)


def test_another_process_with_the_same_id_is_not_taken_for_it(
    sleeper: subprocess.Popen[bytes],
) -> None:
    assert not processes.is_running(sleeper.pid, _started(sleeper) - 1)


def test_a_process_that_nobody_waited_for_has_ended(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert processes.start_time(sleeper.pid) is None


def test_marked_processes_are_found_by_their_environment(
    sleeper: subprocess.Popen[bytes],
) -> None:
    assert processes.marked(MARK, VALUE) == [sleeper.pid]
    assert processes.marked(MARK, "another value") == []


def test_a_process_that_obeys_is_terminated(sleeper: subprocess.Popen[bytes]) -> None:
    assert processes.terminate(sleeper.pid, _started(sleeper), 10)
    assert processes.start_time(sleeper.pid) is None


def test_a_process_that_does_not_obey_is_killed() -> None:
    with _start("stubborn") as process:
        assert not processes.terminate(process.pid, _started(process), 0.1)

        assert processes.start_time(process.pid) is None


def test_a_command_line_is_readable(sleeper: subprocess.Popen[bytes]) -> None:
    assert processes.command_line(sleeper.pid).startswith(f"{sys.executable} -c")


def test_killing_what_has_ended_already_is_fine(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    sleeper.wait()

    processes.kill([sleeper.pid])

    assert processes.command_line(sleeper.pid) == ""
