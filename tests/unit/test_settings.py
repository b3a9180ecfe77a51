"""Settings: one table, the environment before a file before defaults, all mistakes at once."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

import pytest

from everstep.configuration import File, Source, find_file, look_up, read_file, similar
from everstep.setting_kinds import Flag, Number, Numbers, Text, Whole, Words
from everstep.settings import SETTINGS, Settings, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

REQUIRED: Final = {
    "EVERSTEP_TABLE": "table",
    "EVERSTEP_QUEUE_URL": "http://127.0.0.1:1/q",
    "EVERSTEP_BUCKET": "bucket",
}
OTHER: Final[dict[str, tuple[str, str, object]]] = {
    "workflows": ("shop, bank.flows", '["shop", "bank.flows"]', ("shop", "bank.flows")),
    "log_level": ("DEBUG", '"DEBUG"', "DEBUG"),
    "run_log_level": ("OFF", '"OFF"', "OFF"),
    "run_log_inline_bytes": ("0", "0", 0),
    "metrics": ("on", '"on"', "on"),
    "deployment": ("shop", '"shop"', "shop"),
    "payload_codec": ("shop.codec:make", '"shop.codec:make"', "shop.codec:make"),
    "payload_key": ("alias/shop", '"alias/shop"', "alias/shop"),
    "api_authorization": ("IAM", '"IAM"', "IAM"),
    "start_grace_seconds": ("240", "240", 240),
    "watchdog_seconds": ("60", "60", 60),
    "inline_limit_bytes": ("1024", "1024", 1024),
    "max_payload_bytes": ("2048", "2048", 2048),
    "max_receives": ("7", "7", 7),
    "max_concurrent_runs": ("100", "100", 100),
    "max_concurrent_runs_of": ("a=1, b=c=2", '{a = 1, "b=c" = 2}', {"a": 1, "b=c": 2}),
    "run_timeout_seconds": ("3600", "3600", 3600),
    "step_timeout_seconds": ("30", "30", 30),
    "steps_per_message": ("10", "10", 10),
    "retry_max_attempts": ("5", "5", 5),
    "retry_initial_delay_seconds": ("0.5", "0.5", 0.5),
    "retry_factor": ("1", "1", 1.0),
    "retry_max_delay_seconds": ("60", "60", 60.0),
    "retry_jitter": ("false", "false", False),
    "mask": ("pin, iban", '["pin", "iban"]', ("pin", "iban")),
    "cors_origins": (
        "https://a.example, http://localhost:3000",
        '["https://a.example", "http://localhost:3000"]',
        ("https://a.example", "http://localhost:3000"),
    ),
    "retention_days": ("30", "30", 30),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "everstep.toml"


def named(file: Path, **variables: str) -> dict[str, str]:
    return {**REQUIRED, "EVERSTEP_CONFIG_FILE": str(file), **variables}


def test_the_table_has_every_field_and_a_meaning_for_each() -> None:
    assert list(SETTINGS) == [each.name for each in fields(Settings)]
    assert [each.name for each in SETTINGS.values() if each.required] == [
        "table",
        "queue_url",
        "bucket",
    ]
    assert all(each.meaning and each.kind.allowed for each in SETTINGS.values())


def test_every_default_is_a_value_that_could_be_given() -> None:
    for setting in SETTINGS.values():
        # Nothing at all is what a variable that is empty gives.
        if not setting.required and setting.default not in ({}, "", ()):
            text = setting.kind.text(setting.default)
            assert setting.kind.of_text(text) == setting.default, setting.name


@pytest.mark.parametrize("name", OTHER)
def test_a_setting_is_read_from_its_variable(name: str) -> None:
    text, _, value = OTHER[name]
    settings = Settings.read({**REQUIRED, f"EVERSTEP_{name.upper()}": text})
    assert getattr(settings, name) == value
    assert SETTINGS[name].kind.of_text(SETTINGS[name].kind.text(value)) == value


@pytest.mark.parametrize("name", OTHER)
def test_a_setting_is_read_from_its_key_in_a_file(name: str, file: Path) -> None:
    _, data, value = OTHER[name]
    file.write_text(f"{name} = {data}\n", encoding="utf-8")
    assert getattr(Settings.read(named(file)), name) == value


def test_every_setting_that_may_be_left_out_is_tried_here() -> None:
    assert {name for name, each in SETTINGS.items() if not each.required} == OTHER.keys()


# --- Precedence


def test_the_environment_comes_before_the_file_and_the_file_before_the_default(file: Path) -> None:
    file.write_text('table = "of the file"\nretry_max_attempts = 7\nmax_receives = 9\n')
    variables = {
        "EVERSTEP_QUEUE_URL": "q",
        "EVERSTEP_BUCKET": "b",
        "EVERSTEP_MAX_RECEIVES": "4",
        "EVERSTEP_RETRY_MAX_ATTEMPTS": " ",
    }
    found = look_up(SETTINGS, variables, read_file(str(file)))

    def of(name: str) -> tuple[object, Source, str]:
        return found[name].value, found[name].source, found[name].place

    assert of("table") == ("of the file", Source.FILE, f"{file}:1")
    assert of("max_receives") == (4, Source.ENVIRONMENT, "EVERSTEP_MAX_RECEIVES")
    assert of("log_level") == ("INFO", Source.DEFAULT, "")
    # A parameter of the template that is left empty makes a variable that says nothing.
    assert of("retry_max_attempts") == (7, Source.FILE, f"{file}:2")


def test_the_file_is_the_one_that_is_named_else_the_first_that_is_there(tmp_path: Path) -> None:
    folders = [tmp_path / "none", tmp_path / "one", tmp_path / "two"]
    for folder in folders[1:]:
        folder.mkdir()
        (folder / "everstep.toml").write_text(f'table = "{folder.name}"', encoding="utf-8")
    named = {"EVERSTEP_CONFIG_FILE": str(folders[2] / "everstep.toml")}

    def table(variables: dict[str, str]) -> object:
        file = find_file(variables, folders)
        assert file is not None
        return file.data["table"]

    assert table({}) == "one"
    assert table({"EVERSTEP_CONFIG_FILE": ""}) == "one"
    assert table(named) == "two"
    assert find_file({}, folders[:1]) is None
    assert (
        Settings.read({"EVERSTEP_QUEUE_URL": "q", "EVERSTEP_BUCKET": "b"}, folders).table == "one"
    )


# --- Mistakes


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('log_level = "LOUD"', "be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'"),
        ("log_level = 3", "be one of DEBUG, INFO, WARNING, ERROR, not 3"),
        ("watchdog_seconds = 1.5", "be a whole number from 60, not 1.5"),
        ('watchdog_seconds = "60"', "be a whole number from 60, not '60'"),
        ("watchdog_seconds = true", "be a whole number from 60, not True"),
        ("inline_limit_bytes = 131073", "be a whole number from 1024 to 131072, not 131073"),
        ("retention_days = -1", "from 1 to 36500, or 0 for ever, not -1"),
        ("retry_factor = 0.5", "be a number from 1 to 1000, not 0.5"),
        ("retry_factor = nan", "be a number from 1 to 1000, not nan"),
        ('retry_factor = "2"', "be a number from 1 to 1000, not '2'"),
        ("retry_factor = true", "be a number from 1 to 1000, not True"),
        ('retry_jitter = "true"', "be true or false, not 'true'"),
        ('workflows = ["a/b"]', "name Python packages, separated by commas, not ['a/b']"),
        ("workflows = [1]", "name Python packages, separated by commas, not [1]"),
        ("max_concurrent_runs_of = 5", "be NAME=NUMBER, separated by commas"),
        ("max_concurrent_runs_of = {a = 0}", "each must be a whole number from 1, not {'a': 0}"),
        ('table = " "', "be the name of the table, not ' '"),
    ],
)
def test_a_wrong_value_is_told_with_file_line_and_what_is_allowed(
    given: str, said: str, file: Path
) -> None:
    file.write_text(f"# The shop's.\n\n{given}\n", encoding="utf-8")
    variables = {
        "EVERSTEP_CONFIG_FILE": str(file),
        "EVERSTEP_QUEUE_URL": "q",
        "EVERSTEP_BUCKET": "b",
    }
    if not given.startswith("table"):
        variables["EVERSTEP_TABLE"] = "t"
    with pytest.raises(SettingsError) as error:
        Settings.read(variables)
    name = given.split(maxsplit=1)[0]
    assert str(error.value).startswith(f"{name} in {file}:3 must ")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("variable", "given", "said"),
    [
        ("RETRY_JITTER", "yes", "be true or false, not 'yes'"),
        ("RETRY_FACTOR", "two", "be a number from 1 to 1000, not 'two'"),
        ("RETRY_FACTOR", "inf", "be a number from 1 to 1000, not 'inf'"),
        ("MAX_CONCURRENT_RUNS_OF", "a", "be NAME=NUMBER"),
        ("MAX_CONCURRENT_RUNS_OF", "a=1,a=2", "be NAME=NUMBER"),
        ("MAX_CONCURRENT_RUNS_OF", "=1", "be NAME=NUMBER"),
        ("MAX_CONCURRENT_RUNS_OF", "a=x", "be NAME=NUMBER"),
    ],
)
def test_a_wrong_variable_is_told_with_its_name_and_what_is_allowed(
    variable: str, given: str, said: str
) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.read({**REQUIRED, f"EVERSTEP_{variable}": given})
    assert str(error.value).startswith(f"EVERSTEP_{variable} must ")
    assert said in str(error.value)


def test_everything_that_is_wrong_is_told_at_once(file: Path) -> None:
    file.write_text('log_levle = "INFO"\nretention_days = "x"\nqueue = 1\n\n[colour]\na = 1\n')
    with pytest.raises(SettingsError) as error:
        Settings.read({"EVERSTEP_CONFIG_FILE": str(file), "EVERSTEP_MAX_RECEIVES": "0"})
    must, it = "must be set, or", "in everstep.toml: it must be"
    assert error.value.problems == (
        f"log_levle in {file}:1 is no setting: did you mean log_level?",
        f"queue in {file}:3 is no setting: did you mean queue_url?",
        f"colour in {file}:5 is no setting: everstep config says which there are",
        f"EVERSTEP_TABLE {must} table {it} the name of the table",
        f"EVERSTEP_QUEUE_URL {must} queue_url {it} the address of the step queue",
        f"EVERSTEP_BUCKET {must} bucket {it} the name of the payload bucket",
        "EVERSTEP_MAX_RECEIVES must be a whole number from 1 to 1000, not '0'",
        f"retention_days in {file}:2 must {SETTINGS['retention_days'].kind.allowed}, not 'x'",
    )
    assert str(error.value).startswith("8 settings are wrong: log_levle in ")


def test_a_file_that_cannot_be_read_is_told_with_the_rest(tmp_path: Path) -> None:
    missing, broken, binary = (tmp_path / name for name in ("missing", "broken", "binary"))
    broken.write_text("a = \n", encoding="utf-8")
    binary.write_bytes(b"\xff")
    for path, said in [
        (missing, "missing cannot be read: No such file or directory"),
        (tmp_path, "cannot be read: Is a directory"),
        (broken, "broken is no TOML: Invalid value (at line 1, column 5)"),
        (binary, "binary is no TOML: 'utf-8' codec"),
    ]:
        variables = {"EVERSTEP_CONFIG_FILE": str(path), "EVERSTEP_TABLE": "t"}
        with pytest.raises(SettingsError) as error:
            Settings.for_reading(variables)
        assert said in error.value.problems[0]
        assert error.value.problems[1].startswith("EVERSTEP_BUCKET must be set")


def test_a_secret_is_shown_neither_in_errors_nor_in_tables() -> None:
    secret = SETTINGS["max_receives"]._replace(secret=True)
    assert (secret.shown(7), SETTINGS["max_receives"].shown(7)) == ("***", "7")
    with pytest.raises(SettingsError) as error:
        look_up({"max_receives": secret}, {"EVERSTEP_MAX_RECEIVES": "hunter2"})
    assert str(error.value) == "EVERSTEP_MAX_RECEIVES must be a whole number from 1 to 1000"


def test_a_place_in_a_file_names_the_line_where_that_can_be_told() -> None:
    file = File(path="f", text='a_b = 1\n\n  "a" = 2\n[ t ]\nx.y = 1\nz = 1\n')
    places = {key: file.place(key) for key in ("a_b", "a", "t", "x", "z", "w")}
    assert places == {"a_b": "f:1", "a": "f:3", "t": "f:4", "x": "f:5", "z": "f:6", "w": "f"}


def test_what_is_like_nothing_has_no_suggestion() -> None:
    assert similar("LOG_LEVL", SETTINGS) == "log_level"
    assert similar("zzz", SETTINGS) is None


# --- Kinds


def test_kinds_say_what_they_allow() -> None:
    said = {kind.allowed for kind in (Text("a name"), Flag(), Words("words"), Whole(2), Number(0))}
    assert said == {
        "be a name",
        "be true or false",
        "name words, separated by commas",
        "be a whole number from 2",
        "be a number from 0",
    }


def test_words_are_separated_by_commas_and_listed_in_files() -> None:
    words = Words("words")
    assert (
        words.of_text(" a ,b") == words.of_data([" a ", "b"]) == words.of_data("a,b") == ("a", "b")
    )
    for wrong in ("a,,b", ""):
        with pytest.raises(ValueError, match=r"^$"):
            words.of_text(wrong)


def test_numbers_by_name_are_written_as_they_are_read() -> None:
    numbers = Numbers(Whole(1))
    assert numbers.text({"a": 1, "b": 2}) == "a=1,b=2"
