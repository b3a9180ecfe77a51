"""DBOS Transact: workflows in one process, recorded in SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Any, Final

from dbos import DBOS, SetWorkflowID

from bench.peers import protocol
from bench.peers.protocol import Item, Task

POLL: Final = 0.05
CRASHED: Final = "crashed-run"
Given = dict[str, Any]


@DBOS.step()
def work(path: str, run: int, number: int, millis: int) -> int:
    """Do what a step does."""
    return protocol.work(path, run, number, millis)


@DBOS.step()
async def work_beside(path: str, run: int, number: int) -> int:
    """Do what a step does, side by side with others."""
    return protocol.work(path, run, number)


@DBOS.workflow()
def sequence(given: Given) -> int:
    """Run steps one after another."""
    path, run, millis = given["marks"], given["run"], given["millis"]
    return sum(work(path, run, number, millis) for number in range(given["steps"]))


@DBOS.workflow()
def naps(given: Given) -> int:
    """Sleep between steps."""
    work(given["marks"], given["run"], 0, 0)
    for number in range(given["steps"]):
        DBOS.sleep(given["seconds"])
        work(given["marks"], given["run"], number + 1, 0)
    return int(given["steps"])


@DBOS.workflow()
async def fan(given: Given) -> int:
    """Run steps side by side."""
    each = (work_beside(given["marks"], given["run"], n) for n in range(given["steps"]))
    return sum(await asyncio.gather(*each))


def play(item: Item, task: Task) -> float | None:
    """Play one item."""
    if item.shape == "crash":
        return _crash(item, task)
    if item.shape == "fan":
        return asyncio.run(_fan(item))
    workflow = {"sequence": sequence, "naps": naps}[item.shape]
    handles = [
        DBOS.start_workflow(workflow, protocol.arguments(item, number))
        for number in range(item.runs)
    ]
    protocol.tell_when_asleep(item)
    for handle in handles:
        handle.get_result(polling_interval_sec=POLL)
    return None


async def _fan(item: Item) -> None:
    handle = await DBOS.start_workflow_async(fan, protocol.arguments(item, 0))
    await handle.get_result(polling_interval_sec=POLL)


def _crash(item: Item, task: Task) -> float:
    """Have another process run a workflow, kill it, start it again."""
    given = (task.options["crash_database"], item.marks, str(item.steps), str(item.millis))
    log = task.state / "crash.log"
    with protocol.child("dbos_transact", "--run", *given, quiet=log) as first:
        protocol.wait_until_killable(item)
        protocol.kill(first)
    killed = time.monotonic()
    with protocol.child("dbos_transact", "--go-on", *given, quiet=log) as second:
        second.wait(protocol.CRASH_SECONDS)
        if second.returncode:
            raise RuntimeError(log.read_text(encoding="utf-8")[-300:])
    return time.monotonic() - killed


def _work_in_child(what: str, path: str, steps: str, millis: str) -> None:
    if what == "--run":
        given = {"marks": path, "run": 0, "steps": int(steps), "millis": int(millis)}
        with SetWorkflowID(CRASHED):
            DBOS.start_workflow(sequence, given)
    # Workflows of this executor that were not over are taken up when it is launched.
    DBOS.retrieve_workflow(CRASHED).get_result(polling_interval_sec=POLL)


def launch(database: str) -> None:
    """Make this process an executor."""
    DBOS(
        config={
            "name": "bench",
            "system_database_url": database,
            "log_level": "CRITICAL",
            "run_admin_server": False,
            "executor_id": "bench",
        }
    )
    DBOS.launch()


def main() -> None:
    """Play a task, or be the process that is killed."""
    if sys.argv[1].startswith("--"):
        launch(sys.argv[2])
        _work_in_child(sys.argv[1], *sys.argv[3:])
    else:
        task = Task.read(sys.argv[1])
        launch(task.options["database"])
        warm = {"marks": os.devnull, "run": 0, "steps": 3, "millis": 0}
        DBOS.start_workflow(sequence, warm).get_result(polling_interval_sec=POLL)
        protocol.play_all(task, ["dbos"], lambda item: play(item, task))
    # Threads of the executor outlive it.
    os._exit(0)


if __name__ == "__main__":
    main()
