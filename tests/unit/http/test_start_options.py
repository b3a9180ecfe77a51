"""What a trigger can be asked beside the input, and finding runs by it."""

from __future__ import annotations

from typing import Final

import pytest

from tests.unit.http.world import World

NOON: Final = "2026-01-01T12:00:00Z"


@pytest.fixture
def world() -> World:
    return World()


def trigger(world: World, query: str = "", **headers: str) -> tuple[int, dict[str, object]]:
    answer = world.call(
        "POST",
        f"/triggers/bare{query}",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    return answer.status, answer.body


def test_every_option_can_be_a_query_parameter(world: World) -> None:
    query = (
        f"?reference_id=order/1&at={NOON}&tag=customer:4711&tag=eu:x:y"
        "&timeout=60.5&retention=7200&budget=0.25&version=1&on_conflict=existing"
    )
    status, body = trigger(world, query)
    assert (status, body["status"]) == (202, "PENDING")
    run = world.get(f"/runs/{body['run_id']}").body
    assert run["status"] == "PENDING"
    assert run["reference_id"] == "order/1"
    assert run["tags"] == {"customer": "4711", "eu": "x:y"}
    assert run["starts_at"] == "2026-01-01T12:00:00.000Z"
    assert run["deadline"] == "2026-01-01T12:01:00.500Z"
    head = world.engine.runs.head(str(body["run_id"]))
    assert head is not None
    assert (head.retention, head.budget) == (7_200_000, 250_000_000)


def test_every_option_but_tags_can_be_a_header(world: World) -> None:
    status, body = trigger(
        world,
        Everstep_Reference_Id="r",
        Everstep_Delay="60",
        Everstep_Timeout="60",
        Everstep_Budget="1e-3",
    )
    run = world.get(f"/runs/{body['run_id']}").body
    assert status == 202
    assert (run["reference_id"], run["starts_at"]) == ("r", "2026-01-01T00:01:00.000Z")
    assert run["deadline"] == "2026-01-01T00:02:00.000Z"
    head = world.engine.runs.head(str(body["run_id"]))
    assert head is not None
    assert head.budget == 1_000_000


def test_a_header_that_contradicts_its_parameter_is_refused(world: World) -> None:
    status, body = trigger(world, "?delay=60", Everstep_Delay="61")
    assert (status, body["type"]) == (400, "urn:everstep:problem:invalid-request")
    assert "Everstep-Delay name different values" in str(body["detail"])
    assert trigger(world, "?delay=60", Everstep_Delay="60")[0] == 202


@pytest.mark.parametrize(
    ("query", "parameter", "said"),
    [
        ("?delay=soon", "delay", "delay must be a number of seconds, not 'soon'"),
        ("?delay=-1", "delay", "delay must be greater than or equal to 0"),
        ("?delay=nan", "delay", "delay must be greater than or equal to 0"),
        ("?at=noon", "at", "at must be a time with its zone such as 2026-01-31T12:00:00Z"),
        ("?at=2026-01-01T12:00:00", "at", "at must be a time with its zone"),
        ("?at=2026-01-01T12:00:00Z&delay=1", "at", "after a delay or at a time, not both"),
        ("?tag=customer", "tag", "tag must be name:value, not 'customer'"),
        ("?tag=:x", "tag", "the name of a tag has 1 to 64"),
        ("?tag=a:1&tag=a:2", "tag", "tag 'a' was given two values"),
        ("?timeout=0", "timeout", "timeout must be greater than 0"),
        ("?retention=60", "retention", "retention must be greater than or equal to 3600"),
        ("?budget=0", "budget", "budget must be greater than 0"),
        ("?budget=much", "budget", "budget must be an amount of dollars, not 'much'"),
        ("?budget=1e9", "budget", "budget must be dollars above 0 and up to 1000000"),
        ("?reference_id=", "reference_id", "reference_id must have at least 1 character"),
        (
            "?on_conflict=maybe",
            "on_conflict",
            "on_conflict must be 'error' or 'existing'",
        ),
    ],
)
def test_an_option_that_makes_no_sense_is_named(
    world: World, query: str, parameter: str, said: str
) -> None:
    status, body = trigger(world, query)
    assert (status, body["type"]) == (422, "urn:everstep:problem:invalid-option")
    assert body["parameter"] == parameter
    assert said in str(body["detail"])
    assert world.get("/runs").body["runs"] == []


def test_only_tags_may_be_given_several_times(world: World) -> None:
    status, body = trigger(world, "?delay=1&delay=1")
    assert (status, body["detail"]) == (400, "query parameter delay was given 2 times")


def test_a_reference_id_that_a_run_has_is_a_conflict_that_names_the_run(world: World) -> None:
    _, first = trigger(world, "?reference_id=r")
    status, body = trigger(world, "?reference_id=r")
    assert (status, body["type"]) == (409, "urn:everstep:problem:reference-conflict")
    assert body["run_id"] == first["run_id"]


def test_the_run_that_has_the_reference_id_can_be_asked_for(world: World) -> None:
    _, first = trigger(world, "?reference_id=r")
    status, body = trigger(world, "?reference_id=r&on_conflict=existing")
    assert (status, body) == (200, {"run_id": first["run_id"], "status": "RUNNING"})


# --- Finding runs


def found(world: World, query: str) -> list[str]:
    return [each["run_id"] for each in world.get(f"/runs?{query}").body["runs"]]


def test_a_run_is_found_by_its_reference_id(world: World) -> None:
    _, first = trigger(world, "?reference_id=order/1&delay=60")
    trigger(world, "?reference_id=other")
    for query in ("", "&workflow=bare", "&status=PENDING"):
        assert found(world, f"reference_id=order/1{query}") == [first["run_id"]]
    for query in ("&workflow=shop", "&status=FAILED", "&tag=a:b"):
        assert found(world, f"reference_id=order/1{query}") == []
    assert found(world, "reference_id=nobody") == []


def test_the_run_that_had_a_reference_id_last_is_found_by_it(world: World) -> None:
    trigger(world, "?reference_id=r")
    world.work()
    _, second = trigger(world, "?reference_id=r")
    assert found(world, "reference_id=r") == [second["run_id"]]


def test_a_page_that_begins_after_the_run_of_a_reference_id_is_empty(world: World) -> None:
    trigger(world, "?reference_id=r")
    for _ in range(2):
        trigger(world)
    cursor = world.get("/runs?limit=1").body["cursor"]
    assert found(world, f"reference_id=r&cursor={cursor}") != []
    older = world.get(f"/runs?limit=1&cursor={cursor}").body["cursor"]
    assert found(world, f"reference_id=r&cursor={older}") != []


def test_runs_are_found_by_their_tags(world: World) -> None:
    _, red = trigger(world, "?tag=color:red&tag=size:l")
    _, also_red = trigger(world, "?tag=color:red")
    trigger(world, "?tag=color:blue")
    assert found(world, "tag=color:red") == [also_red["run_id"], red["run_id"]]
    assert found(world, "tag=color:red&tag=size:l") == [red["run_id"]]
    assert found(world, "tag=color:green") == []


def test_a_filter_that_is_no_tag_is_refused(world: World) -> None:
    assert world.get("/runs?tag=color").body["parameter"] == "tag"


def test_pages_of_tagged_runs_leave_none_out_and_show_none_twice(world: World) -> None:
    tagged = [str(trigger(world, "?tag=t:x")[1]["run_id"]) for _ in range(3)]
    for _ in range(110):
        trigger(world)
    tagged += [str(trigger(world, "?tag=t:x")[1]["run_id"]) for _ in range(3)]
    seen: list[str] = []
    cursor = ""
    sizes = []
    while cursor is not None:
        page = world.get(f"/runs?tag=t:x&limit=2{cursor and '&cursor=' + cursor}").body
        sizes.append(len(page["runs"]))
        seen += [each["run_id"] for each in page["runs"]]
        cursor = page["cursor"]
    assert seen == tagged[::-1]
    assert max(sizes) == 2


def test_a_run_that_is_to_begin_later_does_not_begin_before(world: World) -> None:
    trigger(world, "?delay=60")
    (run,) = world.get("/runs").body["runs"]
    assert (run["status"], run["starts_at"]) == ("PENDING", "2026-01-01T00:01:00.000Z")
    world.work()
    assert world.get("/runs").body["runs"][0]["status"] == "PENDING"
    world.advance(60)
    world.work()
    assert world.get("/runs").body["runs"][0]["status"] == "COMPLETED"
