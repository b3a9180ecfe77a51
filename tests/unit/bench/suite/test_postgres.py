"""A PostgreSQL of its own is waited for until it answers, and removed whatever becomes of it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.suite import postgres
from bench.suite.postgres import NoPostgresError, Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def cluster(programs: Path) -> Postgres:
    return Postgres(port=1, version="15", mark="mark", programs=programs)


@pytest.fixture
def server() -> Iterator[subprocess.Popen[bytes]]:
    """Give a process that does nothing, and ends in the end."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process


def test_a_server_that_refuses_at_first_is_waited_for(
    tmp_path: Path, server: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([False, False, True])
    monkeypatch.setattr(postgres, "_LOOK_EVERY", 0)
    monkeypatch.setattr(Postgres, "answers", lambda _: next(answers))
    postgres._wait(server, cluster(tmp_path), tmp_path)
    assert next(answers, None) is None


def test_a_server_that_ends_says_why_in_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").write_text("FATAL: no space", encoding="utf-8")
    monkeypatch.setattr(Postgres, "answers", lambda _: False)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
        with pytest.raises(NoPostgresError, match="no space"):
            postgres._wait(ended, cluster(tmp_path), tmp_path)


@pytest.mark.parametrize("code", [0, 2])
def test_a_server_answers_if_a_client_is_not_refused(code: int, tmp_path: Path) -> None:
    program = tmp_path / "psql"
    program.write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
    program.chmod(0o755)
    assert cluster(tmp_path).answers() is (code == 0)


def test_without_programs_there_is_no_postgres(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoPostgresError, match="not installed"), postgres.running(tmp_path / "note"):
        pytest.fail("it runs")
    assert not (tmp_path / "note").exists()


def test_a_folder_that_is_not_of_a_cluster_is_not_removed(tmp_path: Path) -> None:
    precious, note = tmp_path / "precious", tmp_path / "note"
    precious.mkdir()
    note.write_text(str(precious), encoding="utf-8")
    postgres.remove(note)
    assert precious.exists()
    assert not note.exists()


def test_a_program_that_does_not_end_is_given_up() -> None:
    with pytest.raises(NoPostgresError, match=r"sleep: no end after 0\.1 s"):
        postgres._run(["/bin/sleep", "600"], timeout=0.1)
