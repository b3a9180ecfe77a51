"""``everstep check``: workflow code that would not survive a replay."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from everstep.cli.exits import ExitCode, usage
from everstep.cli.options import Json
from everstep.cli.printing import as_json, line
from everstep.cli.session import Session

if TYPE_CHECKING:
    from everstep.check import Finding

Targets = Annotated[
    list[str],
    typer.Argument(metavar="TARGET...", help="Files, folders or modules (shop.flows)."),
]
Select = Annotated[
    list[str] | None,
    typer.Option(
        "--select",
        metavar="CODES",
        help="Only these rules: EVS101,EVS2 (codes, or how they begin).",
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option("--ignore", metavar="CODES", help="Not these rules: EVS101,EVS2."),
]


def check(
    ctx: typer.Context,
    targets: Targets,
    *,
    select: Select = None,
    ignore: Ignore = None,
    json: Json = False,
) -> int:
    """Find workflow code that would not survive a replay.

    Nothing is imported or run. Ends with 1 if there are findings. A line ends with
    "# noqa: EVS101" where you know better.
    """
    from everstep.check import check_paths

    session: Session = ctx.obj
    codes = _wanted(select, ignore)
    sources = _sources(targets)
    findings = [each for each in check_paths(sources) if each.code in codes]
    if json:
        as_json([_as_object(each) for each in findings])
    else:
        _print(session, findings, len(sources))
    return ExitCode.FAILED if findings else ExitCode.DONE


def _wanted(select: Iterable[str] | None, ignore: Iterable[str] | None) -> frozenset[str]:
    from everstep.check import RULES

    known = frozenset(rule.code for rule in RULES)
    chosen = _codes(select, known) if select else known
    return chosen - (_codes(ignore, known) if ignore else frozenset())


def _codes(given: Iterable[str], known: frozenset[str]) -> frozenset[str]:
    """Return the rules that are meant: by code, or by how their codes begin, as in EVS1."""
    prefixes = [prefix.strip().upper() for text in given for prefix in text.split(",")]
    meant = {prefix: {code for code in known if code.startswith(prefix)} for prefix in prefixes}
    unknown = [prefix for prefix, codes in meant.items() if not (prefix and codes)]
    if unknown:
        raise usage(f"there is no rule {unknown[0]!r}; there are {', '.join(sorted(known))}")
    return frozenset().union(*meant.values())


def _sources(targets: Iterable[str]) -> list[Path]:
    from everstep.check import CheckTargetError, find_sources

    try:
        # A file that is named twice is checked once.
        return list(dict.fromkeys(path for each in targets for path in find_sources(each)))
    except CheckTargetError as error:
        raise usage(str(error)) from error


def _print(session: Session, findings: list["Finding"], files: int) -> None:
    for each in findings:
        line(session.out, str(each))
    found = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"
    style = "red" if findings else "green"
    line(session.out, (f"{found} in {files} file{'' if files == 1 else 's'}", style))


def _as_object(finding: "Finding") -> dict[str, object]:
    return asdict(finding)
