"""What is deployed, as JSON: workflows with their versions and the schemas of input and output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.errors import PydanticUserError

from everstep.app.pages import page_of
from everstep.core.errors import DefinitionError
from everstep.core.failures import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.authoring.registry import Registry
    from everstep.authoring.workflows import Workflow
    from everstep.core.shapes import Shape


def workflows(
    registry: Registry, shown: Callable[[str], bool], limit: int, cursor: str | None
) -> dict[str, Any]:
    """Return workflows by name, their versions oldest first, and what failed to import.

    A type without a JSON schema, which a workflow may well use, is shown as null.

    Args:
        registry: What is deployed.
        shown: Says of a name whether the caller is to see it.
        limit: At most so many workflows.
        cursor: Where the page before ended.

    Raises:
        InvalidRequestError: A cursor that makes no sense.
    """
    found = page_of(
        [each for each in registry.names if shown(each)], str, limit=limit, cursor=cursor
    )
    versions: dict[str, list[dict[str, Any]]] = {name: [] for name in found.items}
    for item in registry:
        if item.name in versions:
            versions[item.name].append(_version(item))
    return {
        "workflows": [{"name": name, "versions": each} for name, each in versions.items()],
        "faults": [
            {"module": module, "type": fault.type, "message": fault.message}
            for module, fault in (
                (name, describe(error)) for name, error in registry.faults.items()
            )
        ],
        "cursor": found.cursor,
    }


def _version(item: Workflow[Any, Any]) -> dict[str, Any]:
    return {
        "version": item.version,
        "input_schema": _schema(lambda: item.input),
        "output_schema": _schema(lambda: item.output),
    }


def _schema(shape: Callable[[], Shape[Any]]) -> dict[str, Any] | None:
    try:
        return shape().schema()
    except (PydanticUserError, DefinitionError):
        return None
