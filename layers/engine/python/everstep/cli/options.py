"""Options that several commands share, each with one meaning.

No ``from __future__ import annotations`` here and in the modules of commands: typer reads the
annotations when the program starts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any, Final

import typer

_WHERE: Final = "Which deployment"

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs, and nothing else.")]
JsonLines = Annotated[
    bool, typer.Option("--json-lines", help="Print JSON, one line for each, as they come.")
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why, for the audit.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="The deployment's API (the stack's ApiUrl); else EVERSTEP_URL.",
        rich_help_panel=_WHERE,
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="KEY",
        help="The API key; better EVERSTEP_API_KEY or a profile: others can see what is typed.",
        rich_help_panel=_WHERE,
    ),
]
Auth = Annotated[
    str | None,
    typer.Option(
        "--auth",
        metavar="key|iam",
        help="How the API is told who asks: by a key, or by signing with AWS credentials; "
        "else EVERSTEP_AUTH, else: key.",
        rich_help_panel=_WHERE,
    ),
]
Actor = Annotated[
    str | None,
    typer.Option(
        "--actor",
        metavar="NAME",
        help="Who asks, for the audit; else EVERSTEP_ACTOR, else your login's name.",
        rich_help_panel=_WHERE,
    ),
]

Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        metavar="NAME",
        help="Directly on AWS: the CloudFormation stack, which says the rest; else EVERSTEP_STACK.",
        rich_help_panel=_WHERE,
    ),
]
Table = Annotated[
    str | None,
    typer.Option(
        "--table",
        metavar="NAME",
        help="The table; else EVERSTEP_TABLE.",
        rich_help_panel=_WHERE,
    ),
]
Bucket = Annotated[
    str | None,
    typer.Option(
        "--bucket",
        metavar="NAME",
        help="The bucket of large payloads; else EVERSTEP_BUCKET.",
        rich_help_panel=_WHERE,
    ),
]
QueueUrl = Annotated[
    str | None,
    typer.Option(
        "--queue-url",
        metavar="URL",
        help="The step queue; else EVERSTEP_QUEUE_URL. Reading needs none.",
        rich_help_panel=_WHERE,
    ),
]
Workflows = Annotated[
    str | None,
    typer.Option(
        "--workflows",
        metavar="PACKAGES",
        help="Packages that define workflows, separated by commas, found from this folder; "
        "else EVERSTEP_WORKFLOWS, else: workflows.",
        rich_help_panel=_WHERE,
    ),
]
Region = Annotated[
    str | None,
    typer.Option("--region", help="The AWS region; else EVERSTEP_REGION.", rich_help_panel=_WHERE),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="A profile of the configuration file; else EVERSTEP_PROFILE, else its default.",
        rich_help_panel=_WHERE,
    ),
]
AwsProfile = Annotated[
    str | None,
    typer.Option(
        "--aws-profile",
        metavar="NAME",
        help="A profile of the AWS configuration; else EVERSTEP_AWS_PROFILE.",
        rich_help_panel=_WHERE,
    ),
]
EndpointUrl = Annotated[
    str | None,
    typer.Option(
        "--endpoint-url",
        metavar="URL",
        help="Where AWS answers, for example LocalStack's address; else EVERSTEP_ENDPOINT_URL.",
        rich_help_panel=_WHERE,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which deployment a command is about, as it was typed; None for what was not.

    Attributes:
        url: Where the API is.
        key: The key for it.
        auth: How it is told who asks: ``key`` or ``iam``.
        actor: Who asks.
        stack: The name of the CloudFormation stack.
        table: The table's name.
        bucket: The bucket's name.
        queue_url: The step queue's address.
        workflows: Packages that define workflows.
        region: The AWS region.
        profile: A profile of the configuration file.
        aws_profile: A profile of the AWS configuration.
        endpoint_url: The address of every AWS service.
    """

    url: str | None = None
    key: str | None = field(default=None, repr=False)
    auth: str | None = None
    actor: str | None = None
    stack: str | None = None
    table: str | None = None
    bucket: str | None = None
    queue_url: str | None = None
    workflows: str | None = None
    region: str | None = None
    profile: str | None = None
    aws_profile: str | None = None
    endpoint_url: str | None = None


_OF_AWS: Final[Mapping[str, Any]] = {
    "stack": Stack,
    "table": Table,
    "bucket": Bucket,
    "queue_url": QueueUrl,
    "workflows": Workflows,
    "region": Region,
    "profile": Profile,
    "aws_profile": AwsProfile,
    "endpoint_url": EndpointUrl,
}
_OF_ANY: Final[Mapping[str, Any]] = {
    "url": Url,
    "key": Key,
    "auth": Auth,
    "actor": Actor,
    **_OF_AWS,
}


def of_deployment(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command every option of a deployment, which come as its ``target``."""
    return _with_options(command, _OF_ANY)


def of_aws(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of a deployment that is used directly, as its ``target``."""
    return _with_options(command, _OF_AWS)


def target_of(parameters: Mapping[str, Any]) -> Target:
    """Return what was typed of a deployment, of all that was."""
    names = [each.name for each in fields(Target)]
    return Target(**{name: parameters.get(name) for name in names})


def _with_options(command: Callable[..., int], options: Mapping[str, Any]) -> Callable[..., int]:
    own = [each for each in signature(command).parameters.values() if each.name != "target"]
    added = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in options.items()
    ]

    @wraps(command)
    def with_target(**given: Any) -> int:  # noqa: ANN401 - whatever the options hold
        others = {name: value for name, value in given.items() if name not in options}
        return command(**others, target=target_of(given))

    # What typer reads: every option as a parameter of its own.
    with_target.__dict__["__signature__"] = signature(command).replace(parameters=[*own, *added])
    with_target.__annotations__ = {each.name: each.annotation for each in [*own, *added]}
    return with_target
