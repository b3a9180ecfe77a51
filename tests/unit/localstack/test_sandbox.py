"""An execution environment answers as AWS does, for each way in which an invocation can end.

These tests run the real launcher and real processes, with a runtime client of a few lines.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep_localstack import processes
from everstep_localstack.plugin.function_process import FunctionSpec
from everstep_localstack.plugin.memory_watch import MemoryWatch
from everstep_localstack.plugin.sandbox import Event, Result, Sandbox
from everstep_localstack.plugin.spawner import Spawner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.network

RUNTIME: Final = Path(__file__).parent / "fake_runtime"
HANDLER: Final = """
import os, subprocess, time

print("loaded")

def handle(event):
    match event:
        case {"sleep": seconds}:
            time.sleep(seconds)
        case {"exit": status}:
            os._exit(status)
        case {"signal": number}:
            os.kill(os.getpid(), number)
        case {"fail": message}:
            raise ValueError(message)
        case {"allocate": megabytes}:
            hoard = b"x" * (megabytes << 20)
            time.sleep(30)
        case {"print": text}:
            print(text, end="")
        case {"spawn": seconds}:
            return subprocess.Popen(["sleep", str(seconds)]).pid
    return os.getpid()
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Return what starts a sandbox with a handler; they are stopped at the end."""
    spawner, watch, sandboxes = Spawner(), MemoryWatch(), []

    def start(source: str = HANDLER, *, timeout: float = 20, init_timeout: float = 10) -> Sandbox:
        (tmp_path / "handler.py").write_text(source, encoding="utf-8")
        spec = FunctionSpec(
            interpreter=Path(sys.executable),
            handler="handler",
            code=tmp_path,
            environment={
                "PYTHONPATH": f"{tmp_path}:{RUNTIME}",
                "PYTHONUNBUFFERED": "1",
                "PATH": os.environ["PATH"],
            },
            memory_mb=128,
            headroom_mb=1024,
            version="$LATEST",
            timeout_seconds=timeout,
            init_timeout_seconds=init_timeout,
        )
        sandbox = Sandbox(spec, spawner, watch)
        sandboxes.append(sandbox)
        sandbox.start()
        return sandbox

    yield start
    for sandbox in sandboxes:
        sandbox.stop()


def _invoke(sandbox: Sandbox, **event: object) -> tuple[Any, Result]:
    result = sandbox.invoke(
        Event(
            request_id="r-1",
            function_arn="arn:aws:lambda:us-east-1:000000000000:function:f",
            trace_id="Root=1-2-3",
            payload=json.dumps(event).encode(),
        )
    )
    return json.loads(result.payload), result


def test_a_result_is_returned_and_the_process_is_kept(start: Callable[..., Sandbox]) -> None:
    sandbox = start()

    first, result = _invoke(sandbox)
    second, _ = _invoke(sandbox)

    assert not result.is_error
    assert first == second


def test_an_error_is_returned_and_the_process_is_kept(start: Callable[..., Sandbox]) -> None:
    sandbox = start()
    before, _ = _invoke(sandbox)

    answer, result = _invoke(sandbox, fail="no")

    assert result.is_error
    assert answer == {"errorType": "ValueError", "errorMessage": "no"}
    assert _invoke(sandbox)[0] == before


def test_a_handler_over_its_time_is_killed_and_the_next_gets_a_new_process(
    start: Callable[..., Sandbox],
) -> None:
    sandbox = start(timeout=1)
    before, _ = _invoke(sandbox)

    answer, result = _invoke(sandbox, sleep=30)

    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"] == "RequestId: r-1 Error: Task timed out after 1.00 seconds"
    assert "Status: timeout" in result.log
    assert processes.start_time(before) is None
    assert _invoke(sandbox)[0] != before


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"exit": 3}, "Runtime exited with error: exit status 3"),
        ({"exit": 0}, "Runtime exited without providing a reason"),
        ({"signal": 11}, "Runtime exited with error: signal: segmentation fault"),
        ({"allocate": 600}, "Runtime exited with error: signal: killed"),
    ],
    ids=["exit", "exit-0", "signal", "memory"],
)
def test_a_process_that_ends_is_an_exit_error_and_the_next_works(
    start: Callable[..., Sandbox], event: dict[str, object], reason: str
) -> None:
    sandbox = start()

    answer, result = _invoke(sandbox, **event)

    assert result.is_error
    assert answer == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: r-1 Error: {reason}",
    }
    assert "Status: error\tError Type: Runtime.ExitError" in result.log
    assert not _invoke(sandbox)[1].is_error


def test_an_allocation_beyond_the_headroom_is_refused_by_the_kernel(
    start: Callable[..., Sandbox],
) -> None:
    sandbox = start(
        "def handle(event):\n"
        "    try:\n        hoard = bytearray(2048 << 20)\n"
        "    except MemoryError:\n        return 'refused'\n"
        "    return len(hoard)\n"
    )

    assert _invoke(sandbox)[0] == "refused"


def test_a_handler_that_cannot_be_imported_is_reported_by_every_invocation(
    start: Callable[..., Sandbox],
) -> None:
    sandbox = start("import a_module_that_does_not_exist")

    for _ in range(2):
        answer, result = _invoke(sandbox)
        assert result.is_error
        assert answer["errorType"] == "ImportError"


def test_a_handler_that_exits_while_loading_is_an_exit_error(
    start: Callable[..., Sandbox],
) -> None:
    answer, _ = _invoke(start("import os\nos._exit(4)"))

    assert answer["errorMessage"].endswith("exit status 4")


def test_slow_loading_is_tried_again_within_the_functions_time(
    start: Callable[..., Sandbox],
) -> None:
    sandbox = start("import time\ntime.sleep(60)", timeout=1, init_timeout=0.3)

    answer, result = _invoke(sandbox)

    assert answer["errorType"] == "Sandbox.Timedout"
    assert result.log.startswith("INIT_REPORT")


def test_the_log_has_the_lines_of_its_invocation_in_order(start: Callable[..., Sandbox]) -> None:
    sandbox = start()
    _invoke(sandbox)

    _, result = _invoke(sandbox, print="no line end")

    lines = result.log.splitlines()
    assert lines[:3] == [
        "START RequestId: r-1 Version: $LATEST",
        "no line end",
        "END RequestId: r-1",
    ]
    assert lines[3].startswith("REPORT RequestId: r-1\tDuration: ")
    assert len(lines) == 4


def test_loading_is_logged_and_timed_once_before_the_first_start(
    start: Callable[..., Sandbox],
) -> None:
    sandbox = start()

    first, second = (_invoke(sandbox)[1].log for _ in range(2))

    assert first.startswith("loaded\nSTART")
    assert "Init Duration" in first
    assert second.startswith("START")
    assert "Init Duration" not in second


def test_stopping_ends_a_running_invocation_and_what_it_started(
    start: Callable[..., Sandbox],
) -> None:
    sandbox = start()
    child, _ = _invoke(sandbox, spawn=300)
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(_invoke(sandbox, sleep=30)[0]))
    thread.start()

    sandbox.stop()
    thread.join(10)

    # What was killed is there until its new parent has heard of it.
    deadline = time.monotonic() + 10
    while processes.start_time(child) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes.start_time(child) is None
    assert results[0]["errorType"] == "Runtime.ExitError"


def test_a_stopped_sandbox_starts_no_process(start: Callable[..., Sandbox]) -> None:
    sandbox = start()
    sandbox.stop()

    answer, _ = _invoke(sandbox)

    assert answer["errorMessage"].endswith("signal: killed")
