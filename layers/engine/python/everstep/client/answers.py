"""What the API tells, as typed values; what a newer API adds is kept and does no harm."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from everstep.core.model import RunStatus


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)


class ErrorDetails(_Told):
    """Why a run failed, or an operation did.

    Attributes:
        type: Name of the exception class.
        message: Its message.
        operation: Key of the operation at fault, for example ``charge#1``.
    """

    type: str
    message: str
    operation: str | None = None


class LogLine(_Told):
    """A line that a run's code, or the engine, has said.

    Attributes:
        id: Identity within the run.
        at: When it was said.
        level: ``INFO``, ``ERROR`` and so on.
        source: ``workflow``, ``step``, ``engine`` or ``system``.
        step: The operation that it belongs to, if it belongs to one.
        attempt: The attempt of a step that said it.
        logger: The name of the logger; ``stdout`` or ``stderr`` of what was printed.
        message: The text.
        fields: What was said beside the text.
    """

    id: str
    at: datetime
    level: str
    source: str
    step: str | None = None
    attempt: int | None = None
    logger: str
    message: str
    fields: dict[str, Any] = Field(default_factory=dict)


class LogPage(_Told):
    """Lines of a run, in the order in which they were recorded.

    Attributes:
        lines: The lines.
        next: Where the next page begins; None if this is the last one by now.
        follow: From where to look for what comes later: some lines may come again, by their id.
            None once the run has ended.
    """

    lines: tuple[LogLine, ...] = Field(validation_alias=AliasChoices("logs", "lines"))
    next: str | None = None
    follow: str | None = None


class RunSummary(_Told):
    """A run as lists show it."""

    id: str = Field(validation_alias=AliasChoices("run_id", "id"), serialization_alias="run_id")
    workflow: str
    version: str
    status: RunStatus
    reference_id: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    created_at: datetime
    starts_at: datetime | None = None
    ended_at: datetime | None = None


class StepDetails(_Told):
    """One operation of a run; its fields are those of the API."""

    key: str
    name: str
    kind: str
    status: str
    attempt: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    wake_at: datetime | None = None
    lateness_ms: int | None = None
    duration_ms: int | None = None
    result: Any = None
    error: ErrorDetails | None = None


class RunDetails(RunSummary):
    """A run in full; its fields are those of the API, values as JSON, secrets masked."""

    started_at: datetime | None = None
    wake_at: datetime | None = None
    deadline: datetime | None = None
    input: Any = None
    result: Any = None
    error: ErrorDetails | None = None
    stall: ErrorDetails | None = None
    successor: str | None = None
    steps: tuple[StepDetails, ...] = ()


class Taken(_Told):
    """What was taken, in units as AWS bills them, and in dollars."""

    dollars: float
    read_units: float
    write_units: int
    index_write_units: int
    table_requests: int
    sqs_sends: int
    sqs_polls: float
    invocations: float
    milliseconds: int
    gb_seconds: float
    s3_puts: int = 0
    s3_gets: int = 0
    api_requests: int = 0


class StepTaken(Taken):
    """What was taken for one operation of a run."""

    key: str


class Prices(_Told):
    """By which prices dollars are told."""

    date: str
    region: str
    architecture: str


class RunCost(Taken):
    """What a run has cost.

    Attributes:
        complete: Whether the run has ended, and nothing is to come.
        successor: The run that goes on in its place.
        chain: What it has cost together with the runs in whose place it goes on, if there are any.
        dollars_by: Dollars by what is paid for.
        steps: What was recorded with each operation.
        rest: What belongs to none of them: the start and the end of the run.
        prices: By which prices dollars are told.
    """

    complete: bool
    successor: str | None = None
    chain: Taken | None = None
    dollars_by: dict[str, float]
    steps: tuple[StepTaken, ...] = ()
    rest: Taken
    prices: Prices


class AuditEntry(_Told):
    """What was done to a run; ``number`` counts from 1, 0 is its birth.

    That its code began is no entry of the chain, and has no number.
    """

    number: int | None
    at: datetime
    action: str
    by: str | None = None
    reason: str | None = None
    details: dict[str, str] = Field(default_factory=dict)
    previous: str | None = None
    hash: str | None = None


class AuditBreak(_Told):
    """What was done to an entry of an audit: it was edited, removed, inserted or reordered."""

    number: int
    harm: str
    detail: str


class AuditVerdict(_Told):
    """What a check of an audit has found.

    Attributes:
        whole: Whether nothing was found.
        proven: Whether birth and end are covered; not so of runs of earlier releases.
        entries: How many entries there are.
        hash: The hash of the last entry: what to write down elsewhere, to compare it later.
        breaks: What was found.
    """

    whole: bool
    proven: bool
    entries: int
    hash: str | None = None
    breaks: tuple[AuditBreak, ...] = ()


class Awaited(_Told):
    """One thing that a run waits for, and how that is."""

    key: str
    kind: str
    state: str
    says: str
    since: datetime | None = None
    until: datetime | None = None
    window: str | None = None


class Foreseen(_Told):
    """What will be done by itself: the kind of message, and when it is sent at the latest."""

    message: str
    at: datetime


class Diagnosis(_Told):
    """Why a run does not move, what will happen by itself, and which repair is safe now."""

    id: str = Field(validation_alias=AliasChoices("run_id", "id"), serialization_alias="run_id")
    status: RunStatus
    cause: str
    says: str
    since: datetime | None = None
    until: datetime | None = None
    window: str | None = None
    awaited: tuple[Awaited, ...] = ()
    foreseen: Foreseen | None = None
    repair: str | None = None
    advice: str | None = None


class VersionInfo(_Told):
    """One version of a workflow; a schema is None where a type has none."""

    version: str
    input_schema: dict[str, Any] | None = None
    output_schema: dict[str, Any] | None = None


class WorkflowInfo(_Told):
    """A workflow that is deployed, its versions oldest first."""

    name: str
    versions: tuple[VersionInfo, ...]
