"""Accepting a run: once, with a valid input, and never lost."""

from typing import Any

import pytest

from everstep.app.engine import Limits
from everstep.app.options import StartOptions
from everstep.app.start import start
from everstep.core.errors import (
    IdempotencyConflictError,
    InvalidInputError,
    InvalidRequestError,
    PayloadTooLargeError,
    UnknownWorkflowError,
)
from everstep.core.model import MessageKind, RunStatus
from tests.unit.app.definitions import Order, anything, empty, napping, one_step, second_version
from tests.unit.app.world import MINUTE, NOW, World


def test_a_run_is_recorded_watched_and_begun() -> None:
    world = World(one_step)
    accepted = world.start(value=1)

    head = world.head(accepted.run_id)
    assert (head.workflow, head.version, head.status) == ("wf", "1", RunStatus.RUNNING)
    assert (head.created_at, head.due_at) == (NOW, NOW + 7 * MINUTE)
    assert head.input.text == "1"
    assert accepted.created
    assert accepted.sent
    first = world.take()
    assert (first.run_id, first.kind) == (accepted.run_id, MessageKind.START)


def test_a_run_starts_on_the_highest_version_unless_one_is_asked_for() -> None:
    world = World(one_step, second_version)

    assert world.head(world.start(value=1).run_id).version == "2"
    assert world.head(world.start(value=1, version="1").run_id).version == "1"


def test_a_run_whose_first_message_cannot_be_sent_is_accepted_all_the_same() -> None:
    world = World(one_step)
    world.outbox.down = True

    accepted = world.start(value=1)

    assert accepted.created
    assert not accepted.sent
    assert world.head(accepted.run_id).due_at is not None


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [
        ("nope", None, "there is no workflow nope; deployed: wf"),
        ("nope", "1", "there is no workflow nope"),
        ("wf", "9", "workflow wf has no version 9; deployed: 1"),
        ("wf", "", "has no version"),
    ],
)
def test_an_unknown_workflow_is_refused_with_what_there_is(
    name: str, version: str | None, said: str
) -> None:
    with pytest.raises(UnknownWorkflowError, match=said):
        World(one_step).start(name, 1, version=version)


def test_invalid_input_is_refused_before_anything_is_written() -> None:
    world = World(empty)

    with pytest.raises(InvalidInputError) as raised:
        world.start(value={"total": "x"})

    assert [error["loc"] for error in raised.value.errors] == [["id"], ["total"]]
    assert world.store.run_ids == []
    assert world.outbox.sent == []


def test_json_input_is_validated_as_json() -> None:
    accepted = start(World(empty).engine, "wf", {"id": "o"})

    assert accepted.created


@pytest.mark.parametrize("value", ["\ud800", object(), {1: object()}], ids=["text", "object", "in"])
def test_input_that_cannot_be_recorded_is_invalid(value: object) -> None:
    with pytest.raises(InvalidInputError):
        World(anything).start(value=value)


def test_input_over_the_limit_is_refused() -> None:
    with pytest.raises(PayloadTooLargeError, match="the input of wf is 102 bytes, the limit is"):
        World(anything, limits=Limits(payload=100)).start(value="x" * 100)


def test_large_input_goes_to_the_blob_store() -> None:
    world = World(anything, limits=Limits(inline=100))
    run_id = world.begin(value="x" * 200)

    assert world.head(run_id).input.text is None
    assert world.status(run_id) is RunStatus.COMPLETED


@pytest.mark.parametrize("value", [None, {}])
def test_a_workflow_without_input_takes_an_empty_body(value: object) -> None:
    assert World(napping).start(value=value).created


@pytest.mark.parametrize("value", [0, [], {"a": 1}, "x", False])
def test_a_workflow_without_input_refuses_any_other_body(value: object) -> None:
    with pytest.raises(InvalidInputError, match="workflow wf takes no input; send an empty body"):
        World(napping).start(value=value)


# --- Idempotency keys


def test_the_same_key_with_the_same_input_gives_the_same_run() -> None:
    world = World(empty)
    first = world.start(value=Order(id="o"), idempotency_key="k")
    world.take()
    second = world.start(value=Order(id="o"), idempotency_key="k")

    assert second.run_id == first.run_id
    assert not second.created
    assert world.outbox.sent == []
    assert world.head(first.run_id).idempotency_key == "k"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
        ({1: "a", 2: "b"}, {2: "b", 1: "a"}),
        ({"x", "y"}, {"y", "x"}),
    ],
    ids=["keys", "keys of any type", "sets"],
)
def test_the_order_of_keys_makes_no_other_input(first: object, second: object) -> None:
    world = World(anything)
    one = world.start(value=first, idempotency_key="k")

    assert world.start(value=second, idempotency_key="k").run_id == one.run_id


def test_json_and_python_spell_the_same_input() -> None:
    world = World(empty)
    one = world.start(value=Order(id="o", total=0), idempotency_key="k")

    again = start(world.engine, "wf", {"id": "o"}, StartOptions(idempotency_key="k"))

    assert again.run_id == one.run_id


@pytest.mark.parametrize(
    "other", [{"value": 2}, {"value": 1, "version": "1"}], ids=["input", "version"]
)
def test_the_same_key_with_another_request_is_a_conflict(other: dict[str, Any]) -> None:
    world = World(one_step)
    first = world.start(value=1, idempotency_key="k")

    with pytest.raises(IdempotencyConflictError, match="was used before with another") as raised:
        world.start(idempotency_key="k", **other)

    assert raised.value.run_id == first.run_id


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb"], ids=["empty", "long", "unprintable"])
def test_a_key_that_makes_no_sense_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequestError, match="has 1 to 255 printable characters"):
        World(one_step).start(value=1, idempotency_key=key)


def test_the_longest_key_is_accepted() -> None:
    assert World(one_step).start(value=1, idempotency_key="x" * 255).created
