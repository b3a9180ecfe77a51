"""Poll a job that takes its time: look, sleep, look again, and carry on from look to look."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field, HttpUrl

from everstep import ConditionNotMet, Context, Retry, step, workflow
from workflows.services import call

_PATIENT = Retry(max_attempts=5, initial_delay=1)
_LONGEST_PAUSE = timedelta(minutes=10)
_DOUBLINGS = 10


class Export(BaseModel):
    """What to export, and how patiently to wait for it."""

    service: HttpUrl
    rows: int = Field(ge=1)
    first_pause: timedelta = Field(default=timedelta(seconds=10), gt=timedelta(0))
    looks: int = Field(default=50, ge=1)


class Look(BaseModel):
    """What one look has shown, and how much was read in all."""

    status: str = "unknown"
    lines: int = 0
    last_line: str | None = None


class Outcome(BaseModel):
    """How the job ended."""

    job: str
    status: str
    lines: int


@step(retry=_PATIENT, timeout=15)
def submit(service: HttpUrl, rows: int) -> str:
    """Start the job; asked twice under one key, the service starts one."""
    return str(call("POST", service, body={"rows": rows})["id"])


@step(retry=_PATIENT, timeout=15)
def look_at(service: HttpUrl, job: str, before: Look) -> Look:
    """Read only what the job has written since the look before."""
    told = call("GET", service, job, query=f"after={before.lines}")
    new = told["lines"]
    return Look(
        status=told["status"],
        lines=before.lines + len(new),
        last_line=new[-1] if new else before.last_line,
    )


@step(retry=_PATIENT, timeout=15)
def cancel(service: HttpUrl, job: str) -> None:
    """End a job that nobody waits for any more."""
    call("DELETE", service, job)


@workflow(name="slow-job")
async def slow_job(ctx: Context, export: Export) -> Outcome:
    """Start a job and wait until it is over; between two looks nothing runs."""

    def pause(looks: int) -> timedelta:
        longer: timedelta = export.first_pause * 2 ** min(looks - 1, _DOUBLINGS)
        return min(longer, _LONGEST_PAUSE)

    job = await ctx.step(submit, export.service, export.rows)
    try:
        end: Look = await ctx.wait_for_condition(
            look_at,
            export.service,
            job,
            initial=Look(),
            until=lambda look: look.status != "running",
            every=pause,
            max_attempts=export.looks,
            name="export",
        )
    except ConditionNotMet as given_up:
        await ctx.step(cancel, export.service, job)
        seen = Look.model_validate(given_up.last)
        return Outcome(job=job, status="given up", lines=seen.lines)
    return Outcome(job=job, status=end.status, lines=end.lines)
