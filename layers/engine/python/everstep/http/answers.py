"""What the calls answer, as ``/openapi.json`` describes it; nothing else loads this module.

``rendering`` writes the answers; the tests hold every answer that they get against these models.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from everstep.core.audit import Action
from everstep.core.audit_check import Harm
from everstep.core.diagnosis import Cause, Repair, State, Window
from everstep.core.model import MessageKind, OpKind, RunStatus
from everstep.core.run_logs import LogSource
from everstep.http.cost_answers import Answer, CostShown

Time = str | None


class Accepted(Answer):
    """A run that was accepted, or was before."""

    run_id: str
    status: RunStatus


class ErrorShown(Answer):
    """Why something failed."""

    type: str
    message: str
    operation: str | None


class StallShown(ErrorShown):
    """Why a run stands still."""

    at: str
    message_body: str | None = None


class ParentShown(Answer):
    """The operation that has started a run."""

    run_id: str
    operation: str


class OriginShown(Answer):
    """Where a run goes on that goes on from another one."""

    run_id: str
    from_step: str | None


class EndingShown(Answer):
    """What a run is to end as before its code does, and who asked for it."""

    status: RunStatus
    at: str
    by: str | None
    reason: str | None


class ChildShown(Answer):
    """A run that an operation has started, or waits for."""

    run_id: str
    status: RunStatus | None


class StepShown(Answer):
    """An operation of a run."""

    key: str
    name: str
    kind: OpKind
    status: Literal["SCHEDULED", "WAITING", "STARTED", "RETRY", "DONE", "FAILED", "CANCELLED"]
    attempt: int
    started_at: Time
    ended_at: Time
    wake_at: Time
    lateness_ms: int | None
    duration_ms: int | None
    result: Any
    error: ErrorShown | None
    child: ChildShown | None


class AuditShown(Answer):
    """An entry of the audit."""

    number: int | None = Field(description="Null for what is no entry of the chain.")
    at: str
    action: Action
    by: str | None
    reason: str | None
    details: dict[str, str]
    previous: str | None
    hash: str | None


class BreakShown(Answer):
    """What was done to an entry of the audit."""

    number: int
    harm: Harm
    detail: str


class VerdictShown(Answer):
    """What a check of the audit has found."""

    whole: bool
    proven: bool
    entries: int
    hash: str | None
    breaks: list[BreakShown]


class EventShown(Answer):
    """An event that was sent to a run."""

    name: str
    number: int
    at: str
    payload: Any
    taken_by: str | None


class RunListed(Answer):
    """A run as lists show it."""

    run_id: str
    workflow: str
    version: str
    status: RunStatus
    reference_id: str | None
    tags: dict[str, str]
    created_at: str
    starts_at: Time
    ended_at: Time


class RunShown(RunListed):
    """A run in full."""

    started_at: Time
    wake_at: Time
    deadline: Time
    input: Any
    result: Any
    error: ErrorShown | None
    stall: StallShown | None
    successor: str | None
    parent: ParentShown | None
    ending: EndingShown | None
    origin: OriginShown | None
    correlation_id: str
    trace_id: str
    steps: list[StepShown] = Field([], description="If included.")
    logs: list[LineShown] = Field([], description="If included: the first lines.")
    audit: list[AuditShown] = Field([], description="If included.")
    events: list[EventShown] = Field([], description="If included.")
    cost: CostShown | None = Field(None, description="If included.")


class RunPage(Answer):
    """A page of runs."""

    runs: list[RunListed]
    cursor: str | None


class HistoryPage(Answer):
    """A page of a run's operations, in the order in which the code asked for them."""

    run_id: str
    history: list[StepShown]
    cursor: str | None


class AuditPage(Answer):
    """A page of a run's audit."""

    audit: list[AuditShown]
    cursor: str | None
    verified: VerdictShown | None = Field(None, description="If asked for.")


