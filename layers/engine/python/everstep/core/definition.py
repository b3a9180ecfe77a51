"""What the core asks of a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from everstep.core.session import Session


class Definition(Protocol):
    """A workflow as the driver sees it."""

    @property
    def name(self) -> str:
        """Return the workflow's name."""

    @property
    def version(self) -> str:
        """Return the workflow's version."""

    @property
    def steps_per_message(self) -> int | None:
        """Return how many steps one message may carry out; None for what the deployment says."""

    @property
    def budget(self) -> int | None:
        """Return what a run may cost, in billionths of a dollar; None for any amount."""

    def begin(self, session: Session, input_text: str) -> Coroutine[Any, Any, object]:
        """Return the coroutine of a new pass over the workflow's code."""

    def encode_output(self, value: object) -> str:
        """Return the recorded text of what the workflow returned."""
