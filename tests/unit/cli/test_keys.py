"""Keys are made, listed, rotated and revoked by command, at the table and over HTTP."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto import mock_aws

from everstep.adapters.dynamodb.api_keys import DynamoKeys
from everstep.app.keys import KeyRequest, Keys, create_key, verify
from everstep.core.api_keys import ApiKey
from everstep.core.durations import DAY
from tests.contract.backends import create_table
from tests.unit.cli.stacks import OUTPUTS, Stacks
from tests.unit.cli.typed import Seen, session, typed
from tests.unit.client.deployments import over_http
from tests.unit.http.keyed import KeyedWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep import Client
    from everstep.cli.options import Target
    from everstep.cli.session import Session

KEY: Final = re.compile(r"evs_([0-9a-f]{12})_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """A deployment whose keys are managed, and somebody who types."""

    keys: Keys
    session: Session
    place: tuple[str, ...]

    def typed(self, *arguments: str) -> Seen:
        return typed("keys", *arguments, *self.place, by=self.session)

    def data(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        seen = self.typed(*arguments, "--json")
        assert (seen.code, seen.err) == (0, ""), seen
        return json.loads(seen.out)

    def good(self, *texts: str) -> list[bool]:
        return [isinstance(verify(self.keys, each), ApiKey) for each in texts]


def at_the_table() -> Managed:
    made = session(environment={})
    client = boto3.client("dynamodb")
    table = create_table(client, f"everstep-{uuid.uuid4().hex}")
    keys = KeyedWorld().keys
    at_table = Keys(store=DynamoKeys(client, table), clock=keys.clock, ids=keys.ids)
    return Managed(keys=at_table, session=made, place=("--table", table))


def through_the_api() -> Managed:
    world = KeyedWorld()
    world.use("admin")
    made = session(environment={})

    def connected(session: Session, target: Target, *, hasty: bool = False) -> Client:
        assert (session.place, target.url, hasty) == ("", "https://api.invalid/v1", False)
        return over_http(world)

    made.connect = connected
    return Managed(keys=world.keys, session=made, place=("--url", "https://api.invalid/v1"))


@pytest.fixture(params=[at_the_table, through_the_api], ids=["table", "http"])
def managed(request: pytest.FixtureRequest) -> Iterator[Managed]:
    with mock_aws():
        yield request.param()


def test_a_key_alone_is_the_answer(managed: Managed) -> None:
    seen = managed.typed("create", "--scope", "read,trigger", "--name", "ci")
    found = KEY.fullmatch(seen.out.strip())
    assert (seen.code, found is not None) == (0, True)
    assert found is not None
    assert seen.err == f"key {found[1]} (ci) is shown this once; it is good for read, trigger\n"
    assert managed.good(seen.out.strip()) == [True]


def test_a_key_has_the_limits_that_were_typed(managed: Managed) -> None:
    limits = (
        "--workflow",
        "order",
        "--workflow",
        "refund",
        "--expires",
        "90d",
        "--rate",
        "100/min",
    )
    made = managed.data("create", "--scope", "read", "--scope", "trigger", *limits)
    key = managed.keys.store.get(made["key_id"])
    assert key is not None
    assert (key.name, sorted(key.workflows), key.rate) == ("key", ["order", "refund"], 100)
    assert key.expires_at == key.created_at + 90 * DAY
    assert (made["workflows"], made["rate"], made["status"]) == (
        ["order", "refund"],
        100,
        "ACTIVE",
    )


def test_keys_are_listed_without_their_secrets(managed: Managed) -> None:
    made = managed.data("create", "--scope", "read", "--name", "dashboard", "--rate", "5/min")
    shown = managed.typed("list")
    (row,) = [each.split() for each in shown.out.splitlines() if made["key_id"] in each]
    assert row[:6] == [made["key_id"], "dashboard", "ACTIVE", "read", "all", "5/min"]
    assert made["key"].rpartition("_")[2] not in shown.out
    listed = {each["key_id"]: each for each in managed.data("list")}
    assert "key" not in listed[made["key_id"]]
    lines = managed.typed("list", "--json-lines").out.splitlines()
    assert {json.loads(each)["key_id"] for each in lines} == set(listed)


def test_every_key_is_listed_however_many_there_are(managed: Managed) -> None:
    before = len(managed.data("list"))
    for _ in range(101):
        create_key(managed.keys, KeyRequest(name="one of many", scopes=["read"]))
    assert len(managed.data("list")) == before + 101


def test_a_key_is_revoked(managed: Managed) -> None:
    made = managed.data("create", "--scope", "read", "--name", "ci")
    seen = managed.typed("revoke", made["key_id"])
    assert (seen.code, seen.out) == (0, f"key {made['key_id']} (ci) is REVOKED\n")
    assert managed.good(made["key"]) == [False]
    assert managed.data("revoke", made["key_id"])["status"] == "REVOKED"


def test_a_key_is_rotated_and_its_former_secret_is_good_for_a_day(managed: Managed) -> None:
    made = managed.data("create", "--scope", "read")
    rotated = managed.typed("rotate", made["key_id"])
    assert rotated.code == 0
    assert "the secret before is good until" in rotated.err
    assert managed.good(made["key"], rotated.out.strip()) == [True, True]
    last = managed.data("rotate", made["key_id"], "--overlap", "0", "--expires", "12h")
    assert last["former_secret_until"] is None
    assert managed.good(made["key"], rotated.out.strip(), last["key"]) == [False, False, True]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("create",), 2, "missing option '--scope'"),
        (("create", "--scope", "write"), 2, "scopes must be some of"),
        (("create", "--scope", "read", "--rate", "100"), 2, "--rate must be calls a minute"),
        (("create", "--scope", "read", "--expires", "soon"), 2, "--expires must be seconds"),
        (("revoke", "0" * 12), 3, "there is no key 000000000000"),
        (("rotate", "nonsense"), 3, "there is no key nonsense"),
    ],
)
def test_what_cannot_be_done_is_said(
    managed: Managed, arguments: tuple[str, ...], code: int, said: str
) -> None:
    seen = managed.typed(*arguments)
    assert (seen.code, seen.out) == (code, "")
    assert said in seen.err


def test_a_stack_says_where_its_table_is() -> None:
    with mock_aws():
        create_table(boto3.client("dynamodb"), OUTPUTS["TableName"])
        made = session(environment={})
        made.clients = Stacks
        seen = typed("keys", "list", "--stack", "shop", "--json", by=made)
        assert (seen.code, seen.out) == (0, "[]\n")


def test_some_deployment_must_be_named() -> None:
    seen = typed("keys", "list", by=session(environment={}))
    assert (seen.code, seen.out) == (2, "")
    assert "no deployment is chosen" in seen.err


@pytest.mark.parametrize(
    ("scopes", "said"), [(("read",), "needs the scope admin"), ((), "who asks")]
)
def test_over_http_a_key_must_be_an_admins(scopes: tuple[str, ...], said: str) -> None:
    managed = through_the_api()
    world = KeyedWorld()
    if scopes:
        world.use(*scopes)
    managed.session.connect = lambda *_, **__: over_http(world)
    seen = managed.typed("list")
    assert seen.code == 1
    assert said in seen.err
