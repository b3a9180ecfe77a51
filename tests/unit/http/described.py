"""Whether an answer is one that ``/openapi.json`` describes; every answer in these tests is."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from jsonschema import Draft202012Validator

from everstep.app.engine import Limits
from everstep.http.api import VERSION, api_routes
from everstep.http.openapi import document
from everstep.http.trigger import trigger_routes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.app.engine import Engine
    from everstep.app.keys import Keys

UNROUTED: Final = frozenset({404, 405})


class _NoEngine:
    """Routes only ask for the limits when they are made."""

    limits = Limits()


@cache
def described() -> dict[str, Any]:
    """Return the document; it is the same whatever is deployed."""
    engine = cast("Engine", _NoEngine())
    api = api_routes(engine, lambda _: None, _no_keys)
    return document([*trigger_routes(engine), *api], VERSION)


def _no_keys() -> Keys:
    raise AssertionError("routes ask for no keys when they are made")


@cache
def _components() -> dict[str, Any]:
    """Return the schemas as they are meant here: nothing is answered that they do not name."""
    return {
        name: {"additionalProperties": False, **schema} if "properties" in schema else schema
        for name, schema in described()["components"]["schemas"].items()
    }


def check(method: str, path: str, status: int, headers: Mapping[str, str], text: str) -> None:
    """Fail for an answer with a status, a type or a body that is not described."""
    assert headers["X-Request-Id"]
    operation = _operation(method, path.rstrip("/"))
    if operation is None:
        assert status in UNROUTED or method in {"OPTIONS", "HEAD"}
        return
    answer = described()["paths"][operation[0]][operation[1]]["responses"].get(str(status))
    assert answer is not None, f"{status} of {method} {path} is not described"
    if "content" not in answer:
        assert text == ""
        return
    media = headers["Content-Type"]
    assert media in answer["content"], f"{media} of {method} {path} is not described"
    schema = {**answer["content"][media]["schema"], "components": {"schemas": _components()}}
    Draft202012Validator(schema).validate(json.loads(text))


def _operation(method: str, path: str) -> tuple[str, str] | None:
    for template, item in described()["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in item:
            return template, method.lower()
    return None
