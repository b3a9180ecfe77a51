"""Alarms, dashboard, metrics and runbooks agree: with one another, and with the code."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, Final

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from everstep.cli.root import app
from everstep.core.metrics import METRICS, NAMESPACE
from tests.cloudformation import load, of_type
from tests.docs.test_snippets import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE: Final = load()
ALARMS: Final = of_type(TEMPLATE, "AWS::CloudWatch::Alarm")
RUNBOOKS: Final = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
SECTIONS: Final = dict(
    re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", RUNBOOKS, re.MULTILINE | re.DOTALL)
)
NAMES: Final = {metric.name for metric in METRICS}
FREE_METRICS: Final = 50
OWN_DIMENSIONS: Final = [{"Name": "Deployment", "Value": {"Ref": "AWS::StackName"}}]


def looked_at(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the metrics of an alarm."""
    if "Metrics" not in alarm:
        yield alarm
    for each in alarm.get("Metrics", []):
        if "MetricStat" in each:
            yield each["MetricStat"]["Metric"]


def dashboard() -> dict[str, Any]:
    """Return what the dashboard shows, with something in place of every reference."""
    ((body, _),) = [
        each["DashboardBody"]["Fn::Sub"]
        for each in of_type(TEMPLATE, "AWS::CloudWatch::Dashboard").values()
    ]
    read: dict[str, Any] = json.loads(re.sub(r"\$\{OfKeys\}", "", body))
    return read


def shown() -> list[list[Any]]:
    """Return every row of the dashboard: namespace, metric, dimensions, options."""
    widgets = [each for each in dashboard()["widgets"] if each["type"] == "metric"]
    return [row for widget in widgets for row in widget["properties"]["metrics"]]


def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm() -> None:
    assert set(SECTIONS) == set(ALARMS)


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_names_its_runbook(name: str) -> None:
    link = f" Runbook: docs/runbooks.md#{name.lower()}"
    assert ALARMS[name]["AlarmDescription"].endswith(link)


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_a_runbook_says_what_it_means_how_to_look_and_how_to_mend(name: str) -> None:
    text = SECTIONS[name]
    assert "**What it means.**" in text
    assert "**Look and mend.**" in text or ("**Look.**" in text and "**Mend.**" in text)


def test_runbooks_and_metrics_name_commands_that_there_are() -> None:
    commands: Any = get_command(app)
    blocks = re.findall(r"```sh\n(.*?)```", RUNBOOKS, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`(everstep [^`]+)`", RUNBOOKS)
    assert len(lines) > 10
    for line in lines:
        program, *words = shlex.split(line, comments=True)
        command = commands
        while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
            found = command.commands.get(words.pop(0))
            assert found is not None, line
            command = found
        options = {name for each in command.params for name in each.opts}
        assert program == "everstep"
        assert {word for word in words if word.startswith("-")} <= options, line


def test_alarms_and_dashboard_look_at_metrics_that_the_engine_tells() -> None:
    of_alarms = [each for alarm in ALARMS.values() for each in looked_at(alarm)]
    own = [each for each in of_alarms if each["Namespace"] == NAMESPACE]
    assert own
    assert {each["MetricName"] for each in own} <= NAMES
    assert all(each["Dimensions"] == OWN_DIMENSIONS for each in own)
    rows = [row for row in shown() if row[0] == NAMESPACE]
    assert {row[1] for row in rows} == NAMES
    assert {tuple(row[2:4]) for row in rows} == {("Deployment", "${AWS::StackName}")}


def test_the_dashboard_shows_no_more_than_a_free_one_may() -> None:
    assert len({json.dumps(row[:4]) for row in shown()}) <= FREE_METRICS


def test_the_dashboard_shows_every_alarm() -> None:
    (alarms,) = [each for each in dashboard()["widgets"] if each["type"] == "alarm"]
    told = {name[2:-5] for name in alarms["properties"]["alarms"]}
    conditional = {name for name in ALARMS if "Condition" in TEMPLATE["Resources"][name]}
    assert told == set(ALARMS) - conditional


def test_widgets_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for each in dashboard()["widgets"]:
        cells = {
            (x, y)
            for x in range(each["x"], each["x"] + each["width"])
            for y in range(each["y"], each["y"] + each["height"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_the_page_of_metrics_lists_what_the_engine_tells() -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]+) \|", page, re.MULTILINE)
    assert rows == [(metric.name, str(metric.unit), metric.meaning) for metric in METRICS]
    assert f"Namespace `{NAMESPACE}`" in page


def test_nothing_records_the_address_of_a_callback() -> None:
    api = TEMPLATE["Resources"]["Api"]["Properties"]
    assert api["TracingEnabled"] is False
    (_, setting, _) = api["AccessLogSetting"]["Fn::If"]
    assert "$context.path" not in setting["Format"]
    assert "$context.resourcePath" in setting["Format"]
    # Neither of these writes what a request holds into API Gateway's own log.
    assert {"LoggingLevel", "DataTraceEnabled"}.isdisjoint(api["MethodSettings"][0])
