"""``everstep config``: effective settings with their sources, and files checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from everstep import settings
from everstep.cli import config
from tests.unit.cli.typed import Seen, session, typed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def asked(*arguments: str, **variables: str) -> Seen:
    environment = {f"EVERSTEP_{name}": value for name, value in variables.items()}
    return typed("config", *arguments, by=session(environment=environment))


def rows(seen: Seen) -> dict[str, list[str]]:
    return {name: rest for name, *rest in (line.split() for line in seen.out.splitlines())}


def test_every_setting_is_shown_with_its_value_and_where_that_comes_from(tmp_path: Path) -> None:
    (tmp_path / "everstep.toml").write_text("retry_jitter = false\nmax_receives = 9\n")
    seen = asked(TABLE="runs", MAX_RECEIVES="4")
    found = rows(seen)
    assert (seen.code, seen.err) == (0, "")
    assert found["table"] == ["environment", "EVERSTEP_TABLE", "runs"]
    assert found["max_receives"] == ["environment", "EVERSTEP_MAX_RECEIVES", "4"]
    assert found["retry_jitter"] == ["file", "everstep.toml:1", "false"]
    assert found["log_level"] == ["default", "INFO"]
    assert found["max_concurrent_runs_of"] == ["default", "(none)"]
    assert found["bucket"] == ["(not", "set)"]
    assert list(found)[1:] == list(settings.SETTINGS)


def test_the_file_of_the_workflows_layer_is_found_from_the_project_s_folder(tmp_path: Path) -> None:
    layer = tmp_path / "layers" / "workflows" / "python"
    layer.mkdir(parents=True)
    (layer / "everstep.toml").write_text("max_receives = 9\n", encoding="utf-8")
    place = rows(asked())["max_receives"][1]
    assert place == "layers/workflows/python/everstep.toml:1"


def test_what_is_wrong_is_told_on_standard_error_and_the_rest_is_shown() -> None:
    seen = asked(MAX_RECEIVES="0", LOG_LEVEL="DEBUG")
    assert seen.code == 2
    assert seen.err == (
        "error: EVERSTEP_MAX_RECEIVES must be a whole number from 1 to 1000, not '0'\n"
    )
    assert rows(seen)["max_receives"] == ["(wrong)"]
    assert rows(seen)["log_level"] == ["environment", "EVERSTEP_LOG_LEVEL", "DEBUG"]


def test_a_variable_that_is_surely_misspelt_is_told() -> None:
    seen = asked(LOG_LEVLE="DEBUG", URL="http://127.0.0.1", HOME="/", CONFIG_FILE="")
    assert seen.code == 0
    assert seen.err == (
        "warning: EVERSTEP_LOG_LEVLE is no setting: did you mean EVERSTEP_LOG_LEVEL?\n"
    )


def test_programs_get_json() -> None:
    seen = asked("--json", LOG_LEVEL="LOUD", TABLE="runs")
    answer = json.loads(seen.out)
    by_name = {each["name"]: each for each in answer["settings"]}
    assert (seen.code, answer["file"]) == (2, None)
    assert by_name["table"] == {
        "name": "table",
        "variable": "EVERSTEP_TABLE",
        "value": "runs",
        "source": "environment",
        "place": "EVERSTEP_TABLE",
    }
    assert by_name["log_level"]["value"] is by_name["bucket"]["source"] is None
    assert by_name["retry_factor"]["place"] is None
    assert answer["problems"] == [
        "EVERSTEP_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'"
    ]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_secret_is_never_shown(form: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    secret = settings.SETTINGS["deployment"]._replace(secret=True)
    monkeypatch.setattr(config, "SETTINGS", {**settings.SETTINGS, "deployment": secret})
    seen = asked(*form, DEPLOYMENT="hunter2")
    assert "hunter2" not in seen.out + seen.err
    assert "***" in seen.out


def test_a_file_that_is_right_is_told_to_be(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("max_receives = 9\n[max_concurrent_runs_of]\na = 1\n")
    # Whatever the environment says.
    seen = asked("check", "a.toml", MAX_RECEIVES="0")
    assert (seen.code, seen.out) == (0, "a.toml is right: settings: 2\n")
    assert json.loads(asked("check", "a.toml", "--json").out) == {
        "file": "a.toml",
        "settings": 2,
        "problems": [],
    }


def test_everything_that_is_wrong_with_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('max_receive = 9\ntable = " "\n', encoding="utf-8")
    seen = asked("check", "a.toml")
    assert (seen.code, seen.out.splitlines()) == (
        1,
        [
            "max_receive in a.toml:1 is no setting: did you mean max_receives?",
            "table in a.toml:2 must be the name of the table, not ' '",
        ],
    )
    problems = json.loads(asked("check", "none.toml", "--json").out)["problems"]
    assert problems == ["none.toml cannot be read: No such file or directory"]
