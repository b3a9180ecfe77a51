"""Answer API Gateway's question who calls, and what he may call.

Four things decide whether such an authorizer is safe, and each is easily got wrong:

* Its answer is kept, and used for other calls with the same key. So it names every call that the
  key allows, and nothing of the one at hand.
* Answers are kept by the ``Authorization`` header where they are kept. Whoever sends that header is
  judged by it alone: were another one read instead, its answer would be kept for what stands in
  this one, and hold for whoever sends the same nonsense.
* Whoever has no good key is told "Unauthorized" and no more. API Gateway takes that as a 401, and
  does not keep it.
* A variable part of a path is a ``*`` in the policy, which reaches across slashes. So the function
  that is called decides once more, on the call itself; see ``admission``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from everstep.app.keys import verify
from everstep.core.access import allowed, needed_at, suffices
from everstep.core.api_keys import ApiKey, Refusal, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.app.keys import Keys

_BEARER: Final = "bearer "
_HEADERS: Final = ("authorization", "x-api-key")
_LOG: Final = logging.getLogger("everstep.authorizer")


class Unauthorized(Exception):  # noqa: N818 - API Gateway knows it by its text
    """Tell API Gateway to answer 401."""

    def __init__(self) -> None:
        """Say the one word that API Gateway understands."""
        super().__init__("Unauthorized")


def authorize(keys: Keys, event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the key of a request allows, as API Gateway wants it.

    Args:
        keys: The ports.
        event: Of an authorizer of type REQUEST.

    Raises:
        Unauthorized: There is no key, or none that is good.
        UnavailableError: Nothing is known; API Gateway answers 500.
    """
    text = _presented(event)
    found = Refusal.MALFORMED if text is None else verify(keys, text)
    if not isinstance(found, ApiKey):
        claimed = None if text is None else parse(text)
        key_id = None if claimed is None else claimed.key_id
        _LOG.warning("refused", extra={"reason": found, "key": key_id})
        raise Unauthorized
    return {
        "principalId": found.key_id,
        "policyDocument": _policy(found, event["methodArn"]),
        "context": _context(found, event),
    }


def _presented(event: Mapping[str, Any]) -> str | None:
    for header in _HEADERS:
        values = _values(event, header)
        if values:
            return _key_in(header, values[0]) if len(values) == 1 else None
    return None


def _values(event: Mapping[str, Any], header: str) -> list[str]:
    several: Mapping[str, list[str]] = event.get("multiValueHeaders") or {
        name: [value] for name, value in (event.get("headers") or {}).items()
    }
    return [value for name, values in several.items() if name.lower() == header for value in values]


def _key_in(header: str, value: str) -> str | None:
    if header != _HEADERS[0]:
        return value
    return value[len(_BEARER) :].strip() if value.lower().startswith(_BEARER) else None


def _policy(key: ApiKey, method_arn: str) -> dict[str, Any]:
    api, stage, _ = method_arn.split("/", 2)
    calls = allowed(key.scopes, key.workflows)
    statement = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": [f"{api}/{stage}/{each}" for each in calls],
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _context(key: ApiKey, event: Mapping[str, Any]) -> dict[str, str]:
    """Return what functions are told of the caller, and what he is told if he is refused.

    The latter is of the route at hand, by which answers are kept, too.
    """
    context = {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": ",".join(sorted(key.scopes)),
        "workflows": ",".join(sorted(key.workflows)),
        "rate": "" if key.rate is None else str(key.rate),
    }
    needs = needed_at(event["httpMethod"], event["path"])
    if needs is None or suffices(key.scopes, needs):
        return context | {"needs": "", "denied": "the key is limited to other workflows"}
    has = ", ".join(sorted(key.scopes))
    denied = f"this call needs the scope {needs}; the key has: {has}"
    return context | {"needs": needs, "denied": denied}
