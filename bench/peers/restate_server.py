"""Restate: its server from npm, the SDK for Python in a process of its own, all on loopback.

`bidi` keeps a stream open between the two. `request_response` is how a service on Lambda is
served: whatever is awaited ends the invocation, and the next one replays.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
import hypercorn
import hypercorn.asyncio
import restate

from bench.peers import protocol
from bench.peers.protocol import Item, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE: Final = 600
READY_SECONDS: Final = 30
STARTERS: Final = 300
Given = dict[str, Any]

service = restate.Service("bench")


async def work(given: Given, number: int) -> int:
    """Do what a step does."""
    protocol.mark(given["marks"], given["run"], number)
    if given["millis"]:
        await asyncio.sleep(given["millis"] / 1_000)
    return number


@service.handler()
async def sequence(ctx: restate.Context, given: Given) -> int:
    """Run steps one after another."""
    total = 0
    for number in range(given["steps"]):
        total += await ctx.run_typed(f"step-{number}", work, given=given, number=number)
    return total


@service.handler()
async def naps(ctx: restate.Context, given: Given) -> int:
    """Sleep between steps."""
    await ctx.run_typed("step-0", work, given=given, number=0)
    for number in range(given["steps"]):
        await ctx.sleep(timedelta(seconds=given["seconds"]))
        await ctx.run_typed(f"step-{number + 1}", work, given=given, number=number + 1)
    return int(given["steps"])


@service.handler()
async def fan(ctx: restate.Context, given: Given) -> int:
    """Run steps side by side."""
    steps = [
        ctx.run_typed(f"step-{number}", work, given=given, number=number)
        for number in range(given["steps"])
    ]
    return sum([await each for each in await restate.gather(*steps)])


def serve(port: int, mode: str) -> None:
    """Be the process that runs the handlers."""
    logging.disable(logging.ERROR)
    config = hypercorn.Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.h2_max_concurrent_streams = 2**31 - 1
    config.keep_alive_timeout = 900
    config.accesslog = None
    app: Any = restate.app([service], protocol="bidi" if mode == "bidi" else "request_response")
    asyncio.run(hypercorn.asyncio.serve(app, config))


class Place:
    """Where everything listens."""

    def __init__(self, task: Task) -> None:
        """Find free ports."""
        self.task = task
        self.ingress, self.admin, self.node, self.handlers = (_free_port() for _ in range(4))
        self.ingress_url = f"http://127.0.0.1:{self.ingress}"
        self.admin_url = f"http://127.0.0.1:{self.admin}"

    @contextmanager
    def server(self) -> Iterator[None]:
        """Run the server."""
        environment = {
            **os.environ,
            "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{self.ingress}",
            "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{self.admin}",
            "RESTATE_BIND_ADDRESS": f"127.0.0.1:{self.node}",
            "RESTATE_BASE_DIR": str(self.task.state / "data"),
            "RESTATE_NODE_NAME": "bench",
            "RESTATE_AUTO_PROVISION": "true",
            "RESTATE_LOG_FILTER": "warn",
            "RESTATE_WORKER__INVOKER__INACTIVITY_TIMEOUT": "10m",
            "DO_NOT_TRACK": "1",
        }
        with (self.task.state / "server.log").open("ab") as log:
            process = subprocess.Popen(
                [self.task.options["server"]],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.task.state,
            )
        try:
            yield
        finally:
            protocol.kill(process)

    def endpoint(self) -> Any:  # noqa: ANN401 - a context
        """Run the handlers."""
        mode, log = self.task.options["mode"], self.task.state / "handlers.log"
        return protocol.child("restate_server", "--serve", str(self.handlers), mode, quiet=log)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def ready(place: Place, client: httpx.AsyncClient) -> str:
    """Wait for the server, tell it of the handlers; return its version."""
    deadline = time.monotonic() + READY_SECONDS
    body = {"uri": f"http://127.0.0.1:{place.handlers}", "use_http_11": False}
    while True:
        try:
            registered = await client.post(f"{place.admin_url}/deployments", json=body)
            if registered.is_success:
                break
            problem = registered.text
        except httpx.TransportError as error:
            problem = str(error)
        if time.monotonic() > deadline:
            raise TimeoutError(f"not ready: {problem}")
        await asyncio.sleep(0.1)
    answer = await client.get(f"{place.admin_url}/version")
    return str(answer.json()["version"])


async def start(place: Place, client: httpx.AsyncClient, handler: str, given: Given) -> str:
    """Start an invocation; return its id."""
    answer = await client.post(f"{place.ingress_url}/bench/{handler}/send", json=given)
    answer.raise_for_status()
    return str(answer.json()["invocationId"])


async def result(place: Place, client: httpx.AsyncClient, invocation: str) -> None:
    """Wait for an invocation's end."""
    answer = await client.get(f"{place.ingress_url}/restate/invocation/{invocation}/attach")
    answer.raise_for_status()


async def play(item: Item, place: Place, endpoint: subprocess.Popen[bytes]) -> float:
    """Play one item."""
    name = {"naps": "naps", "fan": "fan"}.get(item.shape, "sequence")
    limits = httpx.Limits(max_connections=STARTERS)
    async with httpx.AsyncClient(timeout=PATIENCE, limits=limits) as client:
        began = time.monotonic()
        given = [protocol.arguments(item, number) for number in range(item.runs)]
        ids = await asyncio.gather(*(start(place, client, name, each) for each in given))
        waiting = asyncio.gather(*(result(place, client, each) for each in ids))
        if item.shape == "crash":
            return await _crash(item, place, endpoint, waiting)
        await asyncio.to_thread(protocol.tell_when_asleep, item)
        await waiting
        return time.monotonic() - began


async def _crash(
    item: Item, place: Place, endpoint: subprocess.Popen[bytes], waiting: asyncio.Future[Any]
) -> float:
    await asyncio.to_thread(protocol.wait_until_killable, item)
    protocol.kill(endpoint)
    killed = time.monotonic()
    with place.endpoint():
        await asyncio.wait_for(waiting, protocol.CRASH_SECONDS)
    return time.monotonic() - killed


async def _prepare(place: Place) -> str:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        found = await ready(place, client)
        warm = {"marks": os.devnull, "run": 0, "steps": 3, "millis": 0}
        await result(place, client, await start(place, client, "sequence", warm))
    return found


def main() -> None:
    """Play a task, or be the process of the handlers."""
    if sys.argv[1] == "--serve":
        serve(int(sys.argv[2]), sys.argv[3])
        return
    task = Task.read(sys.argv[1])
    place = Place(task)
    with place.server(), place.endpoint() as endpoint:
        asyncio.run(_prepare(place))
        protocol.play_all(
            task, ["restate-sdk"], lambda item: asyncio.run(play(item, place, endpoint))
        )


if __name__ == "__main__":
    main()
