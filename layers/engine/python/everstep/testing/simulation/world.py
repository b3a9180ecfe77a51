"""A whole deployment in one process: every moment that may differ is a choice.

The world is a deployment with everybody who uses it and looks after it. What happens next is an
``Action``: a task goes on to its next port call, a message is delivered, the sweeper wakes up, a
client calls, an operator resumes. Time passes when nothing else can happen. A ``Policy`` picks
among the actions, so a policy (with its seed) and the faults are the whole schedule.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from everstep.core.invariants import ViolationError
from everstep.core.model import HEAD
from everstep.testing.simulation.actors import Inhabited
from everstep.testing.simulation.charges import all_charges, no_more_is_charged_than_was_done
from everstep.testing.simulation.deployment import FAR_FUTURE
from everstep.testing.simulation.happenings import happenings, instants, present
from everstep.testing.simulation.incidents import Oddity
from everstep.testing.simulation.invariants import check_at_rest, check_without_faults
from everstep.testing.simulation.policies import InOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from everstep.authoring.workflows import Workflow
    from everstep.testing.simulation.choices import Choices
    from everstep.testing.simulation.faults import Faults
    from everstep.testing.simulation.policies import Action, Policy
    from everstep.testing.simulation.settings import Settings
    from everstep.testing.simulation.step_queue import Letter


class World(Inhabited):
    """A deployment in which everything that may happen is a choice.

    Use it in a ``with`` block: leaving it ends whatever is still under way.
    """

    def __init__(
        self,
        workflows: Iterable[Workflow[Any, Any]],
        *,
        faults: Faults | None = None,
        policy: Policy | None = None,
        settings: Settings | None = None,
        choices: Choices | None = None,
    ) -> None:
        """Deploy the workflows to an empty system.

        Args:
            workflows: What is deployed.
            faults: What goes wrong at port calls.
            policy: Who goes on, and what happens next.
            settings: How the world is made.
            choices: Chooses clock skews and torn queries; without it there are none.
        """
        super().__init__(workflows, faults=faults, settings=settings, choices=choices)
        self.policy: Policy = policy or InOrder()
        self.odd_left = self.settings.oddities

    # --- What a test or a policy makes happen

    def duplicate(self, letter: Letter) -> Letter:
        """Put a message that was sent once into the queue once more."""
        self.facts.disturbances += 1
        return self.queue.take_in(letter.body)

    def pass_time(self, millis: int) -> None:
        """Let time pass."""
        self._clock.advance(millis)

    def hold_up(self, millis: int) -> None:
        """Let nothing happen for a time: whoever is at work may be taken for dead."""
        self.facts.disturbances += 1 + self.busy
        self.pass_time(millis)

    def lose_messages(self) -> None:
        """Empty the queue."""
        self.facts.disturbances += 1
        self.queue.purge()

    # --- What happens by itself

    def run(self) -> None:
        """Let happen what can happen, until nothing more does.

        Raises:
            ViolationError: An invariant does not hold; the story so far is in its notes.
        """
        with self.told():
            self.come_to_rest()

    @override
    def come_to_rest(self) -> None:
        """Let happen what can happen, whatever time it takes, until nothing more does."""
        with self.not_after(FAR_FUTURE):
            self._come_to_rest()

    def _come_to_rest(self) -> None:
        for _ in range(self.settings.actions):
            action = self.policy.choose(happenings(self))
            if action is None:
                return
            self._take(action)
        raise ViolationError("comes_to_rest", f"not after {self.settings.actions} actions")

    def until_idle(self, most: int) -> bool:
        """Let happen what happens now, without any time passing; say whether that had an end.

        Args:
            most: How many actions to allow.
        """
        with self.told():
            for _ in range(most):
                action = self.policy.choose(present(self))
                if action is None:
                    return True
                self._take(action)
        return False

    @contextmanager
    def not_after(self, instant: int) -> Iterator[None]:
        """Let no time pass this instant by itself during the block, whoever stands still."""
        before, self.horizon = self.horizon, instant
        try:
            yield
        finally:
            self.horizon = before

    def next_instant(self) -> int:
        """Return when something happens next, after now."""
        return min(
            (instant for instant in instants(self) if instant > self.time), default=FAR_FUTURE
        )

    def call(self, name: str, body: Callable[[], object]) -> None:
        """Let a process of this name do something, all at once.

        Raises:
            ViolationError: An invariant does not hold; the story so far is in its notes.
        """
        with self.told():
            task = self.spawn(name, body)
            task.twin = lambda: self.spawn(name, body)
            self.finish(task)

    def next_message(self, op: str = HEAD) -> Letter:
        """Let everything happen in order until there is a message for an operation.

        Raises:
            ViolationError: There never is one.
        """

        def sent() -> list[Letter]:
            return [letter for letter in self.queue.letters if letter.message.op == op]

        self.happen_until(lambda: bool(sent()))
        return sent()[0]

    def happen_until(self, reached: Callable[[], bool]) -> None:
        """Let everything happen in order until a point is reached.

        Raises:
            ViolationError: It never is.
        """
        with self.told():
            while not reached():
                action = next(happenings(self), None)
                if action is None:
                    raise ViolationError("comes_to_the_point", "nothing happens any more")
                self._take(action)

    def check(self) -> None:
        """Check what must hold at rest, and without faults if there were none.

        Raises:
            ViolationError: An invariant does not hold; the story so far is in its notes.
        """
        with self.told():
            check_at_rest(self.inside, self.facts, self.store.run_ids)
            queues = (self.queue, self.dead)
            no_more_is_charged_than_was_done(all_charges(self.store), self.counts, queues)
            if not self.facts.disturbances and not self.facts.resumptions:
                check_without_faults(self.facts)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Add the story so far to a violation that is found inside the block."""
        try:
            yield
        except ViolationError as error:
            error.add_note("\n".join(self.story))
            raise

    def _take(self, action: Action) -> None:
        if action.odd:
            self.odd_left -= 1
            self.facts.disturbances += 1
            self.story.append(f"     --- {action.label}")
            self.incidents.append(Oddity(action.label))
        action.act()
