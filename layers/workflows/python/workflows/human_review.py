"""A long review by a person, who shows signs of life; if they cease somebody else gets it."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field, HttpUrl

from everstep import CallbackFailed, CallbackTimeout, Context, Retry, step, workflow
from workflows.services import call

_PATIENT = Retry(max_attempts=10, initial_delay=1)


class Review(BaseModel):
    """What is to be read, by whom in turn, how long, and how long without a sign of life."""

    desk: HttpUrl
    document: str
    reviewers: list[str] = Field(min_length=1)
    tries: int = Field(default=3, ge=1)
    heartbeat: timedelta = Field(default=timedelta(minutes=30), gt=timedelta(0))
    longest: timedelta = Field(default=timedelta(days=2), gt=timedelta(0))


class Verdict(BaseModel):
    """What a reviewer completes the callback with."""

    accepted: bool
    remarks: list[str] = []


class Outcome(BaseModel):
    """How it ended: the verdict and whose it is, and why the others gave none."""

    verdict: Verdict | None = None
    by: str | None = None
    failed: dict[str, str] = {}


@step(retry=_PATIENT, timeout=15)
def hand_out(desk: HttpUrl, task: str, reviewer: str, document: str, token: str) -> None:
    """Lay the task on the desk of a reviewer, with the token to answer with."""
    body = {"reviewer": reviewer, "document": document, "token": token}
    call("PUT", desk, "tasks", task, body=body)


@step(retry=_PATIENT, timeout=15)
def take_away(desk: HttpUrl, task: str) -> None:
    """Take a task from the desk: somebody else gets it, or nobody any more."""
    call("DELETE", desk, "tasks", task)


@workflow(name="human-review")
async def human_review(ctx: Context, review: Review) -> Outcome:
    """Hand a document from reviewer to reviewer until one has read it, so many at most."""
    failed: dict[str, str] = {}
    for reviewer in review.reviewers[: review.tries]:
        verdict = ctx.callback(
            Verdict, timeout=review.longest, heartbeat=review.heartbeat, name="verdict"
        )
        task = str(ctx.uuid())
        async with ctx.saga() as saga:
            # Also when the run is cancelled, nobody goes on reading.
            saga.compensate(take_away, review.desk, task)
            await ctx.step(hand_out, review.desk, task, reviewer, review.document, verdict.token)
            try:
                return Outcome(verdict=await verdict, by=reviewer, failed=failed)
            except CallbackTimeout:
                failed[reviewer] = "not done, or no sign of life, in time"
            except CallbackFailed as failure:
                failed[reviewer] = failure.message
        await ctx.step(take_away, review.desk, task)
    return Outcome(failed=failed)
