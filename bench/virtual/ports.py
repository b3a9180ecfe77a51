"""The engine's ports in memory, where each request takes its time.

Which request a call makes is written down here, and a test compares it with what the adapter of
DynamoDB sends: change the protocol, and the path that the model prints changes with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.virtual.cloud import Cloud
    from everstep.core.model import Outgoing

QUERY: Final = "DynamoDB Query"
PUT: Final = "DynamoDB PutItem"
GET: Final = "DynamoDB GetItem"
UPDATE: Final = "DynamoDB UpdateItem"
BATCH_GET: Final = "DynamoDB BatchGetItem"
TRANSACT: Final = "DynamoDB TransactWriteItems"
SEND: Final = "SQS SendMessage"
SEND_BATCH: Final = "SQS SendMessageBatch"
ENGINE: Final = "own work of the engine"
_REQUESTS: Final[Mapping[str, str]] = {
    "load": QUERY,
    "head": GET,
    "record": GET,
    "peek": BATCH_GET,
    "between": QUERY,
    "put": PUT,
    "move": UPDATE,
    "put_event": PUT,
    "replace_event": PUT,
    "claim_event": UPDATE,
    "hand_over": TRANSACT,
    "audit": QUERY,
    "claim": GET,
    "reference": GET,
}
_PER_BATCH: Final = 10
# Where the audit entry stands among the arguments of a change.
_NOTED: Final = 3
_MILLIS: Final = 1_000


class TimedRuns:
    """The store; each call takes the time of its request, and happens at the end of it."""

    def __init__(self, store: Any, take: Callable[[str], None], own: Callable[[], None]) -> None:  # noqa: ANN401
        """Use a store.

        Args:
            store: The store in memory.
            take: Takes the time of a request.
            own: Takes the time of the engine's own work, once per record and end.
        """
        self._store = store
        self._take = take
        self._own = own

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a call of the store, with its time."""
        call = getattr(self._store, name)

        def timed(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the store has it
            if name in {"put", "change", "hand_over"}:
                self._own()
            self._take(request_of(name, args, kwargs))
            return call(*args, **kwargs)

        return timed


def request_of(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Return which request a call of the store makes.

    Raises:
        KeyError: The model knows nothing of this call.
    """
    if name == "create":
        together = [*args[1:], *kwargs.values()]
        return TRANSACT if any(each is not None for each in together) else PUT
    if name == "change":
        noted = kwargs.get("audit", *args[3:]) if len(args) > _NOTED else kwargs.get("audit")
        return TRANSACT if noted is not None else UPDATE
    return _REQUESTS[name]


@dataclass(frozen=True, slots=True)
class TimedQueue:
    """The queue: it gets the messages of a request when the request begins."""

    request: Callable[[str, Sequence[Outgoing]], None]

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send every message, ten by ten."""
        what = SEND if len(outgoing) == 1 else SEND_BATCH
        for start in range(0, len(outgoing), _PER_BATCH):
            self.request(what, outgoing[start : start + _PER_BATCH])


@dataclass(frozen=True, slots=True)
class CloudClock:
    """The engine's clock, in virtual time."""

    cloud: Cloud
    start: int

    def now(self) -> int:
        """Return milliseconds since 1970 in UTC."""
        return self.start + self.cloud.now // _MILLIS

    def ticks(self) -> int:
        """Return the time in microseconds."""
        return self.cloud.now
