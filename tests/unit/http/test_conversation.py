"""Entity tags, other origins, sizes and request ids: what every call has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from typing_extensions import override

from everstep.http.api import api_app
from everstep.http.contract import header_name
from everstep.http.cors import Cors
from everstep.http.options import StartHeaders
from everstep.http.requests import LARGEST_HEADERS, LONGEST_PATH, LONGEST_QUERY
from everstep.http.routes import SMALL_BODY
from everstep.http.trigger import trigger_app
from tests.unit.http.world import ORDER, REQUEST_ID, World

if TYPE_CHECKING:
    from everstep.http.application import Application

PAGE: Final = "https://app.example"
ASKED: Final = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}


@pytest.fixture
def world() -> World:
    return World()


@dataclass(slots=True)
class CorsWorld(World):
    """A deployment that pages of some origins may use."""

    origins: tuple[str, ...] = (PAGE, "https://other.example")

    @override
    def app(self, *, triggers: bool) -> Application:
        cors = Cors(self.origins)
        if triggers:
            return trigger_app(self.engine, cors=cors)
        return api_app(self.engine, self.sleep, keys=lambda: self.keys, cors=cors)


# --- Entity tags


def test_who_knows_a_run_as_it_is_is_told_so(world: World) -> None:
    run_id = world.started("shop", ORDER)
    shown = world.get(f"/runs/{run_id}")
    tag = shown.headers["ETag"]
    assert tag.startswith('"')
    assert shown.headers["Cache-Control"] == "private, no-cache"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = world.call("GET", f"/runs/{run_id}", headers={"If-None-Match": known})
        assert (again.status, again.text, again.headers["ETag"]) == (304, "", tag)
        assert "Content-Type" not in again.headers


def test_a_tag_changes_with_the_run_and_with_what_is_shown_of_it(world: World) -> None:
    run_id = world.started("shop", ORDER)
    first = world.get(f"/runs/{run_id}").headers["ETag"]
    assert world.get(f"/runs/{run_id}?include=").headers["ETag"] != first
    world.work()
    changed = world.call("GET", f"/runs/{run_id}", headers={"If-None-Match": first})
    assert changed.status == 200
    assert changed.headers["ETag"] != first


def test_problems_and_other_answers_have_no_tag(world: World) -> None:
    for target in ("/runs/nobody", "/runs", "/health"):
        answer = world.call("GET", target, headers={"If-None-Match": "*"})
        assert "ETag" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


# --- Other origins


def test_no_page_of_another_origin_reads_anything_by_default(world: World) -> None:
    for method in ("GET", "OPTIONS"):
        answer = world.call(method, "/runs", headers=ASKED)
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
        assert "Vary" not in answer.headers


def test_a_page_that_may_use_the_api_reads_answers_and_problems_alike() -> None:
    world = CorsWorld()
    for target in ("/runs", "/runs/nobody", "/nowhere"):
        answer = world.call("GET", target, headers={"origin": PAGE})
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Vary"] == "Origin"
        assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_other_pages_are_told_nothing_and_caches_keep_them_apart() -> None:
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        answer = CorsWorld().call("GET", "/runs", headers=headers)
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


def test_every_page_may_where_all_are_allowed() -> None:
    answer = CorsWorld(origins=("*",)).call("GET", "/runs", headers={"Origin": "https://any"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in answer.headers


@pytest.mark.parametrize("path", ["/triggers/shop", "/runs/x/pause", "/keys"])
def test_a_browser_is_told_what_it_may_send_where(path: str) -> None:
    answer = CorsWorld().call("OPTIONS", path, headers=ASKED)
    assert (answer.status, answer.text) == (204, "")
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Methods"] == answer.headers["Allow"]
    sent = answer.headers["Access-Control-Allow-Headers"]
    of_starts = set(map(header_name, StartHeaders.model_fields))
    assert {"Authorization", "If-None-Match", *of_starts} <= set(sent.split(", "))
    assert answer.headers["Access-Control-Max-Age"] == "600"


def test_whoever_merely_asks_for_the_methods_is_told_no_more() -> None:
    answer = CorsWorld().call("OPTIONS", "/runs", headers={"Origin": PAGE})
    assert "Access-Control-Allow-Methods" not in answer.headers


# --- Sizes


def test_paths_and_queries_that_mean_nothing_are_refused_unread(world: World) -> None:
    for target in (f"/runs/{'x' * LONGEST_PATH}", f"/runs?workflow={'x' * LONGEST_QUERY}"):
        answer = world.get(target)
        assert (answer.status, answer.body["type"]) == (414, "urn:everstep:problem:uri-too-long")
        assert "the limit is" in answer.body["detail"]


def test_headers_that_mean_nothing_are_refused_unread(world: World) -> None:
    answer = world.call("GET", "/runs", headers={"X-Large": "x" * LARGEST_HEADERS})
    assert (answer.status, answer.body["type"]) == (431, "urn:everstep:problem:headers-too-large")


def test_a_body_that_carries_no_payload_is_small(world: World) -> None:
    run_id = world.started("shop", ORDER)
    body = f'{{"reason": "{"x" * SMALL_BODY}"}}'
    answer = world.call("POST", f"/runs/{run_id}/pause", body)
    assert (answer.status, answer.body["limit"]) == (413, SMALL_BODY)


def test_the_longest_reason_fits_even_escaped(world: World) -> None:
    run_id = world.started("shop", ORDER)
    reason = "\\ud83d\\ude00" * 1000
    assert world.call("POST", f"/runs/{run_id}/pause", f'{{"reason": "{reason}"}}').status == 200


# --- Request ids


@pytest.mark.parametrize("target", ["/runs", "/runs/nobody", "/nowhere", "/runs?limit=0"])
def test_every_answer_names_the_request(world: World, target: str) -> None:
    answer = world.get(target)
    assert answer.headers["X-Request-Id"] == REQUEST_ID
    assert answer.status == 200 or answer.body["request_id"] == REQUEST_ID
