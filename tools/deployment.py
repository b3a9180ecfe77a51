"""What is to be deployed where, as the environment says, and SAM's command line for it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tools.aws_account import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_STACK: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,49}")
_STAGE: Final = re.compile(r"[A-Za-z0-9_]{1,128}")
_PARAMETER: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
# Each has a variable or a meaning of its own.
_TAKEN: Final = {"StageName": "STAGE", "Runtime": "RUNTIME", "Architecture": "ARCHITECTURE"}
PARAMETERS_ASKED: Final = {
    "AlarmEmail": "Mail address for alarms (AlarmEmail)",
    "ApiAuthorization": "Who may call the API: KEY, IAM or NONE (ApiAuthorization)",
}
"""The parameters that a person is asked for; all others have defaults that do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One deployment.

    Attributes:
        stack: Name of the stack.
        stage: Stage of the API.
        region: Region, or empty for that of the profile.
        profile: Profile of the AWS configuration, or empty.
        runtime: Python to build for.
        architecture: Processor to build for.
        parameters: Further parameters of the template.
    """

    stack: str = "everstep"
    stage: str = "v1"
    region: str = ""
    profile: str = ""
    runtime: str = "python3.13"
    architecture: str = "arm64"
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse, minutes later.

        Raises:
            UsageError: A name cannot be one.
        """
        if not _STACK.fullmatch(self.stack):
            raise UsageError(
                f"STACK is {self.stack!r}: a stack's name has letters, digits and hyphens, begins "
                "with a letter, and has at most 50 characters (functions are named after it)"
            )
        if not _STAGE.fullmatch(self.stage):
            raise UsageError(f"STAGE is {self.stage!r}: only letters, digits and underscores")

    def changed(self, **changes: Any) -> Plan:  # noqa: ANN401 - any of the fields
        """Return the plan with other values."""
        return replace(self, **changes)

    def command(self, sam: Path, template: Path, region: str, *, confirm: bool) -> list[str | Path]:
        """Return SAM's command line for a template that was built."""
        overrides = {
            "StageName": self.stage,
            "Runtime": self.runtime,
            "Architecture": self.architecture,
            **self.parameters,
        }
        return [
            *(sam, "deploy", "--template-file", template, "--stack-name", self.stack),
            *("--region", region, "--capabilities", "CAPABILITY_IAM"),
            *("--resolve-s3", "--s3-prefix", self.stack, "--no-fail-on-empty-changeset"),
            "--confirm-changeset" if confirm else "--no-confirm-changeset",
            *("--profile", self.profile) * bool(self.profile),
            "--parameter-overrides",
            *(f"{name}={shlex.quote(value)}" for name, value in overrides.items()),
        ]


def plan_of(environment: Mapping[str, str]) -> Plan:
    """Return what the variables ask for; one that is empty counts as not given.

    Raises:
        UsageError: A variable makes no sense; the message says which.
    """
    names = ("stack", "stage", "region", "profile", "runtime", "architecture")
    given = {name: environment.get(name.upper(), "").strip() for name in names}
    return Plan(
        **{name: value for name, value in given.items() if value},
        parameters=_parameters(environment.get("PARAMETERS", "")),
    )


def _parameters(text: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(f"PARAMETERS is {text!r}: {error}") from error
    parameters: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not _PARAMETER.fullmatch(name):
            raise UsageError(f'PARAMETERS has {word!r}: each is Name=value, as in "MemorySize=512"')
        if name in _TAKEN:
            raise UsageError(f"PARAMETERS has {name}: use the variable {_TAKEN[name]}")
        parameters[name] = value
    return parameters
