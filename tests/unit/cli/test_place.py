"""Which deployment is meant: options, then variables, then the profile; errors say where."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from everstep.cli.exits import CommandError
from everstep.cli.options import Target
from everstep.cli.place import Place, find_place

FILE: Final = """
default = "shop"

[profiles.shop]
url = "https://shop.invalid/v1"
key = "of-shop"
region = "eu-west-1"

[profiles.aws]
stack = "everstep"
aws_profile = "work"
endpoint = "http://127.0.0.1:4566"
workflows = "flows"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE, encoding="utf-8")
    path.chmod(0o600)
    return path


def place(file: Path, typed: Target | None = None, told: dict[str, str] | None = None) -> Place:
    return find_place(typed or Target(), {"EVERSTEP_CONFIG": str(file), **(told or {})})


def test_without_anything_else_the_default_profile_holds(file: Path) -> None:
    found = place(file)
    assert found.over_http
    assert found.target == Target(
        url="https://shop.invalid/v1", key="of-shop", region="eu-west-1", profile="shop"
    )
    assert found.warnings == ()


def test_without_a_file_nothing_is_said(tmp_path: Path) -> None:
    assert place(tmp_path / "none") == Place(target=Target(), over_http=False)


def test_the_file_is_looked_for_where_configuration_is_kept(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / ".config" / "everstep"
    home.mkdir(parents=True)
    file.rename(home / "config.toml")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert find_place(Target(), {}).target.profile == "shop"
    xdg = {"XDG_CONFIG_HOME": str(home.parent)}
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_place(Target(), xdg).target.profile == "shop"
    assert find_place(Target(), {}).target.profile is None


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_profile_is_chosen_by_name(file: Path, by: str) -> None:
    found = (
        place(file, typed=Target(profile="aws"))
        if by == "option"
        else place(file, told={"EVERSTEP_PROFILE": "aws"})
    )
    assert not found.over_http
    target = found.target
    assert (target.stack, target.aws_profile, target.endpoint_url, target.workflows) == (
        "everstep",
        "work",
        "http://127.0.0.1:4566",
        "flows",
    )


def test_options_go_before_variables_and_those_before_the_profile(file: Path) -> None:
    typed = Target(region="typed")
    assert place(file, typed=typed, told={"EVERSTEP_REGION": "told"}).target.region == "typed"
    assert place(file, told={"EVERSTEP_REGION": "told"}).target.region == "told"
    assert place(file, told={"EVERSTEP_REGION": " "}).target.region == "eu-west-1"


@pytest.mark.parametrize(
    ("typed", "told", "over_http"),
    [
        (Target(), {}, True),
        (Target(stack="s"), {}, False),
        (Target(), {"EVERSTEP_TABLE": "t"}, False),
        (Target(url="u"), {"EVERSTEP_TABLE": "t"}, True),
        (Target(profile="aws"), {"EVERSTEP_URL": "u"}, True),
        (Target(), {"EVERSTEP_URL": "u", "EVERSTEP_STACK": "s"}, True),
    ],
)
def test_whatever_stands_in_front_decides_whether_it_is_the_api_or_aws(
    file: Path, typed: Target, told: dict[str, str], *, over_http: bool
) -> None:
    assert place(file, typed=typed, told=told).over_http is over_http


def test_what_needs_aws_itself_does_not_ask_the_api(file: Path) -> None:
    assert not find_place(Target(), {"EVERSTEP_CONFIG": str(file)}, directly=True).over_http


def test_a_stack_in_front_says_what_stands_further_back(file: Path) -> None:
    told = {"EVERSTEP_TABLE": "told", "EVERSTEP_BUCKET": "told"}
    found = place(file, typed=Target(stack="typed", bucket="typed"), told=told).target
    assert (found.stack, found.table, found.bucket) == ("typed", None, "typed")
    found = place(file, typed=Target(profile="aws"), told=told).target
    assert (found.stack, found.table, found.bucket) == ("everstep", "told", "told")


def test_the_key_of_a_profile_goes_to_its_own_url_only(file: Path) -> None:
    assert place(file, typed=Target(url="https://other.invalid")).target.key is None
    assert place(file, told={"EVERSTEP_URL": "https://other.invalid"}).target.key is None
    same = Target(url="https://shop.invalid/v1")
    assert place(file, typed=same).target.key == "of-shop"
    other = place(
        file, typed=Target(url="https://other.invalid"), told={"EVERSTEP_API_KEY": "told"}
    )
    assert other.target.key == "told"
    assert place(file, told={"EVERSTEP_API_KEY": "told"}).target.key == "told"


def test_a_key_is_not_shown(file: Path) -> None:
    assert "of-shop" not in repr(place(file))


def test_who_names_a_profile_is_told_what_goes_before_it(file: Path) -> None:
    told = {"EVERSTEP_URL": "https://other.invalid", "EVERSTEP_REGION": "eu-west-1"}
    assert place(file, typed=Target(profile="shop"), told=told).warnings == (
        "EVERSTEP_URL is set, and goes before what the profile shop says",
    )
    assert place(file, told=told).warnings == ()


def test_a_file_with_a_key_that_others_can_read_is_warned_of(file: Path) -> None:
    file.chmod(0o640)
    assert place(file).warnings == (f"{file} holds a key and others can read it: chmod 600 {file}",)
    assert place(file, typed=Target(profile="aws")).warnings == ()


def test_a_url_and_a_stack_are_two_deployments(file: Path) -> None:
    with pytest.raises(CommandError, match="give --url or --stack, not both"):
        place(file, typed=Target(url="u", stack="s"))


def test_how_the_api_is_told_who_asks_is_one_of_two(file: Path) -> None:
    assert place(file, told={"EVERSTEP_AUTH": "iam"}).target.auth == "iam"
    with pytest.raises(CommandError, match=r"must be key or iam, not 'aws'; look at --auth"):
        place(file, typed=Target(auth="aws"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("default =", "config.toml is no TOML: "),
        ("default = 3", "default in .*config.toml must be the name of a profile, not 3"),
        (
            "profile = 'x'",
            r"config.toml says profile, which nothing reads; did you mean profiles\?",
        ),
        ("default = 'x'\nprofiles = 3", r"profiles in .*config.toml must be a table: \[profiles\]"),
        ("default = 'x'", "there is no profile 'x' in .*config.toml; there are: none"),
        (
            "default = 'x'\n[profiles.y]\n[profiles.z]",
            "there is no profile 'x' in .*; there are: y, z",
        ),
        ("default = 'x'\n[profiles]\nx = 3", r"profiles.x in .* must be a table: \[profiles.x\]"),
        (
            "default = 'x'\n[profiles.x]\nurll = 'u'",
            r"says profiles.x.urll, which nothing reads; did you mean url\? \(allowed: url, key, ",
        ),
        ("default = 'x'\n[profiles.x]\nzzz = 'u'", r"zzz, which nothing reads \(allowed"),
        (
            "default = 'x'\n[profiles.x]\nurl = 3",
            "profiles.x.url in .* must be text that is not empty, not 3",
        ),
        (
            "default = 'x'\n[profiles.x]\nkey = ['secret']",
            "profiles.x.key in .* must be text that is not empty, not what it is$",
        ),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_key_and_what_is_allowed(
    file: Path, text: str, says: str
) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match=says) as error:
        place(file)
    assert error.value.exit_code == 2


def test_a_profile_that_there_is_not_is_an_error_also_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"there is no profile 'x': .*none does not exist"):
        place(tmp_path / "none", typed=Target(profile="x"))


def test_a_file_without_a_default_says_nothing_unless_it_is_asked(file: Path) -> None:
    file.write_text("[profiles.shop]\nurl = 'u'\n", encoding="utf-8")
    assert place(file).target == Target()


def test_a_file_that_cannot_be_read_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(CommandError, match=r"config.toml cannot be read: Permission denied"):
        place(file)
