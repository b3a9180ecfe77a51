"""A deployment in memory behind the two HTTP applications, for tests of the API."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, SecretStr

from everstep import Context, Retry, Workflow, step, workflow
from everstep.adapters.memory.api_keys import MemoryKeys
from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.queue import MemoryQueue
from everstep.adapters.memory.store import MemoryStore
from everstep.app.engine import Engine, Limits
from everstep.app.keys import Keys
from everstep.app.receive import receive
from everstep.app.stall import stall
from everstep.authoring.registry import Registry
from everstep.core.errors import UnavailableError
from everstep.core.model import ErrorInfo
from everstep.http.api import api_app
from everstep.http.trigger import trigger_app
from tests.unit.http.described import check

if TYPE_CHECKING:
    from everstep.http.application import Application

ORDER: Final = {"id": "A-1", "total": 20}
REASON: Final = ErrorInfo(type="DeadLetter", message="never finished", operation="charge#1")
START: Final = 1_767_225_600_000  # 1 January 2026
REQUEST_ID: Final = "5f3c9a52-0d5e-4b1c-9d5b-0e1f2a3b4c5d"


class Order(BaseModel):
    id: str
    total: int


class Login(BaseModel):
    user: str
    password: SecretStr


@step(retry=Retry(max_attempts=2, initial_delay=1, jitter=False))
def charge(order: Order) -> str:
    if order.total < 0:
        raise ValueError(f"cannot charge {order.total}")
    return f"charged {order.total}"


@workflow(name="shop", version="1.0.0")
async def shop_before(_ctx: Context, order: Order) -> str:
    return order.id


@workflow(name="shop", version="1.1.0")
async def shop(ctx: Context, order: Order) -> dict[str, Any]:
    receipt = await ctx.step(charge, order)
    await ctx.sleep(60)
    return {"receipt": receipt}


@workflow
async def login(_ctx: Context, who: Login) -> Login:
    return who


@workflow
async def anything(_ctx: Context, value: Any) -> Any:  # noqa: ANN401 - anything
    return value


@workflow
async def bare(_ctx: Context) -> None:
    return None


WORKFLOWS: Final[tuple[Workflow[Any, Any], ...]] = (shop_before, shop, login, anything, bare)


@dataclass(slots=True, kw_only=True)
class FakeContext:
    """Lambda's context; ``left`` is how many milliseconds remain."""

    aws_request_id: str = REQUEST_ID
    left: int = 29_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.text)


class Broken:
    """A store that answers every call with one error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever is called
        def fail(*_: object, **__: object) -> None:
            raise self._error

        return fail


@dataclass(slots=True)
class World:
    workflows: tuple[Workflow[Any, Any], ...] = WORKFLOWS
    limits: Limits = field(default_factory=lambda: Limits(inline=64, payload=2048))
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START))
    store: MemoryStore = field(default_factory=MemoryStore)
    context: FakeContext = field(default_factory=FakeContext)
    pauses: list[float] = field(default_factory=list)
    engine: Engine = field(init=False)
    queue: MemoryQueue = field(init=False)
    keys: Keys = field(init=False)

    def __post_init__(self) -> None:
        self.queue = MemoryQueue(self.clock)
        self.keys = Keys(store=MemoryKeys(), clock=self.clock, ids=SequenceIds(7))
        self.engine = Engine(
            runs=self.store,
            timers=self.store,
            lists=self.store,
            dead_letters=self.store,
            queue=self.queue,
            blobs=MemoryBlobs(),
            clock=self.clock,
            ids=SequenceIds(),
            registry=Registry(self.workflows),
            limits=self.limits,
        )

    def breaks(self, error: Exception) -> None:
        """Let every read and write of runs fail."""
        broken: Any = Broken(error)
        self.engine = replace(self.engine, runs=broken)

    def is_throttled(self) -> None:
        self.breaks(UnavailableError("DynamoDB GetItem: ThrottlingException: slow down"))

    def sleep(self, seconds: float) -> None:
        """Stand in for time.sleep: other functions go on meanwhile."""
        self.pauses.append(seconds)
        self.clock.advance(round(seconds * 1000))
        self.work()

    def work(self, messages: int = 1000) -> None:
        """Let the executor process what is visible now."""
        for _ in range(messages):
            delivery = self.queue.receive(360)
            if delivery is None:
                return
            receive(self.engine, delivery.message_id, delivery.body)
            self.queue.delete(delivery)

    def advance(self, seconds: int) -> None:
        self.clock.advance(seconds * 1000)
        self.work()

    def call(
        self,
        method: str,
        target: str,
        body: str | bytes | None = None,
        headers: dict[str, str] | None = None,
        **changes: Any,  # noqa: ANN401 - of the event
    ) -> Answer:
        """Send a request to the function that API Gateway would send it to."""
        event = event_of(method, target, body, headers) | changes
        triggers = event["path"].startswith("/triggers")
        app = self.app(triggers=triggers)
        answer = app(event, self.context)
        sent = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        given = Answer(status=answer["statusCode"], headers=sent, text=answer["body"])
        check(method, event["path"], given.status, given.headers, given.text)
        return given

    def app(self, *, triggers: bool) -> Application:
        """Return the function behind a path."""
        if triggers:
            return trigger_app(self.engine)
        return api_app(self.engine, self.sleep, keys=lambda: self.keys)

    def get(self, target: str) -> Answer:
        return self.call("GET", target)

    def stalled(self, message: str | None = None) -> str:
        """Return a run that stands still."""
        run_id = self.started("shop", ORDER)
        assert stall(self.engine, run_id, REASON, by="token", message=message)
        return run_id

    def start(self, name: str, value: object = None, key: str | None = None) -> Answer:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.call("POST", f"/triggers/{name}", json.dumps(value), headers)

    def started(self, name: str, value: object = None) -> str:
        return str(self.start(name, value).body["run_id"])


def event_of(
    method: str, target: str, body: str | bytes | None, headers: dict[str, str] | None
) -> dict[str, Any]:
    """Return what API Gateway makes of a request."""
    path, _, query = target.partition("?")
    several: dict[str, list[str]] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        several.setdefault(name, []).append(value)
    binary = isinstance(body, bytes)
    return {
        "httpMethod": method,
        "path": path,
        "headers": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in several.items()} or None,
        "multiValueQueryStringParameters": several or None,
        "requestContext": {"path": f"/v1{path}", "stage": "v1"},
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": binary,
    }
