"""Messages that carry out several steps, made wrong on purpose: see ``mutants``."""

from __future__ import annotations

from dataclasses import replace
from inspect import isfunction
from typing import TYPE_CHECKING, Final

from everstep.app import advance as advancing
from everstep.app import burst
from everstep.app.burst import Burst
from everstep.core.model import MessageKind

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from everstep.app.outcomes import Done
    from everstep.core.decisions import Pending
    from everstep.core.model import Head, History
    from everstep.core.replay import Replay


def nobody_looks_later(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(burst, "_look_later", lambda *_: None)


def a_duplicate_sends_for_the_step_that_is_under_way(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Burst, "_recorded_elsewhere", lambda *_: None)


def every_further_step_has_a_token_of_its_own(patch: pytest.MonkeyPatch) -> None:
    def go_on(self: advancing._Advance, replay: Replay, pending: Pending, history: History) -> Done:
        token = self.engine.ids.token()
        message = replace(
            self.message, kind=MessageKind.STEP, op=pending.key, attempt=1, token=token
        )
        return replace(self, message=message)._execute(history, replay, pending)

    patch.setattr(advancing._Advance, "_go_on", go_on)


def it_goes_on_with_what_may_begin_once_only(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(burst, "_may_begin_again", lambda _pending: True)


def it_goes_on_whatever_has_become_of_the_run(patch: pytest.MonkeyPatch) -> None:
    def is_as_it_was(_self: Burst, _head: Head) -> bool:
        return True

    patch.setattr(Burst, "_is_as_it_was", is_as_it_was)


def it_goes_on_though_somebody_may_have_died_of_it(patch: pytest.MonkeyPatch) -> None:
    original = Burst.__init__

    def init(self: Burst, engine: object, message: object, time_left: object, _: int) -> None:
        original(self, engine, message, time_left, 1)  # type: ignore[arg-type]

    patch.setattr(Burst, "__init__", init)


MUTANTS: Final[tuple[Callable[[pytest.MonkeyPatch], None], ...]] = tuple(
    made
    for name, made in list(globals().items())
    if isfunction(made) and made.__module__ == __name__ and not name.startswith("_")
)
