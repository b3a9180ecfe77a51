"""Absurd: durable tasks as stored procedures of PostgreSQL, with a worker process for each queue.

A task runs one step at a time. What is to run side by side are tasks of their own, spawned by the
task that waits for their results: in a second queue, since the SDK lets no task wait for one of its
own queue.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
from absurd_sdk import Absurd

from bench.peers import protocol
from bench.peers.protocol import Item, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

QUEUE: Final = "bench"
BESIDE: Final = "bench_beside"
CONCURRENCY: Final = 10
POLL: Final = 0.05
CLAIM_SECONDS: Final = 60
PATIENCE: Final = 300


def application(database: str, queue: str = QUEUE) -> Any:  # noqa: ANN401 - the peer's own
    """Return the tasks of a queue."""
    app = Absurd(database, queue_name=queue)
    if queue == BESIDE:
        app.register_task(name="item")(_item)
        return app
    app.register_task(name="sequence")(_sequence)
    app.register_task(name="naps")(_naps)
    app.register_task(name="fan")(partial(_fan, app))
    return app


def _sequence(given: dict[str, Any], context: Any) -> int:  # noqa: ANN401 - the peer's own
    total = 0
    for number in range(given["steps"]):
        total += _step(context, given, number)
    return total


def _naps(given: dict[str, Any], context: Any) -> int:  # noqa: ANN401 - the peer's own
    _step(context, given, 0)
    for number in range(given["steps"]):
        context.sleep_for(f"nap-{number}", given["seconds"])
        _step(context, given, number + 1)
    return int(given["steps"])


def _fan(app: Any, given: dict[str, Any], context: Any) -> int:  # noqa: ANN401 - as above
    def spawned(number: int) -> str:
        """Spawn once, also if this task is run again."""
        key = f"{given['marks']} {number}"
        task = app.spawn("item", {**given, "number": number}, queue=BESIDE, idempotency_key=key)
        return str(task["task_id"])

    tasks = [
        context.step(f"spawn-{number}", partial(spawned, number))
        for number in range(given["steps"])
    ]
    found = [context.await_task_result(task, queue_name=BESIDE) for task in tasks]
    return sum(int(each.result) for each in found)


def _item(given: dict[str, Any], context: Any) -> int:  # noqa: ANN401 - the peer's own
    return _step(context, given, given["number"])


def _step(context: Any, given: dict[str, Any], number: int) -> int:  # noqa: ANN401 - the peer's own
    def work() -> int:
        return protocol.work(given["marks"], given["run"], number, given["millis"])

    return int(context.step(f"step-{number}", work))


def play(item: Item, task: Task) -> float | None:
    """Play one item."""
    database = task.options["database"]
    claim = int(task.options["crash_seconds"]) if item.shape == "crash" else CLAIM_SECONDS
    beside = _worker(database, claim, task.state, BESIDE) if item.shape == "fan" else nullcontext()
    with (
        beside,
        _worker(database, claim, task.state) as worker,
        psycopg.connect(database, autocommit=True) as connection,
    ):
        return _play(item, task, worker, connection)


def _play(
    item: Item,
    task: Task,
    worker: subprocess.Popen[bytes],
    connection: psycopg.Connection[Any],
) -> float:
    app = application(task.options["database"])
    completed, failed = (_count(connection, state) for state in ("completed", "failed"))
    began = time.monotonic()
    name = {"naps": "naps", "fan": "fan"}.get(item.shape, "sequence")
    for number in range(item.runs):
        app.spawn(name, protocol.arguments(item, number))
    protocol.tell_when_asleep(item)

    def ended() -> bool:
        if _count(connection, "failed") > failed:
            raise RuntimeError("a task failed")
        return _count(connection, "completed") - completed >= item.runs

    if item.shape != "crash":
        protocol.wait_for(ended, PATIENCE, "not all tasks completed")
        return time.monotonic() - began
    protocol.wait_until_killable(item)
    protocol.kill(worker)
    killed = time.monotonic()
    with _worker(task.options["database"], int(task.options["crash_seconds"]), task.state):
        protocol.wait_for(ended, protocol.CRASH_SECONDS, "still runs")
    return time.monotonic() - killed


def _count(connection: psycopg.Connection[Any], state: str) -> int:
    """Return how many tasks have ended so, of those that were not spawned by others."""
    query = f"select count(*) from absurd.t_{QUEUE} where state = %s"  # noqa: S608
    row = connection.execute(query, (state,)).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def _worker(
    database: str, claim: int, state: Path, queue: str = QUEUE
) -> Iterator[subprocess.Popen[bytes]]:
    log = state / "worker.log"
    with protocol.child("absurd", "--work", database, str(claim), queue, quiet=log) as worker:
        yield worker


def main() -> None:
    """Play a task, or be the worker."""
    if sys.argv[1] == "--work":
        app = application(sys.argv[2], sys.argv[4])
        app.start_worker(
            concurrency=CONCURRENCY, claim_timeout=int(sys.argv[3]), poll_interval=POLL
        )
        return
    task = Task.read(sys.argv[1])
    program = Path(sys.executable).with_name("absurdctl")
    command = [str(program), "init", "-d", task.options["database"]]
    subprocess.run(command, check=True, capture_output=True)
    for queue in (QUEUE, BESIDE):
        application(task.options["database"]).create_queue(queue)
    protocol.play_all(task, ["absurd-sdk"], lambda item: play(item, task))


if __name__ == "__main__":
    main()
