"""Somebody who starts runs over HTTP and asks again until there is an answer."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from threading import Event

    from tests.e2e.stack import Stack
    from tests.e2e.storm.plan import Plan, Planned

AT_ONCE: Final = 6
TRIES: Final = 40
PAUSE_SECONDS: Final = 0.3


class NotAcceptedError(Exception):
    """A run was not accepted, however often it was asked for."""


class Client:
    """Starts every run of a plan at its time; some of them twice at the same moment.

    Attributes:
        planned: Every run of the plan, by its number.
        told: The run ids that the trigger answered with, by the number of the run.
        repeats: How many requests got no answer of success, and were made again.
    """

    def __init__(self, stack: Stack, plan: Plan, effects: str) -> None:
        self.planned = plan.starts()
        self.told: dict[int, set[str]] = {planned.number: set() for planned in self.planned}
        self.repeats = 0
        self._http = stack.http
        self._effects = effects

    @property
    def started(self) -> list[str]:
        """Return the runs that were accepted so far."""
        return [run_id for run_ids in list(self.told.values()) for run_id in list(run_ids)]

    def run(self, over: Event) -> None:
        """Start every run, or as many as are due before it is over."""
        began = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            asked = []
            for planned in self.planned:
                over.wait(max(0.0, began + planned.at - time.monotonic()))
                calls = 2 if planned.twice else 1
                asked += [pool.submit(self._start, planned) for _ in range(calls)]
            for answer in asked:
                answer.result()

    def _start(self, planned: Planned) -> None:
        body = {"effects": self._effects, "work": planned.work, "number": planned.number}
        answers = []
        for _ in range(TRIES):
            try:
                answer = self._http.post(
                    f"/triggers/{planned.case.workflow}",
                    json=body,
                    headers={"Idempotency-Key": planned.key},
                )
            except httpx.TransportError as error:
                answers.append(repr(error))
            else:
                if answer.is_success:
                    self.told[planned.number].add(answer.json()["run_id"])
                    return
                answers.append(f"{answer.status_code} {answer.text}")
            self.repeats += 1
            time.sleep(PAUSE_SECONDS)
        raise NotAcceptedError(f"{planned}: {'; '.join(answers)}")
