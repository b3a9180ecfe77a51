"""Let go of what a pass holds at its end, whatever user code does about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.blocking import no_event_loop, no_generator_hooks
from everstep.core.session import Phase, driving

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any

    from everstep.core.errors import EverstepError
    from everstep.core.fibers import Fiber
    from everstep.core.session import Session

# Cleanup code that awaits something while it is let go is sent on its way again.
_FAREWELLS: Final = 5


def let_go(session: Session, fibers: Sequence[Fiber]) -> None:
    """Let suspended coroutines go; their cleanup code does nothing durable.

    Args:
        session: The pass.
        fibers: Its coroutines, in the order in which they were begun.
    """
    kept, session.kept = session.kept, []
    session.phase = Phase.CLOSING
    try:
        # What cleanup code raises here has nobody to hear it: the pass is over and decided.
        with driving(session), no_generator_hooks(), no_event_loop(_nobody_listens):
            for fiber in reversed(fibers):
                session.frame = fiber.frame
                _close(fiber.coroutine)
            for coroutine in kept:
                _close(coroutine)
    finally:
        session.phase = Phase.IDLE


def _close(coroutine: Coroutine[Any, Any, object]) -> None:
    for _ in range(_FAREWELLS):
        try:
            coroutine.close()
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001, S112 - also an exit: nothing ends here but the pass
            continue
        return


def _nobody_listens(_mistake: EverstepError) -> None:
    """Hear of a mistake in cleanup code, and do nothing: the pass is over."""
