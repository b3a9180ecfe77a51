"""Invoke built functions by `sam local invoke`, each in a container of its own."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from tools.sam.cli import SamError, quiet, run, sam
from tools.sam.image import base_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tools.sam.engine import Engine
    from tools.sam.runtime import Interpreter

_LOCAL_TEMPLATE: Final = "template.local.yaml"
# A function sees only variables that its template declares.
_ENDPOINT: Final = "AWS_ENDPOINT_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """Invokes built functions in containers.

    Attributes:
        engine: Runs the containers.
        template: The built template, with the variable that leads to LocalStack.
        image: What the containers are made from.
        variables: Environment of every function.
        work: For events, variables and SAM's layers.
        overrides: Parameters of the template.
    """

    engine: Engine
    template: Path
    image: str
    variables: Mapping[str, str]
    work: Path
    overrides: tuple[str, ...]

    name = "sam local invoke, in containers"

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Hand one event to a function in a new container, and return its answer.

        Raises:
            SamError: SAM failed, or printed no answer.
        """
        given = self.work / "event.json"
        given.write_text(json.dumps(event), encoding="utf-8")
        variables = self.work / "variables.json"
        variables.write_text(json.dumps({function: dict(self.variables)}), encoding="utf-8")
        printed = run(
            (
                *(sam(), "local", "invoke", function, "--template-file", self.template),
                *("--event", given, "--env-vars", variables),
                *("--invoke-image", self.image, "--skip-pull-image"),
                *("--layer-cache-basedir", self.work / "layers"),
                *("--parameter-overrides", *self.overrides),
            ),
            variables=quiet(self.engine.variables),
        )
        try:
            return json.loads(printed.strip().splitlines()[-1])
        except (ValueError, LookupError) as error:
            raise SamError(f"sam local invoke {function} printed no answer: {printed}") from error


@contextmanager
def containers(
    engine: Engine,
    template: Path,
    interpreter: Interpreter,
    variables: Mapping[str, str],
    work: Path,
) -> Iterator[Containers]:
    """Give what invokes the functions of a built template; its images are removed again.

    Raises:
        SamError: There is no image to run them in.
    """
    local = template.with_name(_LOCAL_TEMPLATE)
    local.write_text(with_variable(template.read_text(encoding="utf-8"), _ENDPOINT), "utf-8")
    (work / "layers").mkdir()
    with base_image(engine, interpreter, work) as image:
        try:
            yield Containers(
                engine=engine,
                template=local,
                image=image,
                variables=variables,
                work=work,
                overrides=(f"Runtime={interpreter.runtime}", f"Architecture={_machine(image)}"),
            )
        finally:
            _remove_built(engine)


def with_variable(template: str, name: str) -> str:
    """Return a template whose functions all have one more, empty, environment variable."""
    root = yaml.compose(template, Loader=yaml.SafeLoader)
    node: yaml.Node | None = root
    for key in ("Globals", "Function", "Environment", "Variables"):
        node = _member(node, key)
    if not isinstance(node, yaml.MappingNode):
        raise SamError("the template's functions have no variables")
    node.value.append((_scalar(name), _scalar("")))
    return yaml.serialize(root, width=1000)


def _member(node: yaml.Node | None, key: str) -> yaml.MappingNode:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key and isinstance(value, yaml.MappingNode):
                return value
    raise SamError(f"the template has no {key} where its functions' variables are")


def _scalar(text: str) -> yaml.ScalarNode:
    return yaml.ScalarNode(tag="tag:yaml.org,2002:str", value=text, style='"')


def _machine(image: str) -> str:
    return image.rpartition("-")[2]


def _remove_built(engine: Engine) -> None:
    """Remove the images that SAM made of the base image and the layers."""
    listed = engine.docker("image", "ls", "--quiet", "samcli/lambda-python")
    for image in sorted(set(listed.stdout.split())):
        engine.docker("image", "rm", "--force", image)
