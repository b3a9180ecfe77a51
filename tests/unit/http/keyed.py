"""A deployment in memory whose calls need keys, as the authorizer hands them on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from everstep.adapters.memory.api_keys import MemoryKeys
from everstep.adapters.memory.ids import SequenceIds
from everstep.app.keys import KeyRequest, Keys, create_key
from everstep.http.admission import BY_KEY, Gate, gate_of
from everstep.http.api import api_app
from everstep.http.authorizer import authorize
from everstep.http.trigger import trigger_app
from tests.unit.http.described import check
from tests.unit.http.world import Answer, World, event_of

ARN: Final = "arn:aws:execute-api:eu-central-1:123456789012:abcdefghij/v1"


@dataclass(slots=True)
class KeyedWorld(World):
    """As ``World``, with a key; ``key`` None calls as if no authorizer had been there."""

    key: str | None = None
    keys: Keys = field(init=False)

    def __post_init__(self) -> None:
        World.__post_init__(self)
        self.keys = Keys(store=MemoryKeys(), clock=self.clock, ids=SequenceIds(7))

    def use(self, *scopes: str, workflows: tuple[str, ...] = (), rate: int | None = None) -> str:
        """Go on with a new key; return its id."""
        request = KeyRequest(name="ci", scopes=scopes, workflows=workflows, rate=rate)
        issued = create_key(self.keys, request)
        self.key = issued.text
        return issued.key.key_id

    @property
    def gate(self) -> Gate:
        made = gate_of(self.engine, BY_KEY, lambda: self.keys)
        assert made is not None
        return made

    def call(
        self,
        method: str,
        target: str,
        body: str | bytes | None = None,
        headers: dict[str, str] | None = None,
        **changes: Any,  # noqa: ANN401 - of the event
    ) -> Answer:
        """Send a request to its function, with what the authorizer tells API Gateway."""
        event = event_of(method, target, body, headers) | changes
        if self.key is not None:
            asked = {
                **event,
                "headers": {"Authorization": f"Bearer {self.key}"},
                "methodArn": f"{ARN}/{method}{event['path']}",
            }
            told = authorize(self.keys, asked)
            context = {**told["context"], "principalId": told["principalId"]}
            event["requestContext"]["authorizer"] = context
        triggers = event["path"].startswith("/triggers")
        app = (
            trigger_app(self.engine, self.gate)
            if triggers
            else api_app(self.engine, self.sleep, self.gate, lambda: self.keys)
        )
        answer = app(event, self.context)
        sent = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        given = Answer(status=answer["statusCode"], headers=sent, text=answer["body"])
        check(method, event["path"], given.status, given.headers, given.text)
        return given

    def post(self, target: str, value: object = None) -> Answer:
        return self.call("POST", target, None if value is None else json.dumps(value))
