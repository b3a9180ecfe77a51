"""``everstep init``: a project of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from everstep.cli.exits import usage
from everstep.cli.printing import line
from everstep.cli.session import Session

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the project and its stack.")]
Directory = Annotated[
    Path,
    typer.Option("--directory", metavar="DIR", help="Where to make the project's folder."),
]
Everstep = Annotated[
    str | None,
    typer.Option(
        "--everstep",
        metavar="PATH_OR_REQUIREMENT",
        help="What the project installs as Everstep: a wheel, or a requirement; else this version.",
    ),
]


def init(
    ctx: typer.Context, name: Name, *, directory: Directory = Path(), everstep: Everstep = None
) -> None:
    """Make a project: a workflow, its tests, and all that deploys it.

    Nothing that exists is overwritten.
    """
    from everstep.cli.project import Project, ProjectError, lay

    version = _version()
    try:
        project = Project(name=name, everstep=_source(everstep, version), version=version)
        lay(project, directory / name)
    except ProjectError as error:
        raise usage(str(error)) from error
    _say_what_next(ctx.obj, directory / name)


def _say_what_next(session: Session, folder: Path) -> None:
    line(session.out, f"{folder}: a workflow, its tests and a deployment; next:")
    line(session.out, f"  cd {folder} && make test")


def _source(given: str | None, version: str) -> str:
    """Return what pip is told to install."""
    if given is None:
        return f"everstep=={version}"
    path = Path(given)
    if path.is_dir():
        raise usage(f"{given} is a folder: make a wheel of it (uv build --wheel), and name that")
    if path.suffix == ".whl":
        if not path.is_file():
            raise usage(f"there is no wheel {given}")
        return str(path.resolve())
    if not given.startswith("everstep"):
        raise usage(f"{given} is neither a wheel nor a requirement such as everstep==1.2.3")
    return given


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("everstep")
    except PackageNotFoundError:
        raise usage(
            "everstep is not installed as a package, so it has no version to name: "
            "say what to install with --everstep"
        ) from None
