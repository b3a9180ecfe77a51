"""Requests made up from the OpenAPI document, and what every answer to them must keep to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemathesis import Case
    from schemathesis.schemas import APIOperation

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
STRICT: Final = [*CHECKS, negative_data_rejection]
"""With a check that what the document forbids is refused."""


def operations(document: Mapping[str, Any]) -> dict[str, APIOperation[Any, Any, Any, Any]]:
    """Return every operation by its name, ``GET /runs`` for example."""
    schema = schemathesis.openapi.from_dict(dict(document))
    found: dict[str, APIOperation[Any, Any, Any, Any]] = {}
    for each in schema.get_all_operations():
        assert isinstance(each, Ok)
        operation = each.ok()
        found[operation.label] = operation
    return found


def cases(
    operation: APIOperation[Any, Any, Any, Any], known: Mapping[str, Sequence[str]]
) -> st.SearchStrategy[Case[Any]]:
    """Return requests of an operation, right ones and wrong ones.

    Args:
        operation: The operation.
        known: Values for variable parts of the path that lead somewhere; half of the requests
            have one of them.
    """
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    names = sorted(known)
    leading = st.fixed_dictionaries({name: st.sampled_from(known[name]) for name in names})
    return st.tuples(st.one_of(right, wrong), st.none() | leading).map(lambda drawn: _led(*drawn))


def _led(case: Case[Any], leading: Mapping[str, str] | None) -> Case[Any]:
    for name, value in (leading or {}).items():
        if name in case.path_parameters:
            case.path_parameters[name] = value
    return case
