"""A saga: flight, hotel and car are all booked and paid for, or all given back."""

from __future__ import annotations

from datetime import date, timedelta

from pydantic import BaseModel, Field, HttpUrl

from everstep import Context, EventTimeout, Retry, StepFailed, step, workflow
from workflows.services import RefusedError, call

_PATIENT = Retry(max_attempts=5, initial_delay=1)
_UNKNOWN = 404


class Trip(BaseModel):
    """What to book, and how long to hold it until it is paid for."""

    service: HttpUrl
    traveller: str
    destination: str
    day: date
    hold: timedelta = Field(default=timedelta(minutes=30), gt=timedelta(0))


class Payment(BaseModel):
    """The event ``paid``."""

    receipt: str


class Outcome(BaseModel):
    """How it ended: with every reference, or with the reason why nothing is booked."""

    booked: bool
    references: dict[str, str] = {}
    receipt: str | None = None
    reason: str | None = None


@step(retry=_PATIENT, timeout=15)
def book(trip: Trip, kind: str, booking: str) -> str:
    """Book one part under an id of our choice; return the reference."""
    body = {
        "traveller": trip.traveller,
        "destination": trip.destination,
        "day": trip.day.isoformat(),
    }
    return str(call("PUT", trip.service, kind, booking, body=body)["reference"])


@step(retry=_PATIENT, timeout=15)
def give_back(trip: Trip, kind: str, booking: str) -> bool:
    """Give one part back; say whether there was anything to give back."""
    try:
        call("DELETE", trip.service, kind, booking)
    except RefusedError as error:
        if error.status == _UNKNOWN:
            return False
        raise
    return True


@workflow(name="travel-booking")
async def travel_booking(ctx: Context, trip: Trip) -> Outcome:
    """Book everything or nothing; what cannot be undone fails the run, so that somebody looks."""
    references: dict[str, str] = {}
    try:
        async with ctx.saga() as saga:
            for kind in ("flights", "hotels", "cars"):
                booking = str(ctx.uuid())
                # Before booking: if all answers get lost, what was booked is given back as well.
                saga.compensate(give_back, trip, kind, booking)
                references[kind] = await ctx.step(book, trip, kind, booking)
            payment = await ctx.wait_for_event("paid", Payment, timeout=trip.hold)
    except StepFailed as failure:
        return Outcome(booked=False, reason=failure.message)
    except EventTimeout:
        return Outcome(booked=False, reason="not paid in time")
    return Outcome(booked=True, references=references, receipt=payment.receipt)
