"""Start runs, wait until they have ended, and check that every effect happened exactly once."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench.target import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

    from bench.effects import EffectCounter
    from bench.target import Target

WORKFLOW: Final = "bench-steps"
PLAIN: Final = "plain"
KEYED: Final = "keyed"
KEYED_EVERY: Final = 10
_LOOK_EVERY: Final = 0.25
_ASKED_AGAIN: Final = 5
_QUEUE_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much load.

    Attributes:
        runs: How many runs; every tenth one is started with an idempotency key.
        steps: Steps of each run.
        starters: How many requests to start a run are on the way at once.
        result_bytes: Size of each step's result.
        patience: Seconds after which the load is given up.
    """

    runs: int = 200
    steps: int = 10
    starters: int = 8
    result_bytes: int = 0
    patience: float = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it.

    Attributes:
        groups: Run → whether it was started with an idempotency key.
        statuses: How many runs ended how.
        done: How many steps are recorded as done.
        effects: How often each effect happened that was to happen once.
        seconds: From the first run's acceptance to the last one's end, as recorded.
        left: Messages left, by queue.
    """

    groups: Mapping[str, str]
    statuses: Counter[str]
    done: int
    effects: Counter[str]
    seconds: float
    left: dict[str, int]

    @property
    def repeated(self) -> dict[str, int]:
        """Return the effects that did not happen exactly once."""
        return {path: count for path, count in self.effects.items() if count != 1}


def drive(
    target: Target, plan: Plan, counter: EffectCounter, say: Callable[[str], None]
) -> Outcome:
    """Carry out the plan.

    Raises:
        LoadError: The runs did not end in time.
    """
    with target.http() as http, ThreadPoolExecutor(plan.starters) as pool:
        started = list(pool.map(lambda n: _start(http, plan, counter.url, n), range(plan.runs)))
    groups = {run: PLAIN if n % KEYED_EVERY else KEYED for n, run in enumerate(started)}
    say(f"{len(groups)} runs accepted")
    ended = _ended(target, plan, list(groups), counter, say)
    expected = {f"/{run}/{number}" for run in groups for number in range(plan.steps)}
    happened = counter.counts()
    effects = Counter({path: happened[path] for path in expected | happened.keys()})
    heads = [head for head, _ in ended.values()]
    seconds = (
        max(int(head["ended_at"]["N"]) for head in heads)
        - min(int(head["created_at"]["N"]) for head in heads)
    ) / 1000
    return Outcome(
        groups=groups,
        statuses=Counter(head["status"]["S"] for head in heads),
        done=sum(done for _, done in ended.values()),
        effects=effects,
        seconds=seconds,
        left=_left(target),
    )


def _start(http: httpx.Client, plan: Plan, effects: str, number: int) -> str:
    body = {"effects": effects, "steps": plan.steps, "result_bytes": plan.result_bytes}
    keyed = number % KEYED_EVERY == 0
    headers = {"Idempotency-Key": f"load-{time.time_ns()}-{number}"} if keyed else {}
    # With a key, asking again is harmless. It is needed here: moto copies all tables for a
    # transaction, which fails (500) when another request changes one meanwhile.
    answers: list[str] = []
    while len(answers) < (_ASKED_AGAIN if keyed else 1):
        answer = http.post(f"/triggers/{WORKFLOW}", json=body, headers=headers)
        if answer.is_success:
            return str(answer.json()["run_id"])
        answers.append(f"{answer.status_code} {answer.text}")
    raise LoadError(f"POST /triggers/{WORKFLOW}: {'; '.join(answers)}")


def _ended(
    target: Target, plan: Plan, runs: list[str], counter: EffectCounter, say: Callable[[str], None]
) -> dict[str, tuple[dict[str, Any], int]]:
    """Wait until all runs have ended; return each one's head, and how many of its steps are done.

    While effects are missing nobody is asked but the counter in this process: the system is not
    to be slowed down by those who watch it.
    """
    table = target.client("dynamodb")
    deadline = time.monotonic() + plan.patience
    ended: dict[str, tuple[dict[str, Any], int]] = {}
    told = 0
    while len(ended) < len(runs):
        count = len(counter.counts())
        if count * 10 // (len(runs) * plan.steps) > told:
            told = count * 10 // (len(runs) * plan.steps)
            say(f"{count} of {len(runs) * plan.steps} steps")
        if count >= len(runs) * plan.steps:
            missing = [run for run in runs if run not in ended]
            found = ((run, _read(table, target.outputs["TableName"], run)) for run in missing)
            ended.update({run: read for run, read in found if "ended_at" in read[0]})
        if time.monotonic() > deadline:
            raise LoadError(
                f"after {plan.patience:.0f} s {count} steps have had their effect and "
                f"{len(ended)} of {len(runs)} runs have ended"
            )
        time.sleep(_LOOK_EVERY)
    return ended


def _read(table: Any, name: str, run: str) -> tuple[dict[str, Any], int]:  # noqa: ANN401 - boto3's
    pages = table.get_paginator("query").paginate(
        TableName=name,
        ConsistentRead=True,
        KeyConditionExpression="PK = :partition",
        ExpressionAttributeValues={":partition": {"S": f"RUN#{run}"}},
    )
    head, *records = (item for page in pages for item in page["Items"])
    return head, sum(record["status"]["S"] == "DONE" for record in records)


def _left(target: Target) -> dict[str, int]:
    """Return what is left in the queues, once the last message had time to be deleted."""
    deadline = time.monotonic() + _QUEUE_SECONDS
    while True:
        left = {name: target.depth(name) for name in ("QueueUrl", "DeadLetterQueueUrl")}
        if not any(left.values()) or time.monotonic() > deadline:
            return left
        time.sleep(_LOOK_EVERY)
