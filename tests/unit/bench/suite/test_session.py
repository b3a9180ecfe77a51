"""A session goes through every engine, whatever becomes of any one of them."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from bench.layer import ROOT
from bench.suite import engines, installs, main, plan, postgres, session
from bench.suite.children import Script
from bench.suite.engines import ENGINES, Engine, Ground
from bench.suite.installs import InstallError, Pins
from bench.suite.postgres import NoPostgresError
from bench.suite.session import Session, Wanted
from everstep_localstack import Options

if TYPE_CHECKING:
    from pathlib import Path

DIES: Final = "raise SystemExit('no such engine')"


def engine(name: str, **more: object) -> Engine:
    base = Engine(name=name, title=name, keeps="nowhere", baseline=name, script=_dies)
    return replace(base, **more)  # type: ignore[arg-type]


def _dies(ground: Ground) -> Script:
    return Script(command=[sys.executable, "-c", DIES], folder=ground.folder)


def measured(home: Path, *each: Engine) -> dict[str, str]:
    wanted = Wanted(engines=each, workloads=("W1",), quick=True)
    return {
        data["name"]: data["reason"] for data in Session(wanted, home, lambda _: None).measure()
    }


def test_an_engine_that_cannot_be_is_told_of_and_the_next_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise InstallError("npm: not found at https://registry.example/x")

    monkeypatch.setattr(installs, "install", refuse)
    found = measured(tmp_path, engine("a", peer="dbos"), engine("b"))
    assert found == {"a": "npm: not found at …", "b": "no such engine"}


def test_postgres_is_tried_once_for_all_that_need_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def refuse(_: Path) -> None:
        tries.append(1)
        raise NoPostgresError("PostgreSQL is not installed")

    monkeypatch.setattr(postgres, "running", refuse)
    found = measured(tmp_path, engine("a", postgres=True), engine("b", postgres=True))
    assert set(found.values()) == {"PostgreSQL is not installed"}
    assert tries == [1]


def test_every_peer_is_pinned_to_exact_versions_and_used() -> None:
    pins = installs.pins()
    assert set(pins) == {each.peer for each in ENGINES if each.peer}
    for each in pins.values():
        assert [one for one in each.pypi if "==" not in one] == []
        assert [one for one in each.npm if not re.search(r".@\d+\.\d+\.\d+$", one)] == []


def test_what_is_installed_is_not_installed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    monkeypatch.setattr(installs, "_call", lambda *call: calls.append(call))
    pinned = Pins(pypi=("thing==1",), npm=("other@1",))
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/npm")
    first = installs.install("peer", pinned, tmp_path)
    assert len(calls) == 3
    assert installs.install("peer", pinned, tmp_path) == first
    assert len(calls) == 3
    installs.install("peer", replace(pinned, pypi=("thing==2",)), tmp_path)
    assert len(calls) == 6


def test_a_peer_from_npm_needs_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(InstallError, match="npm is not installed"):
        installs.install("peer", Pins(npm=("other@1",)), tmp_path)


def test_what_an_installer_says_last_is_the_reason(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="too old"):
        installs._call([sys.executable, "-c", "raise SystemExit('too old')"], tmp_path)
    with pytest.raises(InstallError, match="nowhere"):
        installs._call(["/nowhere"], tmp_path)


def test_engines_are_chosen_by_parts_of_their_names() -> None:
    assert [each.name for each in engines.chosen(["dbos"])] == ["dbos-sqlite", "dbos-postgres"]
    assert engines.chosen([]) == ENGINES
    assert engines.unknown(["moto", "temporal"]) == ["temporal"]


def test_every_engine_is_compared_with_a_mode_of_everstep() -> None:
    own = {each.name for each in ENGINES if each.own}
    assert {each.baseline for each in ENGINES} <= own
    assert len({each.name for each in ENGINES}) == len(ENGINES)


class Database:
    """A PostgreSQL of which only the addresses are there."""

    mark = "mark"

    def create(self, name: str) -> str:
        return f"postgresql://{name}"


def ground(folder: Path, **more: object) -> Ground:
    database: postgres.Postgres = Database()  # type: ignore[assignment]
    place = installs.Place(folder=folder)
    base = Ground(place=place, folder=folder, postgres=database, localstack=Options(port=1))
    return replace(base, **more)  # type: ignore[arg-type]


def test_scripts_of_peers_are_there_and_run_with_what_was_installed(tmp_path: Path) -> None:
    for each in ENGINES:
        if each.peer is None:
            continue
        script = each.script(ground(tmp_path))
        assert script.command[0].startswith(str(tmp_path))
        name = script.command[-1].removeprefix("bench.peers.")
        path = ROOT / f"bench/peers/{name.rpartition('/')[2]}"
        assert path.suffix == ".mjs" or path.with_suffix(".py").exists()


def test_a_script_is_given_what_the_table_says(tmp_path: Path) -> None:
    given = {each.name: each.script(ground(tmp_path)).options for each in ENGINES}
    assert given["everstep-memory-burst"] == {"store": "memory", "burst": "yes"}
    assert given["dbos-sqlite"]["database"] == f"sqlite:///{tmp_path}/runs.sqlite"
    assert given["openworkflow-sqlite"]["crash_database"] == f"{tmp_path}/crash.db"
    assert given["absurd"]["crash_database"] == "postgresql://bench_crash"
    assert given["restate-bidi"]["mode"] == "bidi"
    assert given["restate-bidi"]["server"].startswith(str(tmp_path))
    assert given["step-functions-localstack"] == {
        "system": "step-functions",
        "instance": "default",
        "port": "1",
    }


@pytest.mark.parametrize(
    ("missing", "needs"),
    [
        ("place", "dbos-sqlite"),
        ("postgres", "dbos-postgres"),
        ("localstack", "everstep-localstack"),
    ],
)
def test_a_script_that_needs_what_there_is_not_is_refused(
    missing: str, needs: str, tmp_path: Path
) -> None:
    (chosen,) = (each for each in ENGINES if each.name == needs)
    with pytest.raises(LookupError):
        chosen.script(ground(tmp_path, **{missing: None}))


def test_a_part_of_the_bench_is_not_kept_among_the_whole_ones() -> None:
    result = {"date": "2026-01-31"}
    whole = Wanted(engines=ENGINES, workloads=tuple(plan.TITLES))
    assert main._path(result, whole) == main.RESULTS / "2026-01-31-bench.json"
    for part in (
        replace(whole, quick=True),
        replace(whole, engines=ENGINES[:3]),
        replace(whole, workloads=("W1",)),
    ):
        assert main._path(result, part) == installs.HOME / "2026-01-31-part.json"


def test_options_are_told_as_they_were_given() -> None:
    parsed = main._arguments(["--only", "memory,dbos", "--workloads", "W1", "--quick"])
    expected = 'make bench BENCH="--only memory,dbos --workloads W1 --quick"'
    assert main._command(parsed) == expected
    assert main._command(main._arguments([])) == "make bench"


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main._arguments(["--only", "temporal", "--workloads", "W9"])
    assert "unknown: temporal, W9" in capsys.readouterr().err


def test_a_second_session_of_the_same_folder_is_kept_out(tmp_path: Path) -> None:
    with (
        main._alone(tmp_path),
        pytest.raises(SystemExit, match="already"),
        main._alone(tmp_path),
    ):
        pass


def test_sizes_are_repeated_only_if_short_and_every_item_has_its_own_marks(
    tmp_path: Path,
) -> None:
    items = plan.items(plan.FULL, ["W1", "W3", "W4"], tmp_path)
    names = [(plan.name_of(each), each.again) for each in items]
    assert names == [
        *(("W1", again) for again in (False, True, True)),
        ("W3", False),
        *(("W4 100", again) for again in (False, True, True)),
        *(("W4 1000", again) for again in (False, True, True)),
    ]
    assert len({each.marks for each in items}) == len(items)
    assert [each.number for each in items] == list(range(len(items)))


def test_the_version_of_localstack_is_the_pinned_one() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", session._localstack_version())
