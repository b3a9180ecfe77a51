"""What a recovery takes over, made wrong on purpose: see ``mutants``."""

from __future__ import annotations

from dataclasses import replace
from inspect import isfunction
from typing import TYPE_CHECKING, Any, Final

from everstep.app import dead_letter, owing
from everstep.core import decide

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from everstep.core.effects import Effect
    from everstep.core.model import Message, OpRecord


def a_recovery_takes_nothing_over(patch: pytest.MonkeyPatch) -> None:
    original = decide.duties

    def duties(message: Message, *seen: Any, **more: Any) -> tuple[Effect, ...]:  # noqa: ANN401
        return original(replace(message, take=False), *seen, **more)

    patch.setattr(owing, "duties", duties)


def what_a_recovery_sends_inherits_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "_inherits", lambda _message: False)


def what_takes_over_passes_that_on_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decide, "_inherits", lambda message: message.take)


def news_is_done_with_once_it_is_recorded_what_it_is_about(patch: pytest.MonkeyPatch) -> None:
    def ended(message: Message, record: OpRecord | None) -> bool:
        return record is not None and record.status.final and record.by != message.token

    patch.setattr(dead_letter, "_is_ended_by_another", ended)


MUTANTS: Final[tuple[Callable[[pytest.MonkeyPatch], None], ...]] = tuple(
    made
    for name, made in list(globals().items())
    if isfunction(made) and made.__module__ == __name__ and not name.startswith("_")
)
