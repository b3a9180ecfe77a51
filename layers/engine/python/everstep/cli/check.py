"""``everstep check``: workflow code that would not survive a replay."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from everstep.cli.exits import ExitCode, usage
from everstep.cli.options import Json
from everstep.cli.printing import as_json, line
from everstep.cli.session import Session

if TYPE_CHECKING:
    from everstep.check import Checked, Finding

_NO_WORKFLOW: Final = (
    "no workflow was found here: looked for functions with everstep's @workflow, or with a "
    "parameter annotated Context, imported from everstep itself"
)
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
    from everstep.check import check_file

    session: Session = ctx.obj
    codes = _wanted(select, ignore)
    checked = [check_file(each) for each in _sources(targets)]
    findings = [found for each in checked for found in each.findings if found.code in codes]
    if json:
        as_json([asdict(each) for each in findings])
    else:
        _print(session, findings, checked)
    return ExitCode.FAILED if findings else ExitCode.DONE


def _wanted(select: Iterable[str] | None, ignore: Iterable[str] | None) -> frozenset[str]:
    from everstep.check import RULES, UNREADABLE

    known = frozenset(rule.code for rule in RULES)
    # What could not be read was not checked: no choice of rules may make that look right.
    chosen = _codes(select, known) | {UNREADABLE} if select else known
    return chosen - (_codes(ignore, known) if ignore else frozenset())


def _codes(given: Iterable[str], known: frozenset[str]) -> frozenset[str]:
    """Return the rules that are meant: by code, or by how their codes begin, as in EVS1."""
    parts = [part.strip().upper() for text in given for part in text.split(",")]
    prefixes = [part for part in parts if part] or [""]
    meant = {prefix: {code for code in known if code.startswith(prefix)} for prefix in prefixes}
    unknown = [prefix for prefix, codes in meant.items() if not (prefix and codes)]
    if unknown:
        raise usage(f"there is no rule {unknown[0]!r}; there are {', '.join(sorted(known))}")
    return frozenset().union(*meant.values())


def _sources(targets: Iterable[str]) -> list[Path]:
    from everstep.check import CheckTargetError, distinct, find_sources

    try:
        return distinct(path for each in targets for path in find_sources(each))
    except CheckTargetError as error:
        raise usage(str(error)) from error


def _print(session: Session, findings: list["Finding"], checked: list["Checked"]) -> None:
    for each in findings:
        line(session.out, str(each))
    if not any(each.workflow_code for each in checked):
        line(session.out, (_NO_WORKFLOW, "yellow"))
    workflows = _count(sum(each.workflows for each in checked), "workflow")
    steps = _count(sum(each.steps for each in checked), "step")
    found, files = _count(len(findings), "finding"), _count(len(checked), "file")
    style = "red" if findings else "green"
    line(session.out, (f"{found} in {files} ({workflows}, {steps})", style))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
