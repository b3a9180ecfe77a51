"""The tables of settings in the documentation are those of the code and of the template."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from everstep.app.capacity import TooManyRunsError
from everstep.http.problems import problem
from everstep.settings import SETTINGS, Settings
from tests.cloudformation import load
from tools.configuration_page import OF_THE_TEMPLATE, PAGE, written

if TYPE_CHECKING:
    from pathlib import Path

REQUIRED = {"EVERSTEP_TABLE": "t", "EVERSTEP_QUEUE_URL": "q", "EVERSTEP_BUCKET": "b"}


def test_the_page_is_as_the_code_would_write_it() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page), "make configuration"


def test_every_setting_and_every_parameter_for_one_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for each in SETTINGS.values():
        assert f"`{each.variable}`<br>`{each.name}`" in page
        assert each.parameter is None or f"`{each.parameter}`" in page
    assert set(OF_THE_TEMPLATE) <= load()["Parameters"].keys()


def test_a_page_without_its_places_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the table of settings"):
        written("")


def test_the_file_on_the_page_is_right(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "everstep.toml"
    file.write_text(shown, encoding="utf-8")
    settings = Settings.read({**REQUIRED, "EVERSTEP_CONFIG_FILE": str(file)})
    assert settings.max_concurrent_runs_of == {"nightly-report": 1, "*": 200}
    assert settings.max_concurrent_runs == 500


def test_the_problem_on_the_page_is_what_is_answered() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    error = TooManyRunsError("EVERSTEP_MAX_CONCURRENT_RUNS", 500, None, 10)
    assert json.loads(shown) == problem(error, "4d1c…").body
