"""The same deployment behind every transport: the API over HTTP, and stores used directly."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import httpx
from pydantic import BaseModel
from typing_extensions import override

from everstep import Client, Context, workflow
from everstep.adapters.dynamodb.indexes import DynamoRunList, DynamoTimers
from everstep.adapters.dynamodb.store import DynamoRuns
from everstep.adapters.s3 import S3Blobs
from everstep.client.direct import DirectTransport
from everstep.client.over_http import HttpTransport
from everstep.client.waiting import Waiting
from tests.contract.backends import Clients, create_table
from tests.unit.http.world import WORKFLOWS, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.client.transport import Transport

URL: Final = "https://api.invalid/v1"
ACTOR: Final = "ada"
LEAST: Final = -2


class Accepted(BaseModel):
    minutes: int


@dataclass(frozen=True, kw_only=True)
class Everything:
    """Values that JSON cannot say, or says in several ways."""

    raw: bytes
    pair: tuple[int, float]
    unique: frozenset[str]
    by_number: dict[int, Any]


@workflow
async def awaiting(ctx: Context) -> Accepted:
    return await ctx.wait_for_event("accepted", Accepted)


@workflow
async def everything(_ctx: Context, size: int) -> Everything:
    return Everything(
        raw=bytes(range(size)),
        pair=(size, float("inf")),
        unique=frozenset({"a", "b"}),
        by_number={size: ("in", "any")},
    )


@workflow
async def counting(ctx: Context, left: int) -> Accepted:
    if left == LEAST:
        raise ValueError(left)
    if left:
        await ctx.sleep(60)
        await ctx.continue_as_new(left - 1)
    return Accepted(minutes=left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A client, and the world behind it."""

    client: Client
    world: World


class Gateway(httpx.BaseTransport):
    """Stand where API Gateway stands: an HTTP request becomes an event of a function."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.requests: list[httpx.Request] = []

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.raw_path.decode().partition("?")[0].removeprefix("/v1")
        query = parse_qs(request.url.query.decode(), keep_blank_values=True)
        answer = self._world.call(
            request.method,
            path,
            request.content.decode(),
            dict(request.headers),
            multiValueQueryStringParameters=query or None,
        )
        return httpx.Response(answer.status, headers=answer.headers, text=answer.text)


def world() -> World:
    return World(workflows=(*WORKFLOWS, awaiting, everything, counting))


def client_of(world: World, transport: Transport) -> Client:
    """Return a client that waits in the world's own time."""
    waiting = Waiting(now=lambda: world.clock.now() / 1000, sleep=world.sleep)
    return Client.over(transport, waiting=waiting)


def over_http(world: World) -> Client:
    headers = {"Everstep-Actor": ACTOR}
    network = Gateway(world)
    return client_of(
        world, HttpTransport(URL, headers, timeout=30, network=network, sleep=world.sleep)
    )


def directly(world: World) -> Client:
    headers = {"Everstep-Actor": ACTOR}
    return client_of(world, DirectTransport(lambda: world.engine, headers, world.sleep))


@contextmanager
def http() -> Iterator[Deployment]:
    here = world()
    yield Deployment(client=over_http(here), world=here)


@contextmanager
def memory() -> Iterator[Deployment]:
    here = world()
    yield Deployment(client=directly(here), world=here)


@contextmanager
def moto(clients: Clients) -> Iterator[Deployment]:
    """Give a table of its own; the bucket names what it holds by content, and is shared."""
    here = world()
    table = create_table(clients.dynamodb, f"everstep-{uuid.uuid4().hex}")
    here.engine = replace(
        here.engine,
        runs=DynamoRuns(clients.dynamodb, table),
        timers=DynamoTimers(clients.dynamodb, table),
        lists=DynamoRunList(clients.dynamodb, table),
        blobs=S3Blobs(clients.s3, clients.bucket),
    )
    yield Deployment(client=directly(here), world=here)


@contextmanager
def deployed(name: str, clients: Clients) -> Iterator[Deployment]:
    """Give a deployment by the name of how it is reached."""
    with moto(clients) if name == "moto" else {"http": http, "memory": memory}[name]() as made:
        yield made


DEPLOYMENTS: Final = ("http", "memory", "moto")
Ask = Callable[[Client], object]
