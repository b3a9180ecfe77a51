"""What is deployed, as JSON: workflows with their versions and the schemas of input and output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.errors import PydanticUserError

from everstep.core.errors import DefinitionError
from everstep.core.failures import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.authoring.registry import Registry
    from everstep.authoring.workflows import Workflow
    from everstep.core.shapes import Shape


def workflows(registry: Registry, shown: Callable[[str], bool]) -> dict[str, Any]:
    """Return workflows by name, their versions oldest first, and what failed to import.

    A type without a JSON schema, which a workflow may well use, is shown as null.

    Args:
        registry: What is deployed.
        shown: Says of a name whether the caller is to see it.
    """
    versions: dict[str, list[dict[str, Any]]] = {name: [] for name in registry.names if shown(name)}
    for item in registry:
        if item.name in versions:
            versions[item.name].append(_version(item))
    return {
        "workflows": [{"name": name, "versions": found} for name, found in versions.items()],
        "faults": [
            {"module": module, "type": fault.type, "message": fault.message}
            for module, fault in (
                (name, describe(error)) for name, error in registry.faults.items()
            )
        ],
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
