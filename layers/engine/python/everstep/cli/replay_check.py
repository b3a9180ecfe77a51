"""``everstep replay-check``: can runs in flight go on with the code at hand?"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from everstep.cli import options
from everstep.cli.connection import connect_reader, faults_of, registry_at_hand
from everstep.cli.exits import ExitCode, usage
from everstep.cli.printing import as_json, line
from everstep.cli.session import Session

if TYPE_CHECKING:
    from everstep.core.replay_reports import ReplayReport

Recorded = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[RECORDED]...",
        help="Recorded histories: files, or folders of .json files; else the runs of a deployment.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="End with 1 for runs whose version is not here, too."),
]


@dataclass(slots=True, kw_only=True)
class _Found:
    """What was found; safe runs are counted and no more, so that there may be many."""

    safe: int = 0
    others: "list[ReplayReport]" = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    def add(self, report: "ReplayReport") -> None:
        if report.safe:
            self.safe += 1
        else:
            self.others.append(report)

    def count(self, *, broken: bool) -> int:
        return sum(each.broken is broken for each in self.others)

    def failed(self, *, strict: bool) -> bool:
        return self.count(broken=True) > 0 or bool(self.faults) or (strict and bool(self.others))

    def as_object(self) -> dict[str, Any]:
        return {
            "safe": self.safe,
            "pinned": self.count(broken=False),
            "broken": self.count(broken=True),
            "faults": [
                {"module": module, "reason": reason} for module, reason in self.faults.items()
            ],
            "runs": [asdict(each) for each in self.others],
        }


@options.of_aws
def replay_check(
    ctx: typer.Context,
    recorded: Recorded = None,
    *,
    strict: Strict = False,
    json: options.Json = False,
    target: options.Target,
) -> int:
    """Replay runs in flight with the code at hand, before it is deployed.

    Only reads, and executes no step. Ends with 1 if a run would stall, or if the code cannot be
    imported.
    """
    session: Session = ctx.obj
    if recorded and (target.stack is not None or target.table is not None):
        raise usage("give recorded histories, or a deployment, not both")
    found = _Found()
    _look(session, target, recorded or [], found)
    if json:
        as_json(found.as_object())
    else:
        _print(session, found)
    return ExitCode.FAILED if found.failed(strict=strict) else ExitCode.DONE


def _look(
    session: Session, target: options.Target, recorded: Iterable[Path], found: _Found
) -> None:
    from everstep.app.replay_check import judge, replay_check

    paths = list(_files(recorded))
    if paths:
        registry = registry_at_hand(session, target)
        reports: Iterable[ReplayReport] = (judge(registry, _read(path)) for path in paths)
    else:
        engine = connect_reader(session, target)
        registry = engine.registry
        reports = replay_check(engine)
    found.faults = faults_of(registry)
    # Replays run the workflows' code, which may print: standard output is for the answer.
    with redirect_stdout(sys.stderr):
        for report in reports:
            found.add(report)


def _files(recorded: Iterable[Path]) -> Iterator[Path]:
    for path in recorded:
        if path.is_dir():
            inside = sorted(path.rglob("*.json"))
            if not inside:
                raise usage(f"there is no recorded history in {path}")
            yield from inside
        elif path.is_file():
            yield path
        else:
            raise usage(f"there is no file or folder {path}")


def _read(path: Path) -> Any:  # noqa: ANN401 - a history
    from everstep.core.documents import HistoryFormatError
    from everstep.core.exported import parse_document, read_history

    try:
        return read_history(parse_document(path.read_text(encoding="utf-8")))
    except (HistoryFormatError, UnicodeDecodeError) as error:
        raise usage(f"{path} holds no recorded history: {error}") from error


def _print(session: Session, found: _Found) -> None:
    for each in sorted(found.others, key=lambda report: (report.broken, report.run_id)):
        style = "bold red" if each.broken else "yellow"
        first, *rest = str(each).splitlines()
        line(session.out, "run ", (each.run_id, "bold"), ": ", (first, style))
        for text in rest[:-1]:
            line(session.out, f"  {text}")
        line(session.out)
    for module, reason in found.faults.items():
        line(session.out, "workflows of ", (module, "bold red"), " were not looked at")
        line(session.out, f"  {reason}")
        line(session.out)
    pinned, broken = found.count(broken=False), found.count(broken=True)
    total = found.safe + pinned + broken
    what = f"{total} {'run' if total == 1 else 'runs'} checked"
    style = "red" if broken or found.faults else "green"
    line(session.out, (f"{what}: {found.safe} safe, {pinned} pinned, {broken} broken", style))
