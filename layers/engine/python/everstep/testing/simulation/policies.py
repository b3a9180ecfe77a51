"""Who goes on, and what happens next: the order of a schedule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from everstep.testing.simulation.faults import EXECUTIONS
from everstep.testing.simulation.tasks import never

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from everstep.testing.simulation.choices import Choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that can happen next.

    Attributes:
        label: For traces.
        act: Makes it happen.
        odd: Whether it only happens when something goes wrong; a budget is spent on it.
        under_way: Whether it lets a task go on, as opposed to beginning something.
    """

    label: str
    act: Callable[[], object]
    odd: bool = False
    under_way: bool = False


class Policy(Protocol):
    """Picks what happens next."""

    def choose(self, actions: Iterable[Action]) -> Action | None:
        """Return one of the actions, which are looked for as they are asked for; None if none."""

    def stops_at(self, call: str) -> bool:
        """Say whether others may go on before a port call of this name."""


class InOrder:
    """One thing after another: whoever is at work goes on until it has finished."""

    stops_at = staticmethod(never)

    def choose(self, actions: Iterable[Action]) -> Action | None:
        """Return the first action."""
        return next(iter(actions), None)


@dataclass(slots=True)
class AnyOrder:
    """Anything at any time, as the choices say; odd things happen rarely."""

    choices: Choices
    odds: float = 0.03

    def stops_at(self, call: str) -> bool:
        """Stop everywhere."""
        return bool(call)

    def choose(self, actions: Iterable[Action]) -> Action | None:
        """Return any ordinary action, or now and then an odd one."""
        found = list(actions)
        if not found:
            return None
        odd = [action for action in found if action.odd]
        chosen = self.choices.pick("odd", len(odd) + 1, self.odds)
        if chosen:
            return odd[chosen - 1]
        ordinary = [action for action in found if not action.odd]
        return ordinary[self.choices.pick("order", len(ordinary))]


@dataclass(slots=True)
class Path:
    """A policy that follows a given path and notes where it could have gone instead.

    Only choices between tasks that are under way are branched on; otherwise things happen in
    order.

    Attributes:
        choices: What to choose at each branching; the first option where the path has ended.
        widths: How many options there were at each branching.
    """

    choices: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)

    def choose(self, actions: Iterable[Action]) -> Action | None:
        """Return the action on the path."""
        found = list(actions)
        options = [action for action in found if action.under_way] or found[:1]
        if not options:
            return None
        if len(options) == 1:
            return options[0]
        at = len(self.widths)
        self.widths.append(len(options))
        if at == len(self.choices):
            self.choices.append(0)
        return options[self.choices[at]]

    def stops_at(self, call: str) -> bool:
        """Stop where the order matters: executing user code touches nothing that is shared."""
        return call not in EXECUTIONS

    def next(self) -> Path | None:
        """Return the next path in depth-first order; None after the last."""
        choices = self.choices[: len(self.widths)]
        while choices and choices[-1] == self.widths[len(choices) - 1] - 1:
            choices.pop()
        return Path([*choices[:-1], choices[-1] + 1]) if choices else None
