"""Dead letters: a run that still owes something is STALLED with the reason, never lost."""

from dataclasses import replace

import pytest

from everstep.adapters.errors import MissingBlobError
from everstep.app.control import resume
from everstep.app.dead_letter import Buried, dead_letter
from everstep.app.engine import Limits
from everstep.core import messages
from everstep.core.model import Message, MessageKind, RunStatus
from tests.unit.app.definitions import anything, inserted, one_step, second_version, two_steps
from tests.unit.app.world import NOW, World, message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("nonsense", "a message is no JSON"),
        ('{"run":"nobody","kind":"start","tok":"t"}', "there is no run nobody"),
    ],
)
def test_a_message_of_no_run_is_kept(body: str, reason: str) -> None:
    world = World(one_step)

    assert dead_letter(world.engine, "m-1", body) is Buried.KEPT
    (kept,) = world.store.dead_letters
    assert (kept.message_id, kept.body, kept.at) == ("m-1", body, NOW)
    assert reason in kept.reason


def test_a_step_that_kills_the_process_stalls_its_run_with_the_message() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    letter = world.take()

    assert world.bury(letter) is Buried.STALLED
    stall = world.head(run_id).stall
    assert stall is not None
    assert stall.reason.type == "DeadLetter"
    assert (
        "the message for double#1 (attempt 1) was delivered several times" in stall.reason.message
    )
    assert stall.reason.operation == "double#1"
    assert stall.message == messages.encode(letter)


def test_a_start_that_was_never_finished_stalls_its_run() -> None:
    world = World(one_step)
    run_id = world.start(value=1).run_id

    assert world.bury(world.take()) is Buried.STALLED
    stall = world.head(run_id).stall
    assert stall is not None
    assert "the start of the run was delivered several times" in stall.reason.message
    assert stall.reason.operation is None


def test_a_letter_whose_result_is_there_but_whose_next_message_is_owed_stalls() -> None:
    world = World(two_steps)
    world.begin(value=1)
    first = world.take()
    world.advance(first)

    assert world.bury(first) is Buried.STALLED


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.STALLED, RunStatus.CANCELLED])
def test_a_letter_of_a_run_that_goes_on_no_more_is_dropped(status: RunStatus) -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.end(run_id, status)

    assert world.bury(world.take()) is Buried.NOTHING_OWED
    assert world.status(run_id) is status


@pytest.mark.parametrize(
    "letter",
    [
        message("", MessageKind.STEP, "double#1", attempt=1),
        message("", MessageKind.START),
    ],
    ids=["done by another", "start of a run that is under way"],
)
def test_a_letter_that_owes_nothing_is_dropped(letter: Message) -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    world.advance(world.take())

    assert world.bury(replace(letter, run_id=run_id)) is Buried.NOTHING_OWED
    assert world.status(run_id) is RunStatus.RUNNING


def test_a_letter_that_comes_again_is_judged_without_running_the_workflow() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    stranger = message(run_id, MessageKind.STEP, "double#9", attempt=1)

    assert world.bury(stranger, receives=2) is Buried.STALLED


def test_a_letter_of_a_version_that_is_missing_stalls() -> None:
    world = World(one_step)
    world.begin(value=1)
    world.deploy(second_version)

    assert world.bury(world.take()) is Buried.STALLED


def test_a_letter_of_a_run_whose_code_contradicts_its_history_stalls() -> None:
    world = World(two_steps)
    world.begin(value=1)
    world.advance(world.take())
    world.deploy(inserted)

    assert world.bury(world.take()) is Buried.STALLED


def test_a_run_that_ends_meanwhile_is_not_stalled() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    letter = world.take()
    original = world.store.change

    def end_first(*arguments: object) -> bool:
        world.store.change = original  # type: ignore[method-assign]
        world.end(run_id)
        return original(*arguments)  # type: ignore[arg-type]

    world.store.change = end_first  # type: ignore[method-assign, assignment]

    assert world.bury(letter) is Buried.NOTHING_OWED
    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_run_that_a_dead_letter_stalled_can_be_resumed_and_completes() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.bury(world.take())
    resume(world.engine, run_id)
    world.run()

    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_letter_of_code_that_has_changed_stalls_its_run() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    world.advance(world.take())
    letter = message("", MessageKind.STEP, "renamed#1", attempt=1)

    assert world.bury(replace(letter, run_id=run_id)) is Buried.STALLED
    assert world.status(run_id) is RunStatus.STALLED


def test_a_letter_of_a_run_whose_payload_is_gone_stalls_when_it_comes_again() -> None:
    world = World(anything, limits=Limits(inline=10))
    run_id = world.start(value="x" * 20).run_id
    letter = world.take()
    world.lose_payloads()

    with pytest.raises(MissingBlobError):
        world.bury(letter)
    assert world.bury(letter, receives=2) is Buried.STALLED
    assert world.status(run_id) is RunStatus.STALLED


def test_a_letter_that_comes_again_when_another_has_done_its_work_stalls_nothing() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    letter = world.take()
    world.advance(replace(letter, token="another"))

    assert world.bury(letter, receives=2) is Buried.NOTHING_OWED
    assert world.head(run_id).status is RunStatus.RUNNING


def test_a_letter_that_comes_again_and_still_owes_what_follows_stalls() -> None:
    world = World(two_steps)
    world.begin(value=1)
    letter = world.take()
    world.advance(letter)
    assert world.bury(letter, receives=2) is Buried.STALLED


def test_news_that_comes_again_is_not_done_with_because_others_recorded_what_it_is_about() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    world.advance(world.take())
    news = message(run_id, MessageKind.CHILD, "double#1")
    assert world.bury(news, receives=2) is Buried.STALLED
