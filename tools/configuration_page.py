"""Write the tables of docs/reference/configuration.md from the code and from template.yaml.

``python -m tools.configuration_page`` writes them; a test compares them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from everstep.settings import SETTINGS
from tests.cloudformation import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from everstep.configuration import Setting
    from tests.cloudformation import Json

PAGE: Final = Path(__file__).parents[1] / "docs" / "reference" / "configuration.md"
OF_THE_TEMPLATE: Final = (
    "ExecutorMaximumConcurrency",
    "ExecutorReservedConcurrency",
    "ExecutorTimeout",
    "ExecutorBatchSize",
    "ApiThrottlingRate",
    "ApiThrottlingBurst",
    "LogRetentionDays",
)
"""Limits that AWS keeps to, and that no function needs to know."""


def written(page: str) -> str:
    """Return the page with its tables as they are today."""
    tables = {"settings": _settings(), "template": _template(load()["Parameters"])}
    for name, table in tables.items():
        page = _with_table(page, name, table)
    return page


def _with_table(page: str, name: str, table: str) -> str:
    begin, end = f"<!-- {name}: generated -->\n", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        message = f"the page has no place for the table of {name}"
        raise ValueError(message)
    return before + begin + table + end + after


def _settings() -> str:
    rows = [
        (
            f"`{each.variable}`<br>`{each.name}`",
            _default(each),
            each.kind.allowed.removeprefix("be "),
            each.meaning,
            "" if each.parameter is None else f"`{each.parameter}`",
        )
        for each in SETTINGS.values()
    ]
    return _table(("variable and key", "default", "must be", "meaning", "template"), rows)


def _default(setting: Setting) -> str:
    if setting.required:
        return "must be given"
    text = setting.kind.text(setting.default)
    return f"`{text}`" if text else "none"


def _template(parameters: Json) -> str:
    rows = [
        (f"`{name}`", f"`{parameters[name]['Default']}`", _allowed(parameters[name]), _said(name))
        for name in OF_THE_TEMPLATE
    ]
    return _table(("parameter", "default", "must be", "meaning"), rows)


def _allowed(parameter: Json) -> str:
    if "AllowedValues" in parameter:
        return f"one of {', '.join(map(str, parameter['AllowedValues']))}"
    bounds = [parameter[name] for name in ("MinValue", "MaxValue") if name in parameter]
    return "a whole number from " + " to ".join(map(str, bounds))


def _said(name: str) -> str:
    description = str(load()["Parameters"][name].get("Description", "Requests in a burst."))
    first = description.split(". ", maxsplit=1)[0].split(": ", maxsplit=1)[0].rstrip(".")
    return first[:1].lower() + first[1:]


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["-"] * len(titles), *rows]
    return "".join(f"| {' | '.join(each)} |\n" for each in lines).replace(" - |", "-|")


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
