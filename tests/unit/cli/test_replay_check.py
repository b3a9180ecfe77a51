"""``everstep replay-check``: runs in flight beside the code at hand."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import boto3
import pytest
from moto import mock_aws

from everstep.adapters.memory.queue import MemoryQueue
from everstep.adapters.system import SystemClock
from everstep.app.start import start
from everstep.core.model import OpKind, OpRecord, OpStatus
from everstep.core.transitions import ARMED
from everstep.settings import Settings
from everstep.testing import TestEngine, save_history
from everstep.wiring import Clients, ReadOnlyClients, build_engine
from tests.contract.backends import create_table
from tests.unit.cli.typed import Seen, session, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from everstep.app.engine import Engine

TABLE: Final = {"EVERSTEP_TABLE": "runs", "EVERSTEP_BUCKET": "b", "EVERSTEP_QUEUE_URL": "q"}
HEAD: Final = "from everstep import Context, workflow\n\n\n"
FLOW: Final = """@workflow(name="reminder", version="{version}")
async def reminder(ctx: Context) -> None:
    await ctx.sleep({seconds})
"""


def code(*, version: str = "1", seconds: int = 3600, before: str = "") -> str:
    return HEAD + before + FLOW.format(version=version, seconds=seconds)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Give a function that puts code into the module ``flows`` of the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(text: str) -> None:
        (tmp_path / "flows.py").write_text(text, encoding="utf-8")
        sys.modules.pop("flows", None)

    yield write
    sys.modules.pop("flows", None)


@pytest.fixture
def engine(write: Callable[[str], None]) -> Iterator[Engine]:
    """Give an engine on a table of its own, which has ``reminder``."""
    write(code())
    with mock_aws():
        create_table(boto3.client("dynamodb"), "runs")
        settings = Settings.read({**TABLE, "EVERSTEP_WORKFLOWS": "flows"})
        yield replace(build_engine(settings, Clients()), queue=MemoryQueue(SystemClock()))


def check(*arguments: str) -> Seen:
    by = replace(session(environment=TABLE), readers=ReadOnlyClients)
    return typed("replay-check", "--workflows", "flows", *arguments, by=by)


def asleep(engine: Engine, input_hash: str = "for=3600000") -> str:
    run_id = start(engine, "reminder", None).run_id
    record = OpRecord(
        key="sleep#1",
        kind=OpKind.SLEEP,
        status=OpStatus.WAITING,
        by="t",
        input_hash=input_hash,
        started_at=0,
        wake_at=3_600_000,
    )
    assert engine.runs.put(run_id, record, ARMED)
    return run_id


def last(seen: Seen) -> str:
    return seen.out.splitlines()[-1]


def test_runs_that_can_go_on_are_safe(engine: Engine) -> None:
    asleep(engine)
    asleep(engine)
    seen = check()
    assert (seen.code, seen.out) == (0, "2 runs checked: 2 safe, 0 pinned, 0 broken\n")


def test_a_run_that_would_stall_is_told_with_its_reason_and_a_mend_and_ends_with_1(
    engine: Engine, write: Callable[[str], None]
) -> None:
    run_id = asleep(engine)
    write(code(seconds=60))
    seen = check()
    lines = seen.out.splitlines()
    assert seen.code == 1
    assert lines[0] == (
        f"run {run_id}: broken at sleep#1: recorded for 1:00:00, today's code sleeps for 0:01:00"
    )
    assert lines[1].startswith("  What to do: ")
    assert lines[-1] == "1 run checked: 0 safe, 0 pinned, 1 broken"


def test_a_run_whose_version_is_not_here_is_pinned_and_fails_nothing_unless_that_is_asked_for(
    engine: Engine, write: Callable[[str], None]
) -> None:
    run_id = asleep(engine)
    write(code(version="2"))
    seen = check()
    assert seen.code == 0
    assert seen.out.startswith(f"run {run_id}: pinned: the run stays on version 1 of reminder")
    assert last(seen) == "1 run checked: 0 safe, 1 pinned, 0 broken"
    assert check("--strict").code == 1


def test_programs_get_json(engine: Engine, write: Callable[[str], None]) -> None:
    run_id = asleep(engine)
    write(code(seconds=60))
    seen = check("--json")
    told = json.loads(seen.out)
    assert (told["safe"], told["pinned"], told["broken"], told["faults"]) == (0, 0, 1, [])
    (run,) = told["runs"]
    assert (run["run_id"], run["verdict"], run["operation"]) == (
        run_id,
        "arguments-changed",
        "sleep#1",
    )


def test_code_that_cannot_be_imported_fails_the_check(
    engine: Engine, write: Callable[[str], None]
) -> None:
    asleep(engine)
    write("import nothing_of_that_name\n")
    seen = check()
    assert seen.code == 1
    assert "workflows of flows were not looked at" in seen.out
    assert json.loads(check("--json").out)["faults"][0]["module"] == "flows"


def test_nothing_is_written_and_what_code_prints_is_no_answer(
    engine: Engine, write: Callable[[str], None]
) -> None:
    run_id = asleep(engine)
    before = engine.runs.load(run_id)
    write(code().replace("    await", '    print("here")\n    await'))
    seen = check("--json")
    assert json.loads(seen.out)["safe"] == 1
    assert "here" in seen.err
    assert engine.runs.load(run_id) == before


# --- Recorded histories


@pytest.fixture
def recorded(write: Callable[[str], None], tmp_path: Path) -> Path:
    """Give a folder with the history of a run that sleeps."""
    write(code())
    flows = importlib.import_module("flows")
    tested = TestEngine([flows.reminder])
    run = tested.start(flows.reminder)
    tested.run_until_idle()
    save_history(run, tmp_path / "histories" / "asleep.json")
    return tmp_path / "histories"


@pytest.mark.parametrize("name", [".", "asleep.json"])
def test_recorded_histories_are_files_or_folders(recorded: Path, name: str) -> None:
    seen = check(str(recorded / name))
    assert (seen.code, last(seen)) == (0, "1 run checked: 1 safe, 0 pinned, 0 broken")


def test_a_recorded_history_that_does_not_fit_is_broken(
    recorded: Path, write: Callable[[str], None]
) -> None:
    write(code(seconds=60))
    assert check(str(recorded)).code == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nowhere"], "there is no file or folder nowhere"),
        (["empty"], "there is no recorded history in empty"),
        (["other.json"], "other.json holds no recorded history: "),
        (["other.json", "--table", "runs"], "give recorded histories, or a deployment, not both"),
        (["other.json", "--stack", "shop"], "give recorded histories, or a deployment, not both"),
    ],
)
def test_what_holds_no_history_is_a_matter_of_usage(
    write: Callable[[str], None], tmp_path: Path, arguments: list[str], problem: str
) -> None:
    write(code())
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.json").write_text("{}")
    seen = check(*arguments)
    assert (seen.code, seen.out) == (2, "")
    assert problem in seen.err
