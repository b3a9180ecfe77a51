"""Options that several commands share, each with one meaning.

No ``from __future__ import annotations`` here and in the modules of commands: typer reads the
annotations when the program starts.
"""

from dataclasses import dataclass
from typing import Annotated, Final

import typer

_WHERE: Final = "Which deployment"

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs, and nothing else.")]

Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        metavar="NAME",
        help="Take table, bucket and settings from this CloudFormation stack.",
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
    typer.Option("--region", help="The AWS region; else AWS's own.", rich_help_panel=_WHERE),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", help="A profile of the AWS configuration.", rich_help_panel=_WHERE),
]
EndpointUrl = Annotated[
    str | None,
    typer.Option(
        "--endpoint-url",
        metavar="URL",
        help="Where AWS answers, for example LocalStack's address.",
        rich_help_panel=_WHERE,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Which deployment a command looks at, as it was typed; None for what was not."""

    stack: str | None = None
    table: str | None = None
    bucket: str | None = None
    queue_url: str | None = None
    workflows: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
