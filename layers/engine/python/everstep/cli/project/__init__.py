"""A user's project: what `everstep init` writes, and where that comes from.

``files`` holds the files that are the user's: they have placeholders. The deployment itself (the
SAM template, the functions and how layers are built) is that of Everstep, copied as it is: there
is one template, and no second one to fall behind. A wheel has it in ``deployment``; in a checkout
it is where it always is.
"""

from __future__ import annotations

import keyword
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from everstep.core.errors import EverstepError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILES: Final = Path(__file__).parent / "files"
DEPLOYMENT: Final = (
    "template.yaml",
    "functions",
    "layers/artifact.mk",
    "layers/engine/requirements.txt",
    "layers/workflows/Makefile",
    "tools/find_python.sh",
)
"""What a project takes over from Everstep."""
_PACKED: Final = Path(__file__).parent / "deployment"
_CHECKOUT: Final = Path(__file__).parents[6]
_SUFFIX: Final = ".in"
"""Of files with placeholders, so that no tool takes them for what they are to become."""
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST: Final = 40
# Folders of the project, and what its code imports.
_TAKEN: Final = frozenset(
    {"boto3", "everstep", "functions", "layers", "pydantic", "tests", "tools"}
)


class ProjectError(EverstepError):
    """Say why no project can be made, and what would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project to be made.

    Attributes:
        name: Such as ``order-desk``; also the stack's name.
        everstep: What pip installs as Everstep: a requirement, or a wheel's absolute path.
        version: Of the everstep that makes the project.
    """

    name: str
    everstep: str
    version: str

    def __post_init__(self) -> None:
        """Refuse names that the stack or the package could not have.

        Raises:
            ProjectError: The name does not do.
        """
        if not _NAME.fullmatch(self.name) or len(self.name) > _LONGEST:
            raise ProjectError(
                f"{self.name!r} cannot be the name of a project: it takes small letters, digits "
                f"and single hyphens, begins with a letter, and has at most {_LONGEST} characters, "
                "as in order-desk"
            )
        if _is_taken(self.package):
            raise ProjectError(
                f"{self.name!r} cannot be the name of a project: Python already has a meaning for "
                f"{self.package}; {self.name}-flows would do"
            )

    @property
    def package(self) -> str:
        """Return the name of the Python package with the workflows."""
        return self.name.replace("-", "_")

    @property
    def requirement(self) -> str:
        """Return what the project's developers install, with what tests and command line need."""
        extras = "everstep[cli,client,testing]"
        if self.everstep.startswith("/"):
            return f"{extras} @ {Path(self.everstep).as_uri()}"
        return re.sub(r"^everstep(\[[^]]*\])?", extras, self.everstep)

    @property
    def placeholders(self) -> Mapping[str, str]:
        """Return what takes the place of what."""
        return {
            "@NAME@": self.name,
            "@PACKAGE@": self.package,
            "@EVERSTEP@": self.everstep,
            "@REQUIREMENT@": self.requirement,
            "@VERSION@": self.version,
        }


def lay(project: Project, folder: Path) -> list[Path]:
    """Write the project into a folder that does not exist, or is empty; return its files.

    Raises:
        ProjectError: The folder holds something, or this installation is not complete.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"{folder} exists and is not empty: nothing was written")
    source = _deployment()
    for name in DEPLOYMENT:
        _copy(source / name, folder / name)
    _name_package(folder / "template.yaml", project.package)
    for template in sorted(FILES.rglob(f"*{_SUFFIX}")):
        target = template.relative_to(FILES).as_posix().replace("PACKAGE", project.package)
        path = folder / target.removesuffix(_SUFFIX)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(template, project.placeholders), encoding="utf-8")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _is_taken(package: str) -> bool:
    known = package in sys.stdlib_module_names or package in _TAKEN
    return known or keyword.iskeyword(package)


def _deployment() -> Path:
    for folder in (_PACKED, _CHECKOUT):
        if all((folder / name).exists() for name in DEPLOYMENT):
            return folder
    raise ProjectError(f"this installation of everstep has no {_PACKED}: install its wheel")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _filled(template: Path, placeholders: Mapping[str, str]) -> str:
    text = template.read_text(encoding="utf-8")
    for placeholder, value in placeholders.items():
        text = text.replace(placeholder, value)
    return text


def _name_package(template: Path, package: str) -> None:
    """Make the project's package the default of the template's parameter ``Workflows``."""
    text = template.read_text(encoding="utf-8")
    named = re.sub(r"^(    Default: )workflows$", rf"\g<1>{package}", text, flags=re.MULTILINE)
    if named == text:
        raise ProjectError("the template has no parameter Workflows to name the package in")
    template.write_text(named, encoding="utf-8")
