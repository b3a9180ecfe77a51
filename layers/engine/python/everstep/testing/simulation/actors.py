"""Who does something with a deployment: clients, operators, executors, the sweeper.

Each method begins the task of one actor; the task goes on when it is told to.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from everstep.app.cancel import cancel
from everstep.app.control import pause, resume
from everstep.app.dead_letter import dead_letter
from everstep.app.events import send_event
from everstep.app.fork import fork, retry
from everstep.app.options import StartOptions
from everstep.app.receive import receive
from everstep.app.start import start
from everstep.app.sweep import sweep
from everstep.core.durations import SECOND
from everstep.core.errors import RequestError
from everstep.testing.simulation.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from everstep.app.fork import Made
    from everstep.authoring.workflows import Workflow
    from everstep.testing.simulation.choices import Choices
    from everstep.testing.simulation.faults import Faults
    from everstep.testing.simulation.settings import Settings
    from everstep.testing.simulation.step_queue import Letter, StepQueue
    from everstep.testing.simulation.tasks import Task

_EXECUTOR: Final = "executor"
_SWEEPER: Final = "sweeper"


class Inhabited(Deployment):
    """A deployment that is used and looked after."""

    def __init__(
        self,
        workflows: Iterable[Workflow[Any, Any]],
        *,
        faults: Faults | None = None,
        settings: Settings | None = None,
        choices: Choices | None = None,
    ) -> None:
        """Deploy the workflows; nobody has done anything yet."""
        super().__init__(workflows, faults=faults, settings=settings, choices=choices)
        self.appointments: list[tuple[int, Callable[[], object]]] = []
        self.operated: Counter[str] = Counter()
        self.swept_at = 0

    def trigger(
        self,
        workflow: str,
        value: object = None,
        key: str | None = None,
        then: Callable[[str], object] | None = None,
        options: StartOptions = StartOptions(),  # noqa: B008 - immutable
    ) -> Task:
        """Begin a client's call; with a key the client calls again until it is answered.

        Args:
            workflow: What is to run.
            value: Its input.
            key: The idempotency key.
            then: What the client does with the run that it was told, at every answer.
            options: What else is asked of the run.
        """

        def call() -> None:
            asked = replace(options, idempotency_key=key)
            accepted = start(self.engine, workflow, value, asked)
            self.facts.accepted.append((accepted.run_id, key))
            if then is not None:
                then(accepted.run_id)

        return self._persistently(f"trigger {workflow}", call, again=key is not None)

    def _persistently(self, name: str, call: Callable[[], None], *, again: bool) -> Task:
        def body() -> None:
            answered = False
            try:
                call()
                answered = True
            finally:
                if not answered and again:
                    once_more = partial(self._persistently, name, call, again=again)
                    self.appointments.append((self._clock.now() + SECOND, once_more))

        task = self.spawn(name, body)
        task.twin = partial(self._persistently, name, call, again=again)
        return task

    def resume(self, run_id: str) -> Task:
        """Begin an operator's call."""
        self.facts.resumptions += 1

        return self.ask(f"resume {run_id}", lambda: resume(self.engine, run_id))

    def pause(self, run_id: str) -> Task:
        """Begin an operator's call to let a run stand still; one that cannot is left alone."""
        return self.ask(f"pause {run_id}", lambda: pause(self.engine, run_id))

    def retry(self, run_id: str, key: str) -> Task:
        """Begin an operator's call to let a failed run go on, made again until it is answered."""
        return self._persistently(
            f"retry {run_id}", lambda: self._go_on(retry, run_id, key), again=True
        )

    def fork(self, run_id: str, from_step: str, key: str) -> Task:
        """Begin an operator's call to execute a run again from a step on."""
        forked = partial(fork, from_step=from_step)
        return self._persistently(
            f"fork {run_id}", lambda: self._go_on(forked, run_id, key), again=True
        )

    def _go_on(self, make: Callable[..., Made], run_id: str, key: str) -> None:
        # As after a resumption, the sweeper makes up for the message if that is lost or late.
        self.facts.resumptions += 1
        self.facts.accepted.append((make(self.engine, run_id, idempotency_key=key).run_id, key))

    def send_event(self, run_id: str, name: str, value: object, key: str) -> Task:
        """Begin a client's call; a run that went on without the event has no use for it."""
        return self.ask(
            f"client with {name}",
            lambda: send_event(self.engine, run_id, name, value, idempotency_key=key),
        )

    def cancel(self, run_id: str) -> Task:
        """Begin an operator's call to have a run end; one that has ended is left alone."""
        return self.ask(f"cancel {run_id}", lambda: cancel(self.engine, run_id))

    def ask(self, name: str, call: Callable[[], object]) -> Task:
        """Begin a client's call, which is made again until it is answered or refused."""

        def asked() -> None:
            with suppress(RequestError):
                call()

        return self._persistently(name, asked, again=True)

    def deliver(self, letter: Letter) -> Task | None:
        """Begin to process a message, or give it up if it was received too often."""
        if letter.receives < self.settings.receives:
            return self.execute(letter)
        self.queue.delete(letter)
        self.dead.take_in(letter.body)
        return None

    def execute(self, letter: Letter, time_left: Callable[[], int] | None = None) -> Task:
        """Begin to process a message; it is deleted if that succeeds."""
        self.queue.receive(letter, self.settings.visibility)
        receives = letter.receives

        def process() -> None:
            name = f"message-{letter.number}"
            # Whatever it guesses that this process gets next is only that: a guess.
            after = next((each.body for each in self.queue.letters if each is not letter), "")
            receive(self.engine, name, letter.body, time_left, receives=receives, following=after)
            self._acknowledge(self.queue, letter)

        task = self.spawn(f"{_EXECUTOR} of {letter}", process)
        task.twin = partial(self.execute, letter, time_left)
        return task

    def bury(self, letter: Letter) -> Task:
        """Begin to process a dead letter."""
        self.dead.receive(letter, self.settings.visibility)

        def process() -> None:
            dead_letter(self.engine, f"message-{letter.number}", letter.body, letter.receives)
            self._acknowledge(self.dead, letter)

        task = self.spawn(f"undertaker of {letter}", process)
        task.twin = partial(self.bury, letter)
        return task

    def sweep(self) -> Task:
        """Begin a sweep."""
        self.swept_at = self._clock.now()

        def body() -> None:
            self.facts.recovered += sweep(self.engine).recovered

        task = self.spawn(_SWEEPER, body)
        task.twin = self.sweep
        return task

    @property
    def sweeping(self) -> bool:
        """Say whether a sweep is under way."""
        return any(task.name == _SWEEPER for task in self.tasks if task not in self.held)

    @property
    def busy(self) -> int:
        """Return how many executors are at work."""
        at_work = [task for task in self.tasks if task not in self.held]
        return sum(task.name.startswith(_EXECUTOR) for task in at_work)

    def keep(self, at: int, appointment: Callable[[], object]) -> None:
        """Let happen what was to happen at this time."""
        self.appointments.remove((at, appointment))
        appointment()

    def operate(self, run_id: str) -> None:
        """Resume a run as the operator does, who gives up after some times."""
        self.operated[run_id] += 1
        self.resume(run_id)

    def _acknowledge(self, queue: StepQueue, letter: Letter) -> None:
        self.pass_through("ack", str(letter), lambda: queue.delete(letter))
