"""The table of calls as an OpenAPI 3.1 document, made from the models that are enforced."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import models_json_schema

from everstep.core.access import OPEN, needed
from everstep.core.denials import (
    MissingScopeError,
    NoKeyError,
    RateExceededError,
    WorkflowNotAllowedError,
)
from everstep.core.errors import (
    EverstepError,
    InvalidRequestError,
    PayloadTooLargeError,
    UnavailableError,
)
from everstep.http.contract import Payload, header_name
from everstep.http.faults import (
    AnswerTooLargeError,
    HeadersTooLargeError,
    MalformedBodyError,
    MethodNotAllowedError,
    NoSuchRouteError,
    UnsupportedMediaTypeError,
    UriTooLongError,
)
from everstep.http.problems import INTERNAL, MEDIA_TYPE, TYPE, kind_of_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydantic import BaseModel

    from everstep.http.contract import Asked
    from everstep.http.routes import Route

Json = dict[str, Any]

_ANSWERS: Final = "everstep.http.answers"
_PROBLEM: Final = "Problem"
_REF: Final = "#/components/schemas/{model}"
_VARIABLE: Final = re.compile(r"<(\w+)>")
_OF_ALL: Final[tuple[type[EverstepError], ...]] = (
    InvalidRequestError,
    NoSuchRouteError,
    MethodNotAllowedError,
    UriTooLongError,
    HeadersTooLargeError,
    UnavailableError,
)
_OF_BODIES: Final[tuple[type[EverstepError], ...]] = (
    MalformedBodyError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)
_OF_KEYS: Final[tuple[type[EverstepError], ...]] = (
    NoKeyError,
    MissingScopeError,
    WorkflowNotAllowedError,
    RateExceededError,
)
_OF_QUESTIONS: Final[tuple[type[EverstepError], ...]] = (AnswerTooLargeError,)
# What API Gateway itself answers, by status; the template writes these as problems, too.
GATEWAY: Final = {
    400: "bad-request",
    403: "forbidden",
    404: "not-found",
    413: "payload-too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
    500: "gateway",
    502: "gateway",
    504: "gateway-timeout",
}
"""The last words of their types."""
_PATHS: Final[Mapping[str, Json]] = {
    "run_id": {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,64}$"},
    "workflow": {"type": "string", "minLength": 1},
    "key_id": {"type": "string", "minLength": 1},
    "token": {"type": "string", "minLength": 1},
    "name": {"type": "string", "minLength": 1},
}
_SHOWN_HEADERS: Final = {
    "X-Request-Id": {
        "description": "Under which the function's log says more.",
        "schema": {"type": "string"},
        "required": True,
    }
}


def document(routes: Sequence[Route], version: str) -> Json:
    """Return the document.

    Args:
        routes: Every call, of whichever function.
        version: Of the API.
    """
    models = _Models(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        path = _VARIABLE.sub(r"{\1}", route.rule)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, models)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Everstep",
            "version": version,
            "summary": "Durable workflows on AWS serverless.",
        },
        # Relative to where this document is: stage and domain are not known here.
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "schemas": models.components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Models:
    """Every model that a route names, as JSON schemas that refer to one another."""

    def __init__(self, routes: Iterable[Route]) -> None:
        answers = import_module(_ANSWERS)
        self._asked: set[type[BaseModel]] = set()
        shown = {_PROBLEM}
        for route in routes:
            self._asked |= {route.query, route.headers} | ({route.body} if route.body else set())
            shown |= set(filter(None, route.answers.values()))
        wanted: list[Any] = [(each, "validation") for each in self._asked]
        wanted += [(getattr(answers, name), "serialization") for name in sorted(shown)]
        wanted.sort(key=lambda pair: pair[0].__name__)
        _, schema = models_json_schema(wanted, ref_template=_REF)
        self._all: dict[str, Json] = schema["$defs"]

    @property
    def components(self) -> Json:
        """Return the schemas that others refer to: parameters stand where they belong."""
        inline = {each.__name__ for each in self._asked if each is not Payload}
        bodies = {name for name in self._all if name.endswith("Body")}
        return {name: each for name, each in self._all.items() if name not in inline - bodies}

    def parameters(self, model: type[Asked], place: str) -> Iterator[Json]:
        """Yield what a model of a query or of headers takes, as parameters."""
        schema = self._all[model.__name__]
        for name, found in schema.get("properties", {}).items():
            shown = {key: value for key, value in _not_null(found).items() if key != "title"}
            description = found.get("description") or shown.get("description")
            yield {
                "name": header_name(name) if place == "header" else name,
                "in": place,
                "required": name in schema.get("required", ()),
                **({"description": description} if description else {}),
                **({"explode": name in model.repeatable} if shown.get("type") == "array" else {}),
                "schema": {key: each for key, each in shown.items() if key != "description"},
            }

    def body(self, model: type[BaseModel]) -> Json:
        """Return what a body may be; one that need not be there may be null as well."""
        reference = {"$ref": _REF.format(model=model.__name__)}
        if issubclass(model, Payload):
            return {"required": False, "content": {"application/json": {"schema": {}}}}
        required = bool(self._all[model.__name__].get("required"))
        schema = reference if required else {"anyOf": [reference, {"type": "null"}]}
        return {"required": required, "content": {"application/json": {"schema": schema}}}


def _not_null(schema: Json) -> Json:
    """Return the schema of a parameter: one that is not there is no null."""
    choices = schema.get("anyOf")
    if choices is None:
        return schema
    (found,) = [each for each in choices if each != {"type": "null"}]
    return dict(found)


def _operation(route: Route, models: _Models) -> Json:
    variables = [
        {"name": name, "in": "path", "required": True, "schema": _PATHS[name]}
        for name in _VARIABLE.findall(route.rule)
    ]
    shown: Json = {
        "operationId": _operation_id(route),
        # Or nothing, where the deployment asks for none.
        "security": [{"key": []}, {}] if _needs_key(route) else [],
        "summary": route.summary,
        "parameters": [
            *variables,
            *models.parameters(route.query, "query"),
            *models.parameters(route.headers, "header"),
        ],
        "responses": {
            **{str(status): _answer(route, status) for status in sorted(route.answers)},
            **_problems(route),
        },
    }
    return shown if route.body is None else shown | {"requestBody": models.body(route.body)}


def _needs_key(route: Route) -> bool:
    return needed(route.method, route.rule) is not OPEN


def _operation_id(route: Route) -> str:
    words = [word for word in re.split(r"[/.]", route.rule) if word and not word.startswith("<")]
    one = "_one" if route.rule.endswith(">") and route.method == "GET" else ""
    return "_".join([route.method.lower(), *words]) + one


def _answer(route: Route, status: int) -> Json:
    name = route.answers[status]
    shown: Json = {"description": _ANSWERED[status], "headers": _SHOWN_HEADERS}
    if not name:
        return shown
    schema = {"$ref": _REF.format(model=name)}
    return shown | {"content": {"application/json": {"schema": schema}}}


_ANSWERED: Final = {
    200: "What was asked for, or what there was already.",
    201: "Made.",
    202: "Accepted: it is recorded, and will not be lost.",
    204: "Done.",
    304: "What the caller has is still what there is.",
}


def _problems(route: Route) -> Json:
    """Return the answers to what can go wrong, by status; each names its kinds."""
    found = [*_OF_ALL, *route.problems]
    found += _OF_BODIES if route.body is not None else ()
    found += _OF_KEYS if _needs_key(route) else ()
    found += _OF_QUESTIONS if route.method == "GET" else ()
    kinds: dict[int, list[str]] = {INTERNAL.status: [INTERNAL.name]}
    for kind in map(kind_of_class, found):
        _add(kinds, kind.status, kind.name)
    for status, name in GATEWAY.items():
        _add(kinds, status, name)
    return {str(status): _problem(kinds[status]) for status in sorted(kinds)}


def _add(kinds: dict[int, list[str]], status: int, name: str) -> None:
    if name not in kinds.setdefault(status, []):
        kinds[status].append(name)


def _problem(names: Sequence[str]) -> Json:
    types = {"properties": {"type": {"enum": [TYPE + name for name in sorted(names)]}}}
    schema = {"allOf": [{"$ref": _REF.format(model=_PROBLEM)}, types]}
    return {
        "description": " or ".join(name.replace("-", " ") for name in sorted(names)).capitalize(),
        "headers": _SHOWN_HEADERS,
        "content": {MEDIA_TYPE: {"schema": schema}},
    }
