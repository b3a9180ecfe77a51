"""What is asked of a run beside its input: its name, its tags, its time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from everstep import Context, workflow
from everstep.core.audit import Note
from everstep.core.circumstances import Claim, Reference
from everstep.core.durations import LAST_INSTANT
from everstep.core.errors import (
    DefinitionError,
    IdempotencyConflictError,
    InvalidOptionError,
    ReferenceConflictError,
    UnavailableError,
)
from everstep.core.model import Head, RunStatus
from tests.unit.app.definitions import one_step
from tests.unit.app.world import DAY, MINUTE, NOW, SECOND, InterruptedStore, World

AT = datetime(2026, 1, 2, tzinfo=UTC)


@workflow(name="wf", timeout=timedelta(minutes=5), retention=timedelta(days=2))
async def bounded(_ctx: Context) -> None:
    """End at once."""


# --- Reference ids


def test_a_run_has_the_reference_id_that_it_was_started_with() -> None:
    world = World(one_step)
    run_id = world.start(value=1, reference_id="order-1").run_id

    assert world.head(run_id).reference_id == "order-1"
    held = world.store.reference("wf", "order-1")
    assert held == Reference(workflow="wf", reference_id="order-1", run_id=run_id)


def test_a_reference_id_that_a_run_has_is_a_conflict_that_names_the_run() -> None:
    world = World(one_step)
    first = world.start(value=1, reference_id="order-1")
    world.lose()

    with pytest.raises(ReferenceConflictError, match="belongs to run run-0-00000001") as raised:
        world.start(value=2, reference_id="order-1")

    assert raised.value.run_id == first.run_id
    assert len(world.store.run_ids) == 1
    assert world.outbox.sent == []


def test_a_caller_can_ask_for_the_run_that_has_the_reference_id() -> None:
    world = World(one_step)
    first = world.start(value=1, reference_id="order-1")
    again = world.start(value=2, reference_id="order-1", on_conflict="existing")

    assert (again.run_id, again.created) == (first.run_id, False)


@pytest.mark.parametrize("status", [each for each in RunStatus if each.terminal])
def test_a_reference_id_is_free_again_once_its_run_has_ended(status: RunStatus) -> None:
    world = World(one_step)
    first = world.start(value=1, reference_id="order-1")
    world.end(first.run_id, status)

    second = world.start(value=1, reference_id="order-1")

    assert second.created
    held = world.store.reference("wf", "order-1")
    assert held is not None
    assert held.run_id == second.run_id != first.run_id


def test_a_reference_id_of_a_stalled_run_is_not_free() -> None:
    world = World(one_step)
    world.stall(world.start(value=1, reference_id="order-1").run_id)

    with pytest.raises(ReferenceConflictError):
        world.start(value=1, reference_id="order-1")


def test_a_reference_id_of_a_run_that_is_gone_is_free() -> None:
    world = World(one_step)
    world.forget(world.start(value=1, reference_id="order-1").run_id)

    assert world.start(value=1, reference_id="order-1").created


def test_the_idempotency_key_is_asked_before_the_reference_id() -> None:
    world = World(one_step)
    options: dict[str, Any] = {"reference_id": "order-1", "idempotency_key": "key"}
    first = world.start(value=1, **options)
    again = world.start(value=1, **options)

    assert (again.run_id, again.created) == (first.run_id, False)


class Contested(InterruptedStore):
    """A store in which somebody else is always a moment faster."""

    def create(
        self,
        head: Head,
        claim: Claim | None,
        note: Note | None = None,
        reference: Reference | None = None,
    ) -> Claim | Reference | Note | None:
        """Let another run take the name and end."""
        assert reference is not None
        held = self.reference(*reference.name)
        faster = replace(head, run_id=f"{len(self.run_ids)}", status=RunStatus.COMPLETED)
        instead_of = held.run_id if held else None
        taken = replace(reference, run_id=faster.run_id, instead_of=instead_of)
        assert super().create(faster, None, reference=taken) is None
        return super().create(head, claim, note, reference)


def test_a_reference_id_that_is_taken_again_and_again_leaves_it_to_the_caller_to_go_on() -> None:
    world = World(one_step)
    store = Contested()
    world.engine = replace(world.engine, runs=store)

    with pytest.raises(UnavailableError, match="'order-1' is taken again and again"):
        world.start(value=1, reference_id="order-1")


# --- Tags, secret, time-out, retention


def test_a_run_has_its_tags_and_a_secret_of_its_own() -> None:
    world = World(one_step)
    first = world.head(world.start(value=1, tags={"customer": "4711", "eu": "x:y"}).run_id)
    second = world.head(world.start(value=1).run_id)

    assert first.tags == {"customer": "4711", "eu": "x:y"}
    assert second.tags == {}
    assert len(first.secret) == 32
    assert first.secret != second.secret


def test_what_a_workflow_says_of_time_is_recorded_of_its_runs() -> None:
    world = World(bounded)
    head = world.head(world.start().run_id)

    assert (head.deadline, head.retention) == (NOW + 5 * MINUTE, 2 * DAY)


def test_what_a_caller_says_of_time_goes_before_what_the_workflow_says() -> None:
    world = World(bounded)
    run_id = world.start(timeout=60, retention=timedelta(hours=1), delay=10).run_id

    head = world.head(run_id)
    assert (head.deadline, head.retention) == (NOW + 70 * SECOND, 60 * MINUTE)


def test_a_run_has_no_deadline_and_is_kept_for_ever_if_nobody_says_otherwise() -> None:
    world = World(one_step)
    head = world.head(world.start(value=1).run_id)

    assert (head.deadline, head.retention, head.starts_at) == (None, None, None)


def test_a_deadline_is_not_after_the_end_of_all_time() -> None:
    world = World(bounded)
    at = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)

    assert world.head(world.start(at=at, timeout=600).run_id).deadline == LAST_INSTANT


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"retention": 3599}, {"timeout": "1"}])
def test_a_workflow_cannot_be_declared_with_a_time_that_makes_no_sense(wrong: Any) -> None:  # noqa: ANN401
    async def body(_ctx: Context) -> None:
        """End at once."""

    with pytest.raises(DefinitionError, match=next(iter(wrong))):
        workflow(**wrong)(body)


@pytest.mark.parametrize(
    ("options", "parameter", "said"),
    [
        ({"reference_id": ""}, "reference_id", "1 to 255 printable characters, not ''"),
        ({"reference_id": "x" * 256}, "reference_id", "1 to 255 printable"),
        ({"reference_id": "a\nb"}, "reference_id", "1 to 255 printable"),
        ({"on_conflict": "ignore"}, "on_conflict", "must be error or existing, not 'ignore'"),
        ({"delay": -1}, "delay", "delay must be between 0"),
        ({"delay": float("nan")}, "delay", "delay must be between 0"),
        ({"delay": LAST_INSTANT / SECOND}, "delay", "past the year 9999"),
        ({"at": AT.replace(tzinfo=None)}, "at", "at must be timezone-aware"),
        ({"delay": 1, "at": AT}, "at", "after a delay or at a time, not both"),
        ({"timeout": 0}, "timeout", "timeout must be more than 0"),
        ({"retention": 1}, "retention", "retention must be at least an hour, not 1"),
        ({"budget": 0}, "budget", "budget must be dollars above 0 and up to 1000000, not 0"),
        ({"budget": "1"}, "budget", "budget must be dollars above 0"),
        ({"tags": {f"t{n}": "x" for n in range(11)}}, "tag", "at most 10 tags, not 11"),
        ({"tags": {"": "x"}}, "tag", "the name of a tag has 1 to 64"),
        ({"tags": {"a:b": "x"}}, "tag", "without ':', not 'a:b'"),
        ({"tags": {"x" * 65: "x"}}, "tag", "the name of a tag has 1 to 64"),
        ({"tags": {"a": ""}}, "tag", "the value of tag a has 1 to 128"),
        ({"tags": {"a": "x" * 129}}, "tag", "the value of tag a has 1 to 128"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_before_anything_is_written(
    options: dict[str, Any], parameter: str, said: str
) -> None:
    world = World(one_step)

    with pytest.raises(InvalidOptionError, match=said) as raised:
        world.start(value=1, **options)

    assert raised.value.parameter == parameter
    assert world.store.run_ids == []


# --- Options and idempotency keys


@pytest.mark.parametrize(
    "options",
    [
        {"reference_id": "r"},
        {"delay": 60},
        {"at": AT},
        {"tags": {"a": "b", "c": "d"}},
        {"timeout": 60},
        {"retention": 3600},
        {"budget": 0.01},
    ],
    ids=lambda options: next(iter(options)),
)
def test_the_same_key_with_other_options_is_a_conflict(options: dict[str, Any]) -> None:
    world = World(one_step)
    first = world.start(value=1, idempotency_key="k", **options)
    world.clock.advance(SECOND)

    assert world.start(value=1, idempotency_key="k", **options).run_id == first.run_id
    with pytest.raises(IdempotencyConflictError):
        world.start(value=1, idempotency_key="k")


def test_the_same_time_in_other_words_is_the_same_request() -> None:
    world = World(one_step)
    first = world.start(value=1, idempotency_key="k", delay=60, tags={"a": "1", "b": "2"})
    other: dict[str, Any] = {"delay": timedelta(minutes=1), "tags": {"b": "2", "a": "1"}}

    again = world.start(value=1, idempotency_key="k", on_conflict="existing", **other)

    assert again.run_id == first.run_id
