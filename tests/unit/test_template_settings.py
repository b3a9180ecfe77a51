"""The template passes every setting that it should, with the defaults and bounds of the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep.setting_kinds import Choice
from everstep.settings import SETTINGS
from tests.cloudformation import Json, load, of_type

if TYPE_CHECKING:
    from everstep.configuration import Setting

TEMPLATE: Final = load()
PARAMETERS: Final[Json] = TEMPLATE["Parameters"]
EVERYWHERE: Final[Json] = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
FUNCTIONS: Final = of_type(TEMPLATE, "AWS::Serverless::Function")
# Only the dead-letter function asks for it.
OF_ONE_FUNCTION: Final = {"EVERSTEP_MAX_RECEIVES": "DeadLetterFunction"}
# What the functions of powertools are told is no setting of ours.
OF_OTHERS: Final = {"POWERTOOLS_SERVICE_NAME"}
# Metrics are for functions; who uses the engine elsewhere has nobody who reads them.
OTHERWISE_ON_PURPOSE: Final = {"metrics": "on"}
PASSED: Final = {name: each for name, each in SETTINGS.items() if each.parameter in PARAMETERS}


def passed() -> Json:
    """Give every variable that some function has."""
    own = [each.get("Environment", {}).get("Variables", {}) for each in FUNCTIONS.values()]
    return EVERYWHERE | {name: value for each in own for name, value in each.items()}


def referred(value: object) -> set[str]:
    """Give what a value of the template refers to."""
    match value:
        case {"Ref": name}:
            return {str(name)}
        case {"Fn::If": [condition, *choices]}:
            return referred(TEMPLATE["Conditions"][condition]) | referred(choices)
        case dict():
            return {name for each in value.values() for name in referred(each)}
        case list():
            return {name for each in value for name in referred(each)}
        case _:
            return set()


def test_functions_get_exactly_the_settings_that_the_table_names_a_parameter_for() -> None:
    named = {each.variable for each in SETTINGS.values() if each.parameter is not None}
    assert passed().keys() - OF_OTHERS == named


@pytest.mark.parametrize("setting", [each for each in SETTINGS.values() if each.parameter])
def test_a_setting_is_made_from_the_parameter_or_resource_that_the_table_names(
    setting: Setting,
) -> None:
    assert referred(passed()[setting.variable]) == {setting.parameter}


def test_every_function_gets_every_setting_but_those_of_one_alone() -> None:
    for variable in passed().keys() - OF_OTHERS - EVERYWHERE.keys():
        environment = FUNCTIONS[OF_ONE_FUNCTION[variable]]["Environment"]["Variables"]
        assert variable in environment


def of_template(value: Any) -> str:  # noqa: ANN401 - whatever YAML has
    return str(value)


@pytest.mark.parametrize("setting", PASSED.values(), ids=PASSED)
def test_a_parameter_has_the_default_of_the_code_or_none(setting: Setting) -> None:
    default = of_template(PARAMETERS[str(setting.parameter)]["Default"])
    if setting.parameter == "ExecutorTimeout":
        default = str(TEMPLATE["Mappings"]["ExecutorTimeouts"][default]["StartGrace"])
    meant = OTHERWISE_ON_PURPOSE.get(setting.name, setting.kind.text(setting.default))
    assert default in ("", meant)


@pytest.mark.parametrize("setting", PASSED.values(), ids=PASSED)
def test_a_parameter_lets_nothing_through_that_the_code_refuses(setting: Setting) -> None:
    parameter = PARAMETERS[str(setting.parameter)]
    if isinstance(setting.kind, Choice):
        assert tuple(parameter["AllowedValues"]) == setting.kind.options
    for bound in ("MinValue", "MaxValue"):
        if bound in parameter:
            setting.kind.of_text(of_template(parameter[bound]))
