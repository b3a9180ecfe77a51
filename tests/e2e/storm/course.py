"""The course of a storm: it rages for its time, and then it is quiet."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Final

from tests.e2e.stack import VISIBILITY_SECONDS
from tests.e2e.storm.caretaker import Caretaker
from tests.e2e.storm.client import Client
from tests.e2e.storm.duplicator import Duplicator
from tests.e2e.storm.fleet import Fleet
from tests.e2e.storm.killers import (
    FUNCTIONS,
    FunctionKiller,
    PollerKiller,
    Processes,
    StepKiller,
    cut_off,
)
from tests.e2e.storm.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.app.engine import Engine
    from tests.e2e.stack import Stack
    from tests.e2e.storm.effects import TellingEffectServer
    from tests.e2e.storm.plan import Plan

POLLERS: Final = 3
EXECUTOR_PAUSE: Final = (2.0, 5.0)
OTHERS_PAUSE: Final = (1.0, 3.0)
POLLER_PAUSE: Final = (2.0, 5.0)
QUIET_SECONDS: Final = 85.0
# A poller looks whether it is wanted between two batches; while functions are killed under it on a
# busy machine, what it has in hand can take long.
MAPPING_SECONDS: Final = 120.0
LOOK_EVERY: Final = 0.5


@dataclass(slots=True, kw_only=True)
class Storm:
    """A storm over a stack, and all who take part."""

    stack: Stack
    plan: Plan
    oldest: str
    engine: Engine
    client: Client
    duplicator: Duplicator
    fleet: Fleet
    caretaker: Caretaker
    witness: Witness
    killers: tuple[StepKiller | FunctionKiller, ...]
    poller_killer: PollerKiller
    cut_off: Counter[str] = field(default_factory=Counter)
    quiet_seconds: float = 0

    @property
    def kills(self) -> Counter[str]:
        """Return how many processes of which function were killed."""
        return sum((killer.kills for killer in self.killers), Counter())

    def rage(self) -> None:
        """Let it rage; return when everybody has stopped."""
        before, over = cut_off(self.stack), Event()
        actors = {
            "duplicator": self.duplicator.run,
            "caretaker": self.caretaker.run,
            "witness": self.witness.run,
            "poller killer": self.poller_killer.run,
        }
        actors.update({f"killer {at}": each.run for at, each in enumerate(self.killers)})
        with self.fleet, ThreadPoolExecutor(len(actors) + 1) as pool:
            acting = [pool.submit(run, over, self.plan.random(who)) for who, run in actors.items()]
            acting.append(pool.submit(self.client.run, over))
            try:
                self._weather()
            finally:
                over.set()
            for each in acting:
                each.result()
        self.cut_off = cut_off(self.stack) - before

    def calm(self) -> None:
        """Wait until every run has ended, which nothing may keep it from any more."""
        began = time.monotonic()
        left = set(self.client.started)
        while left := {run_id for run_id in left if self._goes_on(run_id)}:
            self.quiet_seconds = time.monotonic() - began
            assert self.quiet_seconds < QUIET_SECONDS, self._described(left)
            if not self.stack.depth("QueueUrl"):
                self.caretaker.let_grace_pass()
            assert self.caretaker.look_after(), "a call was not answered although it is quiet"
            time.sleep(LOOK_EVERY)
        self.quiet_seconds = time.monotonic() - began
        while self.stack.depth("QueueUrl") or self.stack.depth("DeadLetterQueueUrl"):
            assert time.monotonic() - began < QUIET_SECONDS, "messages are left in a queue"
            time.sleep(LOOK_EVERY)
        for run_id in self.client.started:
            self.witness.look(run_id)

    def _weather(self) -> None:
        """Let Lambda's pollers work beside ours, but for a third of the time leave it to ours."""
        for enabled in (True, False, True):
            _poll(self.stack, enabled=enabled)
            time.sleep(self.plan.seconds / 3)

    def _goes_on(self, run_id: str) -> bool:
        head = self.engine.runs.head(run_id)
        assert head is not None, f"run {run_id} was accepted and is gone"
        return not head.status.terminal

    def _described(self, left: set[str]) -> str:
        """Return what a person wants to know of runs that do not end."""
        depths = {name: self.stack.depth(name) for name in ("QueueUrl", "DeadLetterQueueUrl")}
        lines = [f"{len(left)} runs have not ended; messages left: {depths}"]
        for history in filter(None, map(self.engine.runs.load, sorted(left))):
            head, records = history.head, history.records.values()
            states = [f"{each.key} {each.status} {each.attempt} by {each.by}" for each in records]
            why = f", {head.stall.reason.message}" if head.stall else ""
            lines.append(f"{head.run_id} {head.workflow} is {head.status}{why}: {states}")
        return "\n".join(lines)


@contextmanager
def storm_over(stack: Stack, plan: Plan, effects: TellingEffectServer) -> Iterator[Storm]:
    """Prepare a storm; leave the stack afterwards as it was before."""
    stack.forget_messages()
    engine = stack.engine()
    oldest = engine.ids.run_id()
    client = Client(stack, plan, effects.url)
    duplicator = Duplicator(stack, plan.random("copies"))
    executors = Processes(stack, FUNCTIONS[:1])
    fleet = Fleet(stack, POLLERS, duplicator.received)
    storm = Storm(
        stack=stack,
        plan=plan,
        oldest=oldest,
        engine=engine,
        client=client,
        duplicator=duplicator,
        fleet=fleet,
        caretaker=Caretaker(stack, engine, oldest),
        witness=Witness(engine, lambda: client.started),
        killers=(
            StepKiller(executors, effects),
            FunctionKiller(executors, EXECUTOR_PAUSE),
            FunctionKiller(Processes(stack, FUNCTIONS[1:]), OTHERS_PAUSE),
        ),
        poller_killer=PollerKiller(fleet, POLLER_PAUSE),
    )
    try:
        with _impatient_dead_letters(stack):
            yield storm
    finally:
        _poll(stack, enabled=True)


@contextmanager
def _impatient_dead_letters(stack: Stack) -> Iterator[None]:
    """Have a dead letter come again soon if its function was killed, not after six minutes."""
    sqs, url = stack.sqs, stack.outputs["DeadLetterQueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": VISIBILITY_SECONDS})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=answer["Attributes"])


def _poll(stack: Stack, *, enabled: bool) -> None:
    """Switch Lambda's own pollers on or off, and wait until they are."""
    functions = stack.functions
    name = stack.outputs["StepExecutorFunctionName"]
    (mapping,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    wanted, other = ("Enabled", "Disabled") if enabled else ("Disabled", "Enabled")
    deadline = time.monotonic() + MAPPING_SECONDS
    while (state := functions.get_event_source_mapping(UUID=mapping["UUID"])["State"]) != wanted:
        assert time.monotonic() < deadline, f"the event source mapping is {state}, not {wanted}"
        # Also again: the emulator forgets what is asked while it is on its way to the other.
        if state == other:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
        time.sleep(0.1)