class EventPage(Answer):
    """A page of a run's events, by name in the order in which they came."""

    run_id: str
    events: list[EventShown]
    cursor: str | None


class Ended(Answer):
    """How a run ended: with a result, an error or a successor."""

    run_id: str
    status: RunStatus
    result: Any = None
    error: ErrorShown | None = None
    successor: str | None = None


class Made(Accepted):
    """A run that goes on from another one."""

    origin: OriginShown


class EventKept(Answer):
    """An event that was kept."""

    run_id: str
    event: str
    number: int


class CallbackAnswered(Answer):
    """What a callback was answered."""

    status: Literal["completed", "failed", "alive"]


class VersionShown(Answer):
    """A version of a workflow, with the JSON schemas of its input and output."""

    version: str
    input_schema: Any
    output_schema: Any


class WorkflowShown(Answer):
    """A workflow, its versions oldest first."""

    name: str
    versions: list[VersionShown]


class Fault(Answer):
    """A module that was left out, and why."""

    module: str
    type: str
    message: str


class WorkflowPage(Answer):
    """A page of workflows by name, and what could not be imported."""

    workflows: list[WorkflowShown]
    faults: list[Fault]
    cursor: str | None


class Health(Answer):
    """That the function runs."""

    status: Literal["ok"]
    version: str


class LineShown(Answer):
    """A line that a run's code, or the engine about it, has said."""

    id: str
    at: str
    level: str
    source: LogSource
    step: str | None
    attempt: int | None
    logger: str
    message: str
    fields: dict[str, Any]


class LogPage(Answer):
    """A page of a run's lines, in the order in which they were recorded."""

    logs: list[LineShown]
    next: str | None
    follow: str | None


class AwaitedShown(Answer):
    """One thing that a run waits for, and how that is."""

    key: str
    kind: OpKind
    state: State
    says: str
    since: Time
    until: Time
    window: Window | None


class ForeseenShown(Answer):
    """What the sweeper will do by itself: the message that it sends, and when at the latest."""

    message: MessageKind
    at: str


class DiagnosisShown(Answer):
    """Why a run does not move, what will happen by itself, and which repair is safe now."""

    run_id: str
    status: RunStatus
    cause: Cause
    says: str
    since: Time
    until: Time
    window: Window | None
    awaited: list[AwaitedShown]
    foreseen: ForeseenShown | None
    repair: Repair | None
    advice: str | None


class Repaired(Answer):
    """What was found, and what was done about it; null if nothing was."""

    run_id: str
    done: Repair | None
    found: DiagnosisShown


class KeyShown(Answer):
    """An API key, without its secret."""

    key_id: str
    name: str
    status: str
    scopes: list[str]
    workflows: list[str]
    rate: int | None
    created_at: str
    expires_at: Time
    revoked_at: Time
    last_used_at: Time
    former_secret_until: Time


class KeyIssued(KeyShown):
    """An API key with its secret, which is shown this once."""

    key: str


class KeyPage(Answer):
    """A page of API keys."""

    keys: list[KeyShown]
    cursor: str | None


class Document(BaseModel):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow", defer_build=True)
    openapi: str


class Mistake(Answer):
    """One part of a request that is wrong."""

    loc: list[str | int]
    msg: str
    type: str


class Problem(Answer):
    """Why a call was refused (RFC 9457); ``detail`` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[Mistake] = Field([], description="Every mistake, if there are several parts.")
    parameter: str | None = Field(None, description="The option that is wrong.")
    run_id: str | None = Field(None, description="The run that is meant, or is in the way.")
    needs: str | None = Field(None, description="The scope that the key lacks.")
    setting: str | None = Field(None, description="The setting that limits the runs.")
    workflow: str | None = Field(None, description="The workflow that it limits; null for all.")
    retry_after: int | None = Field(None, description="Seconds after which to repeat the call.")
    size: int | None = Field(None, description="Bytes that it has.")
    limit: int | None = Field(None, description="Bytes that it may have.")
