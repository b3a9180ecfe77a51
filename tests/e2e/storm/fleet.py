"""Pollers as processes, which can be killed while they hold messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final, Self

from everstep_localstack.plugin.settings import INSTANCE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from tests.e2e.stack import Stack

PROGRAM: Final = Path(__file__).with_name("poller.py")
BATCH: Final = 3


class Poller:
    """One process that polls the step queue."""

    def __init__(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        on_received: Callable[[list[str]], None],
    ) -> None:
        self._on_received = on_received
        self._holds: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(PROGRAM), *arguments],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def busy(self) -> bool:
        """Say whether it holds messages at this moment."""
        return bool(self._holds)

    def kill(self) -> bool:
        """End it with SIGKILL; say whether messages were in its hands."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        return self.busy

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                # The last line of a killed process may have no end.
                if line.endswith("\n"):
                    self._heard(json.loads(line))

    def _heard(self, told: dict[str, Any]) -> None:
        self._holds = told["holds"]
        if self._holds:
            self._on_received(self._holds)


class Fleet:
    """So many pollers; whichever is killed is replaced.

    Attributes:
        killed: How many were killed.
        killed_busy: How many of these held messages.
        received: How many messages all of them received.
    """

    def __init__(self, stack: Stack, size: int, on_received: Callable[[list[str]], None]) -> None:
        self.killed = self.killed_busy = self.received = 0
        self._on_received = on_received
        self._size = size
        self._lock = Lock()
        self._pollers: list[Poller] = []
        url = stack.outputs["QueueUrl"]
        answer = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        function = stack.outputs["StepExecutorFunctionName"]
        self._arguments = [url, answer["Attributes"]["QueueArn"], function, str(BATCH)]
        # With its mark they end with the instance, should this process end before them.
        mark = {INSTANCE_VARIABLE: str(stack.server.folders.root)}
        self._environment = {**os.environ, **stack.server.environment(), **mark}

    def __enter__(self) -> Self:
        self._pollers = [self._start() for _ in range(self._size)]
        return self

    def __exit__(self, *_: object) -> None:
        for poller in self._pollers:
            poller.kill()

    def kill_one(self, rng: Random) -> None:
        """Kill a poller, if possible one that holds messages, and start another in its place."""
        busy = [poller for poller in self._pollers if poller.busy]
        chosen = rng.choice(busy or self._pollers)
        self.killed_busy += chosen.kill()
        self.killed += 1
        self._pollers[self._pollers.index(chosen)] = self._start()

    def _start(self) -> Poller:
        return Poller(self._arguments, self._environment, self._received)

    def _received(self, bodies: list[str]) -> None:
        with self._lock:
            self.received += len(bodies)
        self._on_received(bodies)
