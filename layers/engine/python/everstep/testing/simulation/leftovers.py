"""What no schedule may leave behind, whatever went wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.invariants import ViolationError
from everstep.core.messages import decode

if TYPE_CHECKING:
    from everstep.testing.simulation.world import World


def check_leftovers(world: World) -> None:
    """Check a world at rest in which only known runs were ever written to.

    Raises:
        ViolationError: Something is left over; the story so far is in its notes.
    """
    with world.told():
        every_message_has_its_run(world)
        nothing_is_armed_after_its_end(world)


def check_rescues(world: World) -> None:
    """Check a world at rest in which code was always there and no message was lost.

    Raises:
        ViolationError: Somebody had to help; the story so far is in its notes.
    """
    with world.told():
        nobody_was_rescued_but_after_a_resumption(world)


def every_message_has_its_run(world: World) -> None:
    """A run is recorded before anything is sent for it, so no message is of an unknown run.

    What comes once more after a run was removed is of none.
    """
    gone = world.facts.removed
    letters = [(decode(each.body).run_id, each) for each in world.store.dead_letters]
    kept = [each for run_id, each in letters if run_id not in gone]
    if kept:
        raise ViolationError("every_message_has_its_run", ", ".join(each.body for each in kept))


def nothing_is_armed_after_its_end(world: World) -> None:
    """An operation that has its result is out of the due index."""
    for run_id in world.store.run_ids:
        for record in world.history(run_id).records.values():
            if record.status.final and record.due_at is not None:
                raise ViolationError("nothing_is_armed_after_its_end", f"{record}")


def nobody_was_rescued_but_after_a_resumption(world: World) -> None:
    """The watchdog has nothing to do, unless the message that takes a run over comes late.

    Or unless a message was given up while somebody was still at work on it, who then died: that
    takes a message that shows before its visibility time-out is over, which outlasts a function.
    """
    odd = world.odd_left < world.settings.oddities
    given_up_too_early = odd and bool(world.dead.sent)
    if world.facts.recovered and not world.facts.resumptions and not given_up_too_early:
        raise ViolationError("nobody_was_rescued", f"{world.facts.recovered} runs were taken over")
