"""A deployment in memory whose calls need keys, as the authorizer hands them on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from everstep.app.keys import KeyRequest, create_key
from everstep.http.admission import BY_KEY, Gate, gate_of
from everstep.http.api import api_app
from everstep.http.authorizer import authorize
from everstep.http.trigger import trigger_app
from tests.unit.http.world import Answer, World, event_of

if TYPE_CHECKING:
    from everstep.http.application import Application

ARN: Final = "arn:aws:execute-api:eu-central-1:123456789012:abcdefghij/v1"


@dataclass(slots=True)
class KeyedWorld(World):
    """As ``World``, with a key; ``key`` None calls as if no authorizer had been there."""

    key: str | None = None

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
        if self.key is not None:
            path = target.partition("?")[0]
            asked = event_of(method, target, body, {"Authorization": f"Bearer {self.key}"})
            told = authorize(self.keys, {**asked, "methodArn": f"{ARN}/{method}{path}"})
            context = {**told["context"], "principalId": told["principalId"]}
            changes = {"requestContext": {"authorizer": context}, **changes}
        return World.call(self, method, target, body, headers, **changes)

    def app(self, *, triggers: bool) -> Application:
        if triggers:
            return trigger_app(self.engine, self.gate)
        return api_app(self.engine, self.sleep, self.gate, lambda: self.keys)

    def post(self, target: str, value: object = None) -> Answer:
        return self.call("POST", target, None if value is None else json.dumps(value))
