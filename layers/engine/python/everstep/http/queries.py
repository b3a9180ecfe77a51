"""What the calls of the api function take: their queries, headers and bodies."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field

from everstep.app.options import LONGEST_WHO, LONGEST_WHY, MOST_TAGS
from everstep.app.query import LARGEST_PAGE
from everstep.app.run_logs import LARGEST_PAGE as MOST_LINES
from everstep.core.durations import DAY, SECOND
from everstep.core.model import RunStatus  # noqa: TC001 - pydantic reads it
from everstep.core.run_logs import LogSource  # noqa: TC001 - the same
from everstep.http.contract import DIGITS, Asked, IdempotencyKey, Instant
from everstep.http.options import TAG, ReferenceId, Tags

LONGEST_WAIT: Final = 20
"""Seconds; API Gateway hangs up after 29."""
DEFAULT_PAGE: Final = 20
LONGEST_CURSOR: Final = 1024
LONGEST_TYPE: Final = 200
LONGEST: Final = 100 * 365 * DAY
"""Milliseconds that a key, or an overlap of its secrets, may last."""

Cursor = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_CURSOR,
        description="The `cursor` of the page before; null there means that there is no more.",
    ),
]
Limit = Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="At most so many."), DIGITS]


def _words(value: object) -> object:
    return tuple(filter(None, value.split(","))) if isinstance(value, str) else value


def _capitals(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class PageQuery(Asked):
    """Query of whatever is shown page by page."""

    limit: Limit = LARGEST_PAGE
    cursor: Cursor | None = None


class AuditQuery(PageQuery):
    """Query of an audit."""

    verify: bool = Field(
        default=False, description="Check the whole of it, and say what was done to which entry."
    )


class RunsQuery(PageQuery):
    """Query of a list of runs."""

    repeatable: ClassVar[frozenset[str]] = frozenset({TAG})

    limit: Limit = DEFAULT_PAGE
    workflow: str | None = Field(
        None,
        min_length=1,
        description="Only runs of this workflow; of every one if absent.",
    )
    status: RunStatus | None = Field(None, description="Only runs with this status.")
    tag: Annotated[Tags, Field(max_length=MOST_TAGS)] = ()
    reference_id: ReferenceId | None = None
    since: Instant | None = Field(None, description="Only runs accepted at this time or later.")
    until: Instant | None = Field(None, description="Only runs accepted before this time.")


Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Includable = Literal["steps", "logs", "audit", "events", "cost"]


class RunQuery(Asked):
    """Query of one run."""

    include: Annotated[tuple[Includable, ...], BeforeValidator(_words)] = Field(
        ("steps",), description="What to show beside the run itself, separated by commas."
    )


class IfNoneMatch(Asked):
    """Headers of a question whose answer may be known already."""

    if_none_match: str | None = Field(None, description="Entity tags of answers that are known.")


class ResultQuery(Asked):
    """Query of a result."""

    wait: Annotated[int, Field(ge=0, le=LONGEST_WAIT), DIGITS] = Field(
        0, description="Seconds to wait for the end of the run."
    )
    form: Literal["plain", "recorded"] = Field(
        "plain", description="Plain JSON, or as it is recorded, for clients that decode it."
    )


class LogsQuery(Asked):
    """Query of what a run has said."""

    level: Annotated[Level, BeforeValidator(_capitals)] | None = Field(
        None, description="Only lines at least as severe."
    )
    since: Instant | None = Field(None, description="Only lines from this time on.")
    until: Instant | None = Field(None, description="Only lines before this time.")
    step: str | None = Field(
        None, description="Only lines of this operation, or of all of this name."
    )
    source: LogSource | None = Field(None, description="Only lines of this source.")
    grep: str | None = Field(None, description="Only lines that contain this, in capitals or not.")
    limit: Annotated[int, Field(ge=1, le=MOST_LINES), DIGITS] = Field(
        100, description="At most so many."
    )
    after: str | None = Field(
        None, max_length=LONGEST_CURSOR, description="`next` or `follow` of the page before."
    )


class HealthQuery(Asked):
    """Query of the health of the deployment."""

    deep: Annotated[int, Field(ge=0, le=1), DIGITS] = Field(
        0, description="1 also reads from the table."
    )


class KeyHeaders(Asked):
    """Headers of what can be repeated."""

    idempotency_key: IdempotencyKey | None = None


class ActorHeaders(Asked):
    """Headers of whoever controls a run."""

    everstep_actor: str | None = Field(
        None, min_length=1, max_length=LONGEST_WHO, description="Who asks, for the audit."
    )


class ActorKeyHeaders(ActorHeaders, KeyHeaders):
    """Headers of whoever makes a run of another one."""


class ControlBody(Asked):
    """Who controls a run, and what for."""

    by: str | None = Field(None, min_length=1, max_length=LONGEST_WHO, description="Who asks.")
    reason: str | None = Field(None, min_length=1, max_length=LONGEST_WHY, description="What for.")


class ResumeBody(ControlBody):
    """Who resumes a run, and what it may cost from now on."""

    budget: float | None = Field(
        None, gt=0, description="Dollars, all that it has cost included; as before if absent."
    )


class CancelBody(ControlBody):
    """Who cancels a run, and how."""

    force: bool = Field(
        default=False,
        strict=True,
        description="End it at once, whatever its code would do: nothing is undone.",
    )


class ForkBody(ControlBody):
    """Where a new run goes on, and with what."""

    from_step: str = Field(description="Key of the first operation to execute again: `charge#1`.")
    input: Any = Field(None, description="The new run's input; that of the old one if absent.")


Span = Annotated[int, Field(strict=True, ge=0, le=LONGEST // SECOND)]
Texts = list[Annotated[str, Field(strict=True)]]


class KeyBody(Asked):
    """What a new API key is to be good for."""

    name: str = Field(description="Whose it is, or what for.")
    scopes: Texts = Field([], description="Some of trigger, read, control and admin.")
    workflows: Texts = Field([], description="The workflows that it is limited to; none for all.")
    expires_in: Span | None = Field(None, description="Seconds; for ever if absent.")
    rate: Annotated[int, Field(strict=True)] | None = Field(
        None, description="Calls a minute that it may make; as many as it likes if absent."
    )


class RotationBody(Asked):
    """How an API key is rotated."""

    overlap: Span | None = Field(
        None, description="Seconds for which the present secret stays good; a day if absent."
    )
    expires_in: Span | None = Field(None, description="Seconds; as before if absent.")


class FailBody(Asked):
    """Why a callback could not be completed."""

    type: Annotated[str, Field(min_length=1, max_length=LONGEST_TYPE)] = Field(
        description="What kind of failure it is."
    )
    message: str = Field("", description="What is to be said of it.")
