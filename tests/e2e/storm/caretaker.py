"""Somebody who looks after the runs: resumes what stalled, and has the sweeper look at what is due.

Time is short here, so hours pass by hand: the record of a long sleep, or the head of a run whose
first message got lost, is moved to the present, as if its time had come.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import httpx

from everstep.core.changes import RunWatched
from everstep.core.durations import LONGEST_DELAY
from everstep.core.model import HEAD, OpStatus, RunStatus
from everstep.core.transitions import Guard, HeadGuard

if TYPE_CHECKING:
    from random import Random
    from threading import Event

    from everstep.app.engine import Engine
    from everstep.core.model import DueEntry
    from tests.e2e.stack import Stack

PAUSE: Final = (2.0, 5.0)
EVER: Final = 2**50
MANY: Final = 10_000


class Caretaker:
    """Does now and then what people and EventBridge do, for runs younger than the oldest.

    Attributes:
        resumed: How often a run was resumed, by the reason why it had stalled.
        sent: What the sweeper sent: timers, starts, recovered.
    """

    def __init__(self, stack: Stack, engine: Engine, oldest: str) -> None:
        self.resumed: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self._stack = stack
        self._engine = engine
        self._oldest = oldest
        self._functions = stack.functions

    def run(self, over: Event, rng: Random) -> None:
        """Look after everything from time to time, until it is over."""
        while not over.wait(rng.uniform(*PAUSE)):
            self.look_after()

    def look_after(self) -> bool:
        """Resume what stalled, end long sleeps; say whether every call was answered."""
        answered = self._resume_stalled()
        for entry in self._due():
            if entry.key != HEAD and entry.wake_at > self._engine.clock.now() + LONGEST_DELAY:
                self._end_sleep(entry)
        return self._sweep() and answered

    def let_grace_pass(self) -> None:
        """Have the sweeper look at every running run now, as it does some minutes after a start.

        It sends a first message that got lost. It would take a run over only after hours, so
        nothing that the engine loses is made up for.
        """
        now = self._engine.clock.now()
        for entry in self._due():
            if entry.key == HEAD and entry.due_at > now:
                watched = HeadGuard(statuses=(RunStatus.RUNNING,), due_at=entry.due_at)
                self._engine.runs.change(entry.run_id, RunWatched(due_at=now), watched)

    def _due(self) -> list[DueEntry]:
        timers = self._engine.timers
        found = (entry for at in range(timers.shards) for entry in timers.due(at, EVER, MANY))
        return [entry for entry in found if entry.run_id > self._oldest]

    def _end_sleep(self, entry: DueEntry) -> None:
        history = self._engine.runs.load(entry.run_id)
        record = history.records.get(entry.key) if history else None
        if record is None or record.status is not OpStatus.WAITING:
            return
        past = self._engine.clock.now() - 1
        ended = replace(record, wake_at=past, due_at=past)
        asleep = Guard(statuses=(OpStatus.WAITING,), due_at=record.due_at)
        self._engine.runs.put(entry.run_id, ended, asleep)

    def _resume_stalled(self) -> bool:
        try:
            answer = self._stack.http.get("/runs", params={"status": "STALLED", "limit": "100"})
            if not answer.is_success:
                return False
            stalled = [run["run_id"] for run in answer.json()["runs"]]
            answers = [self._resume(run_id) for run_id in stalled if run_id > self._oldest]
            return all(answers)
        except httpx.TransportError:
            return False

    def _resume(self, run_id: str) -> bool:
        head = self._engine.runs.head(run_id)
        if head is None or head.stall is None:
            return True
        answer = self._stack.http.post(f"/runs/{run_id}/resume")
        self.resumed[head.stall.reason.type] += 1
        return answer.is_success

    def _sweep(self) -> bool:
        name = self._stack.outputs["SweeperFunctionName"]
        answer = self._functions.invoke(FunctionName=name, Payload=b"{}")
        swept: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            return False
        self.sent.update({name: swept[name] for name in ("timers", "starts", "recovered")})
        return True
