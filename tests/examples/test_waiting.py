"""The examples that wait and undo: travel-booking, slow-job."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from everstep.testing import TestEngine, crash_matrix
from tests.examples.test_in_memory import EXAMPLES, example_input
from workflows.slow_job import Export, slow_job
from workflows.slow_job import Outcome as Exported
from workflows.travel_booking import Outcome, Payment, Trip, travel_booking

if TYPE_CHECKING:
    from everstep.testing import TestRun
    from examples.services.everything import Services
    from tests.examples.conftest import Direct


def trip(url: str) -> Trip:
    return Trip.model_validate({**example_input("travel_booking"), "service": f"{url}/travel"})


def export(url: str, **options: object) -> Export:
    named = {"service": f"{url}/jobs", **options}
    return Export.model_validate({**example_input("slow_job"), **named})


PAID = Payment.model_validate_json((EXAMPLES / "travel_booking" / "paid.json").read_text())

# --- travel-booking


@pytest.mark.network
def test_a_trip_that_is_paid_in_time_is_booked(services: Services, url: str) -> None:
    engine = TestEngine([travel_booking])
    run = engine.start(travel_booking, trip(url))
    engine.run_until_idle()
    assert run.status == "WAITING"
    engine.advance(timedelta(minutes=29))
    engine.send_event(run.id, "paid", PAID)
    engine.run_until_idle()
    assert run.result is not None
    assert run.result.booked
    assert run.result.receipt == "receipt-1"
    assert services.travel.events == ["booked flights", "booked hotels", "booked cars"]
    engine.verify()


@pytest.mark.network
def test_when_there_is_no_car_the_rest_is_given_back_last_first(
    services: Services, url: str
) -> None:
    services.travel.sold_out.add("cars")
    engine = TestEngine([travel_booking])
    run = engine.start(travel_booking, trip(url))
    engine.run_until_idle()
    assert run.result == Outcome(booked=False, reason="PUT 127.0.0.1 answered 409")
    assert services.travel.events == [
        "booked flights",
        "booked hotels",
        "gave back hotels",
        "gave back flights",
    ]
    # The car was asked to be given back first, and there was none.
    assert [op.result for op in run.history if op.key.startswith("give_back")] == [
        False,
        True,
        True,
    ]
    engine.verify()


def test_a_trip_that_is_not_paid_in_time_is_given_back(direct: Direct) -> None:
    engine = TestEngine([travel_booking])
    run = engine.start(travel_booking, trip(direct.url))
    engine.advance(timedelta(minutes=31))
    assert run.result == Outcome(booked=False, reason="not paid in time")
    assert direct.services.travel.booked == {}
    assert direct.services.travel.events[3:] == [
        "gave back cars",
        "gave back hotels",
        "gave back flights",
    ]


def test_what_cannot_be_given_back_fails_the_run_and_says_what_was_and_what_was_not(
    direct: Direct,
) -> None:
    direct.services.travel.sold_out.add("cars")
    direct.services.travel.not_returnable.add("hotels")
    engine = TestEngine([travel_booking])
    run = engine.start(travel_booking, trip(direct.url))
    engine.run_until_idle()
    assert run.status == "FAILED"
    assert run.error is not None
    assert run.error.type == "CompensationFailed"
    assert "undone: give_back, give_back; not undone: step give_back#2 failed" in run.error.message
    assert [kind for kind, _ in direct.services.travel.booked] == ["hotels"]
    assert direct.services.travel.events[-1] == "gave back flights"


def test_a_booking_whose_answers_all_got_lost_is_given_back(direct: Direct) -> None:
    engine = TestEngine([travel_booking])
    engine.fail("book#2", ConnectionError("no answer"), times=5, after=True)
    run = engine.start(travel_booking, trip(direct.url))
    engine.advance(120)
    assert run.result == Outcome(booked=False, reason="no answer")
    assert "booked hotels" in direct.services.travel.events
    assert direct.services.travel.booked == {}


def test_whatever_goes_wrong_around_it_nothing_stays_booked_without_a_car(direct: Direct) -> None:
    def no_cars() -> None:
        direct.renew()
        direct.services.travel.sold_out.add("cars")

    def all_undone(_run: TestRun[Outcome]) -> None:
        assert direct.services.travel.booked == {}

    report = crash_matrix(
        travel_booking,
        trip(direct.url),
        setup=no_cars,
        check=all_undone,
        # Whether there was something to give back differs when it is asked twice.
        outcome=lambda run: run.result,
    )
    assert report.outcome.result == Outcome(booked=False, reason="PUT services answered 409")


# --- slow-job


@pytest.mark.network
def test_a_job_is_looked_at_until_it_is_over_and_each_line_is_read_once(
    services: Services, url: str
) -> None:
    engine = TestEngine([slow_job])
    run = engine.start(slow_job, export(url))
    engine.run_until_idle()
    assert run.status == "SLEEPING"
    engine.advance(10)
    assert run.result == Exported(job="job-1", status="done", lines=7)
    looks = services.asked("GET /jobs/job-1")
    assert [look.query["after"] for look in looks] == ["0", "2", "4", "6"]
    engine.verify()


def test_the_pauses_between_looks_get_longer_up_to_ten_minutes(direct: Direct) -> None:
    direct.services.jobs.per_look = 1
    engine = TestEngine([slow_job])
    run = engine.start(slow_job, export(direct.url, rows=40, first_pause=60))
    engine.run_to_rest()
    assert run.result is not None
    assert run.result.status == "done"
    sleeps = [op for op in run.history if op.kind == "sleep"]
    pauses = [
        (op.wake_at - op.started_at).total_seconds()
        for op in sleeps
        if op.wake_at is not None and op.started_at is not None
    ]
    assert pauses[:5] == [60, 120, 240, 480, 600]
    assert set(pauses[4:]) == {600}


def test_a_job_that_hangs_is_given_up_and_cancelled(direct: Direct) -> None:
    direct.services.jobs.per_look = 0
    engine = TestEngine([slow_job])
    run = engine.start(slow_job, export(direct.url, looks=3))
    engine.advance(10)
    assert run.result == Exported(job="job-1", status="given up", lines=0)
    assert run.executions("look_at") == 3
    assert direct.services.jobs.jobs["job-1"].status == "cancelled"


def test_whatever_goes_wrong_around_it_one_job_is_started_and_read_to_its_end(
    direct: Direct,
) -> None:
    def one_job(_run: TestRun[Exported]) -> None:
        assert [job.status for job in direct.services.jobs.jobs.values()] == ["done"]

    report = crash_matrix(
        slow_job,
        export(direct.url, rows=3),
        setup=direct.renew,
        check=one_job,
        # A look that is made again finds the job further: how many looks it takes may differ.
        outcome=lambda run: run.result,
    )
    assert report.outcome.result == Exported(job="job-1", status="done", lines=3)
