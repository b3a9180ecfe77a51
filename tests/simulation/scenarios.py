"""Small workflows that between them use everything that can be recorded, and what befalls them.

Whatever is explored is explored for each of ``SCENARIOS``. ``test_scenarios`` fails as soon as
there is something that none of them uses.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from everstep.app.callbacks import complete_callback, fail_callback, heartbeat_callback
from everstep.app.engine import Limits
from everstep.app.options import StartOptions
from everstep.app.start import start
from everstep.core.durations import SECOND
from everstep.core.model import RunStatus
from everstep.core.tokens import make_token
from everstep.testing.simulation.deployment import START
from everstep.testing.simulation.explore import Scenario
from everstep.testing.simulation.settings import Settings
from tests.simulation.workflows import HOUR, ONE_BY_ONE
from tests.simulation.workflows_continued import CONTINUED
from tests.simulation.workflows_of_runs import OF_RUNS
from tests.simulation.workflows_once import AT_MOST_ONCE
from tests.simulation.workflows_together import TOGETHER

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.authoring.workflows import Workflow
    from everstep.testing.simulation.world import World

MIXED: Final[tuple[Workflow[Any, Any], ...]] = (
    *ONE_BY_ONE,
    *TOGETHER,
    *OF_RUNS,
    *AT_MOST_ONCE,
    *CONTINUED,
)
# Events that clients send to the runs of these, each once.
EVENTS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "waits": (("second", 2), ("first", 1)),
    "shares": (("share", 3), ("share", 3)),
    "listens": (("word", 1),),
    "goes_on": (("word", 3), ("word", 3)),
}

# Everything that the workflows record as text of this size goes through the blob store.
LIMITS: Final = Limits(inline=200)


def scenario(  # noqa: PLR0913 - settings by name
    begin: Callable[[World], object],
    then: Callable[[World], object] | None = None,
    *,
    interruptible: bool = False,
    rescued: bool = False,
    removes: bool = False,
    receives: int = 5,
    resumes: int = 0,
) -> Scenario:
    return Scenario(
        begin=begin,
        then=then,
        workflows=MIXED,
        settings=lambda: Settings(
            limits=LIMITS, receives=receives, resumes=resumes, removes=removes
        ),
        interruptible=interruptible,
        rescued=rescued,
    )


def one_run(workflow: Workflow[Any, Any]) -> Scenario:
    def begin(world: World) -> None:
        world.trigger(workflow.name, 1, "key", partial(send_events, world, workflow.name))

    return scenario(begin, interruptible=workflow in AT_MOST_ONCE)


def send_events(world: World, workflow: str, run_id: str) -> None:
    """Let clients send their events, half a minute after the run was accepted."""
    for number, (name, value) in enumerate(EVENTS.get(workflow, ())):
        send = partial(world.send_event, run_id, name, value, f"key {number}")
        world.appointments.append((world.time + (30 + number) * SECOND, send))


def accept(world: World, workflow: str) -> str:
    """Accept a run at once, for what depends on when its time began."""
    accepted = start(world.inside, workflow, 1)
    world.facts.accepted.append((accepted.run_id, None))
    return accepted.run_id


def answers(world: World) -> None:
    """Show a sign of life, complete one callback, and fail the other; each twice."""
    accept(world, "is_answered")
    for minutes, what in ((40, "beats"), (90, "completes"), (95, "fails")):
        for instant in (minutes * 60 * SECOND, minutes * 61 * SECOND):
            world.appointments.append((START + instant, partial(_answer, world, what)))


def _answer(world: World, what: str) -> None:
    engine, head = world.engine, world.history().head
    name = "failing" if what == "fails" else "callback"
    token = make_token(head.run_id, f"{name}#1", head.secret)
    call: dict[str, Callable[[], object]] = {
        "beats": partial(heartbeat_callback, engine, token),
        "completes": partial(complete_callback, engine, token, 3),
        "fails": partial(fail_callback, engine, token, "Refusal", "no"),
    }
    world.ask(f"holder {what}", call[what])


def called_off(workflow: str) -> Callable[[World], object]:
    """Cancel the run, when it waits, by two people; its children end with it."""

    def begin(world: World) -> None:
        run_id = accept(world, workflow)
        for hours in (24, 25):
            instant = START + hours * HOUR * SECOND
            world.appointments.append((instant, partial(world.cancel, run_id)))

    return begin


def two_triggers(world: World) -> None:
    """Let two clients call with one idempotency key."""
    world.trigger("recovers", 1, "key")
    world.trigger("recovers", 1, "key")


def begins_later(seconds: int) -> Callable[[World], object]:
    """Ask for a run that begins later."""
    return lambda world: world.trigger(
        "three_steps", 1, "key", options=StartOptions(delay=seconds, reference_id="name")
    )


def two_with_one_name(world: World) -> None:
    """Let two clients ask for the run with a name, which is a run of its own for neither."""
    options = StartOptions(reference_id="name", on_conflict="existing")
    world.trigger("long_sleep", 1, "key", options=options)
    world.trigger("long_sleep", 1, "key", options=options)


def is_kept(world: World) -> None:
    """Ask for a run that is removed an hour after its end."""
    options = StartOptions(reference_id="name", retention=HOUR)
    world.trigger("short_sleep", 1, "key", options=options)


def lose_the_code(world: World) -> None:
    """Take the code away while the run sleeps, so that it stalls when it wakes up."""
    world.trigger("short_sleep", 1, "key")
    world.appointments.append((START + 30 * SECOND, partial(_lose_the_code, world)))


def _lose_the_code(world: World) -> None:
    # A client who is still to be answered would be told that there is no such workflow.
    if world.facts.accepted:
        world.deploy([])


def bring_the_code_back(world: World) -> None:
    world.deploy(MIXED)
    for run_id in world.store.run_ids:
        if world.history(run_id).head.status is RunStatus.STALLED:
            world.resume(run_id)


def stumble(world: World) -> None:
    """Stall the run and resume it while the message of its timer is still on its way."""
    world.trigger("naps", 1, "key")
    world.appointments.append((START + 30 * SECOND, partial(_stumble, world)))


def _stumble(world: World) -> None:
    _lose_the_code(world)
    for first in world.queue.sent[:1]:
        world.duplicate(first)
    world.appointments.append((world.time + 10 * SECOND, partial(bring_the_code_back, world)))


def pause(world: World) -> None:
    """Pause the run while it sleeps, and resume it when the sleep is over."""
    world.trigger("naps", 1, "key")
    world.appointments.append((START + 30 * SECOND, partial(_pause, world)))


def _pause(world: World) -> None:
    for run_id in world.store.run_ids:
        world.pause(run_id)
    world.appointments.append((world.time + 100 * SECOND, partial(let_go_on, world)))


def let_go_on(world: World) -> None:
    for run_id in world.store.run_ids:
        if world.history(run_id).head.status is RunStatus.PAUSED:
            world.resume(run_id)


def retry(world: World) -> None:
    """Let a run that has failed go on."""
    world.trigger("relents", 1, "key", partial(_once_ended, world, SECOND, world.retry))


def fork(world: World) -> None:
    """Execute a run again from its second step on, once it has ended."""
    again = partial(world.fork, from_step="measure#1")
    world.trigger("large_payload", 1, "key", partial(_once_ended, world, SECOND, again))


def _once_ended(world: World, pause: int, make: Callable[..., object], run_id: str) -> None:
    """Make a run that goes on from this one; if that has not ended, come back later."""
    if world.history(run_id).head.status.terminal:
        make(run_id, key="once more")
    elif pause < 12 * HOUR * SECOND:
        again = partial(_once_ended, world, 2 * pause, make, run_id)
        world.appointments.append((world.time + pause, again))


def lose_the_table(world: World) -> None:
    """Restore a backup of an earlier attempt while the message for a later one is on its way."""
    world.trigger("retries", 1, "key")
    world.appointments.append((START + SECOND, partial(_back_up, world, SECOND)))


def _back_up(world: World, pause: int) -> None:
    """Do so when one attempt has failed; if none has, come back, at last after hours."""
    records = world.history().records if world.store.run_ids else {}
    attempt = records["flaky#1"].attempt if "flaky#1" in records else 0
    if attempt == 0 and pause < HOUR * SECOND:
        again = partial(_back_up, world, 2 * pause)
        world.appointments.append((world.time + pause, again))
    if attempt == 1:
        restore = partial(world.restore, world.back_up())
        world.appointments.append((world.time + 3 * SECOND, restore))


SCENARIOS: Final[dict[str, Scenario]] = {
    **{workflow.name: one_run(workflow) for workflow in MIXED},
    "is_answered": scenario(answers),
    "sleeps_too_long": scenario(called_off("sleeps_too_long")),
    "insists": scenario(called_off("insists")),
    "waits_for_many": scenario(called_off("waits_for_many")),
    "runs_short_of_time": scenario(lambda world: accept(world, "runs_short_of_time")),
    "runs_out_of_time": scenario(lambda world: accept(world, "runs_out_of_time")),
    "two_triggers": scenario(two_triggers),
    "begins_soon": scenario(begins_later(600)),
    "begins_far_away": scenario(begins_later(3 * HOUR)),
    "two_with_one_name": scenario(two_with_one_name),
    "is_removed": scenario(is_kept, removes=True),
    "lost_code": scenario(lose_the_code, bring_the_code_back),
    "stumbles": scenario(stumble, bring_the_code_back),
    "retried": scenario(retry),
    "forked": scenario(fork),
    "pauses": scenario(pause, let_go_on),
    # Whatever fails makes a dead letter at once, and somebody resumes the run.
    "impatient": scenario(
        lambda world: world.trigger("long_sleep", 1, "key"), receives=1, resumes=5
    ),
    "lost_table": scenario(lose_the_table, rescued=True),
}
# Few enough calls to play every two faults of them often.
SMALL: Final = ("without_operations", "sleeps_until", "recovers", "two_triggers")
