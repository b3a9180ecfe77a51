"""Where settings come from: the environment before a file before what the code says.

A file is TOML with one key per setting, the variable's name in small letters without its prefix:
``EVERSTEP_LOG_LEVEL`` is ``log_level``. It is read once per process, and only where there is one;
all that is wrong is told at once, each with its place and with what is allowed.
"""

from __future__ import annotations

import re
from dataclasses import MISSING
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from everstep.core.errors import EverstepError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from everstep.setting_kinds import Kind

PREFIX: Final = "EVERSTEP_"
FILE: Final = "everstep.toml"
FILE_VARIABLE: Final = "EVERSTEP_CONFIG_FILE"
HIDDEN: Final = "***"
"""What is shown instead of a secret."""
_PERHAPS: Final = 0.6
_SURE: Final = 0.85


class SettingsError(EverstepError):
    """Say which settings are wrong, where each was given, what was given and what is allowed.

    Attributes:
        problems: One sentence for each.
    """

    def __init__(self, *problems: str) -> None:
        """Join what is wrong into one message."""
        self.problems = problems
        many = f"{len(problems)} settings are wrong: " if len(problems) > 1 else ""
        super().__init__(many + "; ".join(problems))


class Source(StrEnum):
    """Where a value comes from."""

    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


class Setting(NamedTuple):
    """One line of the table of settings.

    Attributes:
        name: Name of the attribute, and its key in a file.
        kind: What it can be.
        meaning: What it decides, as a phrase.
        default: Its value where nobody gives one; ``MISSING`` where somebody must.
        parameter: The parameter of the template that the functions get it from, or another
            property of the template; None where the template leaves it to the file.
        secret: Whether its value is never shown.
    """

    name: str
    kind: Kind
    meaning: str
    default: object = MISSING
    parameter: str | None = None
    secret: bool = False

    @property
    def variable(self) -> str:
        """Return the name of its environment variable."""
        return PREFIX + self.name.upper()

    @property
    def required(self) -> bool:
        """Say whether somebody must give it."""
        return self.default is MISSING

    def shown(self, value: object) -> str:
        """Return a value as a person may see it."""
        return HIDDEN if self.secret else self.kind.text(value)


class Found(NamedTuple):
    """The value of a setting, and where it comes from.

    Attributes:
        setting: The setting.
        value: Its value.
        source: Who gave it.
        place: The variable, or the file and line; empty for a default.
    """

    setting: Setting
    value: Any
    source: Source
    place: str = ""

    @property
    def shown(self) -> str:
        """Return the value as a person may see it."""
        return self.setting.shown(self.value)


class Examined(NamedTuple):
    """What an environment and a file come to.

    Attributes:
        found: Settings that are right, by name.
        missing: Names of those that somebody must give and nobody does.
        problems: What is wrong, each a sentence; those that are missing included.
    """

    found: Mapping[str, Found]
    missing: frozenset[str]
    problems: tuple[str, ...]


class File(NamedTuple):
    """A file of settings; one that cannot be read holds nothing, and why in ``problems``."""

    path: str
    text: str = ""
    data: Mapping[str, object] = MappingProxyType({})
    problems: tuple[str, ...] = ()

    def place(self, key: str) -> str:
        """Return the file and, where it can be told, the line of a key."""
        found = re.search(rf"^\s*\[?\s*[\"']?{re.escape(key)}\b", self.text, re.MULTILINE)
        if found is None:
            return self.path
        first = found.end() - len(found[0].lstrip())
        return f"{self.path}:{self.text.count(chr(10), 0, first) + 1}"


def find_file(environment: Mapping[str, str], folders: Iterable[str | Path]) -> File | None:
    """Return the file that ``EVERSTEP_CONFIG_FILE`` names, else the first one in some folders."""
    named = environment.get(FILE_VARIABLE, "").strip()
    if named:
        return read_file(named)
    for folder in folders:
        path = Path(folder) / FILE
        if path.is_file():
            return read_file(str(path))
    return None


def read_file(path: str) -> File:
    """Return what a file says, or why it says nothing."""
    import tomllib

    try:
        text = Path(path).read_text(encoding="utf-8")
        return File(path=path, text=text, data=tomllib.loads(text))
    except OSError as error:
        return File(path=path, problems=(f"{path} cannot be read: {error.strerror}",))
    except ValueError as error:
        return File(path=path, problems=(f"{path} is no TOML: {error}",))


def look_up(
    settings: Mapping[str, Setting], environment: Mapping[str, str], file: File | None = None
) -> Mapping[str, Found]:
    """Return every setting's value: of the environment, else of the file, else the default.

    A variable that is empty counts as not set.

    Raises:
        SettingsError: Values are wrong or missing, or the file has keys that nobody knows.
    """
    examined = examine(settings, environment, file)
    if examined.problems:
        raise SettingsError(*examined.problems)
    return examined.found


def examine(
    settings: Mapping[str, Setting], environment: Mapping[str, str], file: File | None = None
) -> Examined:
    """Return every setting's value, and all that is wrong with the others."""
    problems = [] if file is None else [*file.problems, *_unknown(settings, file)]
    found: dict[str, Found] = {}
    missing: set[str] = set()
    for setting in settings.values():
        try:
            value = _value(setting, environment, file)
        except SettingsError as error:
            problems += error.problems
            continue
        if value is None:
            missing.add(setting.name)
            problems.append(_not_set(setting))
        else:
            found[setting.name] = value
    return Examined(found=found, missing=frozenset(missing), problems=tuple(problems))


def _value(setting: Setting, environment: Mapping[str, str], file: File | None) -> Found | None:
    text = environment.get(setting.variable, "")
    if text.strip():
        return _read(setting, text, setting.variable, Source.ENVIRONMENT)
    if file is not None and setting.name in file.data:
        data = file.data[setting.name]
        return _read(setting, data, file.place(setting.name), Source.FILE)
    if setting.required:
        return None
    return Found(setting=setting, value=setting.default, source=Source.DEFAULT)


def _not_set(setting: Setting) -> str:
    given = f"{setting.variable} must be set, or {setting.name} in {FILE}"
    return f"{given}: it must {setting.kind.allowed}"


def _read(setting: Setting, given: object, place: str, source: Source) -> Found:
    try:
        if source is Source.ENVIRONMENT:
            value = setting.kind.of_text(str(given))
        else:
            value = setting.kind.of_data(given)
    except ValueError as error:
        where = f"{setting.name} in {place}" if source is Source.FILE else place
        what = "" if setting.secret else f", not {given!r}"
        raise SettingsError(f"{where} must {setting.kind.allowed}{what}") from error
    return Found(setting=setting, value=value, source=source, place=place)


def _unknown(settings: Mapping[str, Setting], file: File) -> Iterator[str]:
    for key in file.data:
        if key not in settings:
            near = similar(key, settings)
            meant = f"did you mean {near}?" if near else "everstep config says which there are"
            yield f"{key} in {file.place(key)} is no setting: {meant}"


def similar(name: str, known: Iterable[str], *, sure: bool = False) -> str | None:
    """Return what a name that nobody knows was perhaps meant to be, or surely."""
    from difflib import get_close_matches

    cutoff = _SURE if sure else _PERHAPS
    return next(iter(get_close_matches(name.lower(), list(known), n=1, cutoff=cutoff)), None)
