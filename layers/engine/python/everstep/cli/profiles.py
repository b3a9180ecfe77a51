"""Profiles: deployments by name, in a file of one's own.

The file is TOML, at ``EVERSTEP_CONFIG``, else ``everstep/config.toml`` in ``XDG_CONFIG_HOME``
(``~/.config`` if that is not set)::

    default = "shop"  # the profile that holds where none is named

    [profiles.shop]
    url = "https://abc123.execute-api.eu-west-1.amazonaws.com/v1"
    key = "evs_…"

    [profiles.local]
    stack = "everstep-run"
    region = "us-east-1"
    endpoint = "http://127.0.0.1:4566"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from everstep.cli.exits import usage
from everstep.cli.options import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEYS: Final[Mapping[str, str]] = {
    "url": "url",
    "key": "key",
    "auth": "auth",
    "actor": "actor",
    "stack": "stack",
    "table": "table",
    "bucket": "bucket",
    "queue": "queue_url",
    "workflows": "workflows",
    "region": "region",
    "endpoint": "endpoint_url",
    "aws_profile": "aws_profile",
}
"""What a profile may say, and the field of ``Target`` that it fills."""
_TOP: Final = ("default", "profiles")
_READ_BY_OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One profile as the file has it.

    Attributes:
        name: What it is called; empty where there is none.
        target: What it says.
        warnings: What the user should know of the file.
    """

    name: str = ""
    target: Target = field(default_factory=Target)
    warnings: tuple[str, ...] = ()


def read_profile(environment: Mapping[str, str], named: str | None) -> Profile:
    """Return the profile of a name, or the file's default one, or one that says nothing.

    Args:
        environment: Says where the file is.
        named: What was asked for; None if nothing was.

    Raises:
        CommandError: The file, or what it says, cannot be used, or has no such profile.
    """
    path = _path(environment)
    if not path.is_file():
        if named is None:
            return Profile()
        raise usage(f"there is no profile {named!r}: {path} does not exist")
    read = _read(path)
    name = _default(path, read) if named is None else named
    if name is None:
        return Profile()
    profiles = _table(path, "profiles", read.get("profiles", {}))
    if name not in profiles:
        there = ", ".join(profiles) or "none"
        raise usage(f"there is no profile {name!r} in {path}; there are: {there}")
    said = _said(path, name, profiles[name])
    made = Target(**{KEYS[key]: value for key, value in said.items()})
    return Profile(name=name, target=made, warnings=tuple(_warnings(path, said)))


def _path(environment: Mapping[str, str]) -> Path:
    if given := environment.get("EVERSTEP_CONFIG"):
        return Path(given).expanduser()
    home = environment.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(home).expanduser() / "everstep" / "config.toml"


def _read(path: Path) -> dict[str, Any]:
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise usage(f"{path} is no TOML: {error}") from error
    except OSError as error:
        raise usage(f"{path} cannot be read: {error.strerror}") from error
    for key in read:
        if key not in _TOP:
            raise usage(_unknown(path, key, _TOP))
    return read


def _default(path: Path, read: dict[str, Any]) -> str | None:
    name = read.get("default")
    if name is not None and not isinstance(name, str):
        raise usage(f"default in {path} must be the name of a profile, not {name!r}")
    return name


def _said(path: Path, name: str, profile: object) -> dict[str, str]:
    where = f"profiles.{name}"
    said = _table(path, where, profile)
    for key, value in said.items():
        if key not in KEYS:
            raise usage(_unknown(path, f"{where}.{key}", KEYS))
        if not isinstance(value, str) or not value.strip():
            # What stands under `key` is a secret, whatever it is.
            given = "what it is" if key == "key" else repr(value)
            raise usage(f"{where}.{key} in {path} must be text that is not empty, not {given}")
    return said


def _table(path: Path, where: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise usage(f"{where} in {path} must be a table: [{where}]")
    return value


def _unknown(path: Path, key: str, allowed: Iterable[str]) -> str:
    near = get_close_matches(key.rpartition(".")[2], list(allowed), 1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return f"{path} says {key}, which nothing reads{meant} (allowed: {', '.join(allowed)})"


def _warnings(path: Path, said: Mapping[str, str]) -> Iterable[str]:
    if "key" in said and path.stat().st_mode & _READ_BY_OTHERS:
        yield f"{path} holds a key and others can read it: chmod 600 {path}"
