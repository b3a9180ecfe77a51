"""Which deployment is meant: what is typed, before the environment, before the profile.

A place is either an API, at a url, or AWS itself, by a stack or by its parts. Whatever stands
further in front decides which: with ``--stack`` the environment's ``EVERSTEP_URL`` is not looked
at. Within AWS a part that stands further back than the stack is the stack's to say.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final

from everstep.cli.exits import usage
from everstep.cli.options import Target
from everstep.cli.profiles import read_profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from everstep.cli.profiles import Profile

VARIABLES: Final[Mapping[str, str]] = {
    "url": "EVERSTEP_URL",
    "key": "EVERSTEP_API_KEY",
    "auth": "EVERSTEP_AUTH",
    "actor": "EVERSTEP_ACTOR",
    "stack": "EVERSTEP_STACK",
    "table": "EVERSTEP_TABLE",
    "bucket": "EVERSTEP_BUCKET",
    "queue_url": "EVERSTEP_QUEUE_URL",
    "workflows": "EVERSTEP_WORKFLOWS",
    "region": "EVERSTEP_REGION",
    "profile": "EVERSTEP_PROFILE",
    "aws_profile": "EVERSTEP_AWS_PROFILE",
    "endpoint_url": "EVERSTEP_ENDPOINT_URL",
}
"""The environment's name for every field of ``Target``."""
PARTS: Final = ("table", "bucket", "queue_url", "workflows")
"""What a stack says, where it is not said by itself."""
AUTHS: Final = ("key", "iam")
"""How an API is told who asks."""
_WHERE: Final = ("url", "stack", "table")
_OPTIONS: Final = {"url": "--url", "stack": "--stack", "table": "--table"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a command is about.

    Attributes:
        target: Every part, from wherever it came.
        over_http: Whether it is reached through its API.
        warnings: What the user should know.
    """

    target: Target
    over_http: bool
    warnings: tuple[str, ...] = ()


def find_place(typed: Target, environment: Mapping[str, str], *, directly: bool = False) -> Place:
    """Return the deployment that is meant.

    Args:
        typed: What was typed.
        environment: The variables.
        directly: Whether the API will not do.

    Raises:
        CommandError: None is, or the profile cannot be used.
    """
    told = _of_environment(environment)
    named = typed.profile or told.profile
    profile = read_profile(environment, named)
    layers = (typed, told, profile.target)
    over_http = not directly and _is_api(layers)
    found = {name: _first(layers, name) for name in VARIABLES}
    seen = _up_to_the_stack(layers)
    found |= {name: _first(seen, name) for name in PARTS}
    found["key"] = _key(layers)
    if found["auth"] not in (None, *AUTHS):
        raise usage(
            f"how the API is told who asks must be {' or '.join(AUTHS)}, not {found['auth']!r}; "
            "look at --auth, EVERSTEP_AUTH and the profile"
        )
    return Place(
        target=replace(Target(**found), profile=profile.name or None),
        over_http=over_http,
        warnings=(*profile.warnings, *_overruled(typed, told, profile)),
    )


def _of_environment(environment: Mapping[str, str]) -> Target:
    values = {name: environment.get(variable, "") for name, variable in VARIABLES.items()}
    return Target(**{name: value for name, value in values.items() if value.strip()})


def _first(layers: Sequence[Target], name: str) -> str | None:
    found = (getattr(layer, name) for layer in layers)
    return next((value for value in found if value is not None), None)


def _is_api(layers: Sequence[Target]) -> bool:
    """Say whether the first layer that says where says so by a url."""
    for number, layer in enumerate(layers):
        named = [name for name in _WHERE if getattr(layer, name) is not None]
        if number == 0 and "url" in named and len(named) > 1:
            raise usage(f"give --url or {_OPTIONS[named[1]]}, not both: they name two deployments")
        if named:
            return "url" in named
    return False


def _up_to_the_stack(layers: Sequence[Target]) -> Sequence[Target]:
    for number, layer in enumerate(layers, start=1):
        if layer.stack is not None:
            return layers[:number]
    return layers


def _key(layers: Sequence[Target]) -> str | None:
    """Return the key; that of a profile is for the url of the profile, and for no other."""
    *before, profile = layers
    if _first(before, "url") not in (None, profile.url):
        return _first(before, "key")
    return _first(layers, "key")


def _overruled(typed: Target, told: Target, profile: Profile) -> tuple[str, ...]:
    """Tell who names a profile that the environment, which goes before it, says otherwise."""
    if typed.profile is None:
        return ()
    said = asdict(profile.target)
    return tuple(
        f"{VARIABLES[name]} is set, and goes before what the profile {profile.name} says"
        for name, value in asdict(told).items()
        if value is not None and getattr(typed, name) is None and said[name] not in (None, value)
    )
