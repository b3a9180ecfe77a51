"""Read template.yaml as it is written: no parameter filled in, nothing expanded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

Json = dict[str, Any]

ROOT: Final = Path(__file__).parents[1]
TEMPLATE: Final = ROOT / "template.yaml"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, each read as its long form."""


def _long_form(loader: _Loader, suffix: str, node: yaml.Node) -> Json:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    raise yaml.constructor.ConstructorError(
        None, None, "a short form of a mapping", node.start_mark
    )


_Loader.add_multi_constructor("!", _long_form)


def load() -> Json:
    """Read the template, short forms such as `!Ref` as their long form."""
    # A SafeLoader with one more constructor, which makes plain values only.
    template: Json = yaml.load(TEMPLATE.read_text(encoding="utf-8"), _Loader)  # noqa: S506
    return template


def of_type(template: Json, kind: str) -> dict[str, Json]:
    """Give the properties of all resources of one type, by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def text(value: object) -> str:
    """Show a reference as the words it was written in: `Table`, `Table.Arn`, `${Table.Arn}/x`."""
    if isinstance(value, dict):
        (inner,) = value.values()
        return str(inner)
    return str(value)
