"""Find the local folders in a SAM template, and replace them by uploaded archives.

The template is handled as YAML nodes, not as Python values: `!Sub`, `!GetAtt` and whatever else
CloudFormation adds keep their tags, because nobody interprets them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import yaml

from everstep_localstack.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

# Where each type of resource names its code.
CODE_PROPERTIES: Final = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}
LAYER: Final = "AWS::Serverless::LayerVersion"
FUNCTION: Final = "AWS::Serverless::Function"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCode:
    """The folder of one function or layer; `prefix` is where its files go inside the archive."""

    logical_id: str
    folder: Path
    prefix: str


def rewrite(
    text: str,
    base: Path,
    artifacts: Mapping[str, Path],
    upload: Callable[[LocalCode], str],
) -> str:
    """Return the template with each local folder replaced by the address `upload` returns.

    Args:
        text: The template.
        base: Folder to which its paths are relative.
        artifacts: Folders that replace those of the template, by logical id.
        upload: Packs and stores the code, and returns its s3:// address.

    Raises:
        TemplateError: It is no template, a folder does not exist, or an artifact's logical id does.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise TemplateError("the template is not a YAML mapping")
    default = _globals_code(root)
    unused = set(artifacts)
    for logical_id, resource in _resources(root):
        kind = _scalar(resource, "Type")
        if kind not in CODE_PROPERTIES:
            continue
        unused.discard(logical_id)
        code = _local_code(logical_id, kind, resource, base, artifacts, default)
        if code is not None:
            _set(_properties(resource), CODE_PROPERTIES[kind], upload(code))
    if unused:
        raise TemplateError(f"no function or layer is named {', '.join(sorted(unused))}")
    return yaml.serialize(root, width=1000)


def _local_code(
    logical_id: str,
    kind: str,
    resource: yaml.MappingNode,
    base: Path,
    artifacts: Mapping[str, Path],
    default: str | None,
) -> LocalCode | None:
    if logical_id in artifacts:
        return _existing(LocalCode(logical_id=logical_id, folder=artifacts[logical_id], prefix=""))
    named = _get(_properties(resource), CODE_PROPERTIES[kind])
    if named is None and kind == FUNCTION and default is not None:
        named_path = default
    elif isinstance(named, yaml.ScalarNode) and named.tag == "tag:yaml.org,2002:str":
        named_path = named.value
    else:
        return None
    if named_path.startswith("s3://"):
        return None
    folder = base / named_path
    return _existing(
        LocalCode(logical_id=logical_id, folder=folder, prefix=_prefix(kind, resource, folder))
    )


def _prefix(kind: str, resource: yaml.MappingNode, folder: Path) -> str:
    # `sam build` puts what it builds for a Python layer below `python`; unbuilt layers bring it.
    metadata = _get(resource, "Metadata")
    built = isinstance(metadata, yaml.MappingNode) and _scalar(metadata, "BuildMethod") is not None
    return "python" if kind == LAYER and built and not (folder / "python").is_dir() else ""


def _existing(code: LocalCode) -> LocalCode:
    if not code.folder.is_dir():
        raise TemplateError(f"{code.logical_id}: there is no folder {code.folder}")
    return code


def _globals_code(root: yaml.MappingNode) -> str | None:
    section = _get(root, "Globals")
    function = _get(section, "Function") if isinstance(section, yaml.MappingNode) else None
    return _scalar(function, "CodeUri") if isinstance(function, yaml.MappingNode) else None


def _resources(root: yaml.MappingNode) -> Iterator[tuple[str, yaml.MappingNode]]:
    resources = _get(root, "Resources")
    if not isinstance(resources, yaml.MappingNode):
        raise TemplateError("the template has no Resources")
    for key, value in resources.value:
        if isinstance(value, yaml.MappingNode):
            yield key.value, value


def _properties(resource: yaml.MappingNode) -> yaml.MappingNode:
    properties = _get(resource, "Properties")
    if not isinstance(properties, yaml.MappingNode):
        raise TemplateError("a function or layer has no Properties")
    return properties


def _get(mapping: yaml.MappingNode, name: str) -> yaml.Node | None:
    return next((value for key, value in mapping.value if key.value == name), None)


def _scalar(mapping: yaml.MappingNode, name: str) -> str | None:
    node = _get(mapping, name)
    return node.value if isinstance(node, yaml.ScalarNode) else None


def _set(mapping: yaml.MappingNode, name: str, value: str) -> None:
    kept = [(key, node) for key, node in mapping.value if key.value != name]
    tag = "tag:yaml.org,2002:str"
    pair = (yaml.ScalarNode(tag, name), yaml.ScalarNode(tag, value))
    mapping.value = [*kept, pair]
