"""``everstep config``: what is set, by whom, and whether a file is right."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from everstep.cli import options
from everstep.cli.exits import ExitCode
from everstep.cli.printing import as_json, line, table
from everstep.configuration import (
    FILE,
    FILE_VARIABLE,
    PREFIX,
    Examined,
    Found,
    Setting,
    examine,
    find_file,
    read_file,
    similar,
)
from everstep.settings import SETTINGS

if TYPE_CHECKING:
    from everstep.cli.session import Session

_COLUMNS: Final = ("setting", "source", "place", "value")
_NOT_SET: Final = "(not set)"
_WRONG: Final = "(wrong)"
_NONE: Final = "(none)"
# Where the template takes workflows from, seen from the project's folder.
_LAYER: Final = Path("layers", "workflows", "python")

ToCheck = Annotated[str, typer.Argument(metavar="FILE", help=f"A file such as {FILE}.")]


def show(ctx: typer.Context, *, json: options.Json = False) -> int:
    """Print every setting with its value and where that comes from.

    From the environment, else from the file that EVERSTEP_CONFIG_FILE names or from everstep.toml
    in the current folder or in layers/workflows/python, else the default. Secrets are not shown.
    Ends with 2 if something is set wrongly.
    """
    if ctx.invoked_subcommand is not None:
        return ExitCode.DONE
    session: Session = ctx.obj
    file = find_file(session.environment, [Path(), _LAYER])
    examined = examine(SETTINGS, session.environment, file)
    wrong = _wrong(examined)
    if json:
        as_json(
            {
                "file": None if file is None else file.path,
                "settings": [_as_object(each, examined) for each in SETTINGS.values()],
                "problems": wrong,
            }
        )
    else:
        table(session.out, _COLUMNS, [_row(each, examined) for each in SETTINGS.values()])
    for problem in wrong:
        line(session.err, ("error: ", "bold red"), problem)
    for warning in _unknown(session.environment):
        line(session.err, ("warning: ", "yellow"), warning)
    return ExitCode.USAGE if wrong else ExitCode.DONE


def check(ctx: typer.Context, file: ToCheck, *, json: options.Json = False) -> int:
    """Check a file of settings, whatever the environment says; ends with 1 if it is not right."""
    session: Session = ctx.obj
    read = read_file(file)
    problems = _wrong(examine(SETTINGS, {}, read))
    if json:
        as_json({"file": file, "settings": len(read.data), "problems": problems})
    else:
        for problem in problems:
            line(session.out, problem)
        if not problems:
            line(session.out, (f"{file} is right: settings: {len(read.data)}", "green"))
    return ExitCode.FAILED if problems else ExitCode.DONE


def _wrong(examined: Examined) -> list[str]:
    """Return what is wrong but for what is not set: that is for functions."""
    missing = {SETTINGS[name].variable for name in examined.missing}
    return [each for each in examined.problems if each.split(" ", 1)[0] not in missing]


def _row(setting: Setting, examined: Examined) -> tuple[str, str, str, str]:
    found = examined.found.get(setting.name)
    if found is None:
        return setting.name, _NOT_SET if setting.name in examined.missing else _WRONG, "", ""
    return setting.name, found.source, found.place, found.shown or _NONE


def _as_object(setting: Setting, examined: Examined) -> Mapping[str, str | None]:
    found: Found | None = examined.found.get(setting.name)
    return {
        "name": setting.name,
        "variable": setting.variable,
        "value": None if found is None else found.shown,
        "source": None if found is None else found.source.value,
        "place": (found.place or None) if found is not None else None,
    }


def _unknown(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield variables that look like one of a setting, but are none."""
    known = {each.variable for each in SETTINGS.values()} | {FILE_VARIABLE}
    for name in sorted(environment.keys() - known):
        near = similar(name.removeprefix(PREFIX), SETTINGS, sure=True)
        if name.startswith(PREFIX) and near is not None:
            yield f"{name} is no setting: did you mean {SETTINGS[near].variable}?"
