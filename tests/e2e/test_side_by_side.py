"""What runs side by side, waits and undoes: the examples over HTTP, on the deployed stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.invariants import check_run
from tests.e2e.test_examples import example_input

if TYPE_CHECKING:
    from examples.services.everything import Services
    from tests.e2e.stack import Stack


def kinds(run: dict[str, Any]) -> dict[str, str]:
    return {step["key"]: step["kind"] for step in run["steps"]}


def test_regions_are_added_up_side_by_side(stack: Stack, services: Services, url: str) -> None:
    wanted = {**example_input("sales_report"), "service": f"{url}/sales"}
    run_id = stack.trigger("sales-report", wanted)
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["result"]["sales"] == 1000
    assert list(services.sales.reports) == [f"{run_id}:publish#1"]
    assert kinds(run) == {
        "regions#1": "join",
        **{f"regions#1/{region}/add_up#1": "step" for region in range(5)},
        "publish#1": "step",
    }
    check_run(stack.engine(), run_id)


def test_every_account_is_billed_once_and_those_that_cannot_be_are_told(
    stack: Stack, services: Services, url: str
) -> None:
    services.billing.blocked.add("account-7")
    services.billing.busy = 2
    night = {**example_input("nightly_billing"), "service": f"{url}/billing"}
    run_id = stack.trigger("nightly-billing", night)
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["result"]["complete"] is True
    assert list(run["result"]["failed"]) == ["account-7"]
    billed = [invoice["account"] for invoice in services.billing.invoices.values()]
    assert sorted(billed) == sorted(set(services.billing.accounts) - {"account-7"})
    check_run(stack.engine(), run_id)


def test_a_night_with_too_many_failures_ends_early(
    stack: Stack, services: Services, url: str
) -> None:
    services.billing.blocked = set(services.billing.accounts)
    night = {**example_input("nightly_billing"), "service": f"{url}/billing", "at_once": 2}
    run_id = stack.trigger("nightly-billing", night)
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["result"]["complete"] is False
    assert len(run["result"]["failed"]) >= 2
    assert len(services.billing.reports) == 1
    assert len(services.asked("POST /billing/invoices")) < len(services.billing.accounts)
    check_run(stack.engine(), run_id)


def test_a_trip_is_booked_when_its_event_comes(stack: Stack, services: Services, url: str) -> None:
    trip = {**example_input("travel_booking"), "service": f"{url}/travel"}
    run_id = stack.trigger("travel-booking", trip)
    stack.until(run_id, status="WAITING")
    numbers = [
        stack.http.post(
            f"/runs/{run_id}/events/paid",
            json={"receipt": "receipt-1"},
            headers={"Idempotency-Key": "payment-1"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in numbers] == [202, 200]
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["result"]["receipt"] == "receipt-1"
    assert services.travel.events == ["booked flights", "booked hotels", "booked cars"]
    check_run(stack.engine(), run_id)


def test_a_trip_that_is_not_paid_for_is_given_back_last_first(
    stack: Stack, services: Services, url: str
) -> None:
    trip = {**example_input("travel_booking"), "service": f"{url}/travel", "hold": "PT2S"}
    run_id = stack.trigger("travel-booking", trip)
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["result"]["reason"] == "not paid in time"
    assert services.travel.events[3:] == [
        "gave back cars",
        "gave back hotels",
        "gave back flights",
    ]
    check_run(stack.engine(), run_id)


def test_a_trip_that_cannot_be_given_back_fails_and_says_what_is_left(
    stack: Stack, services: Services, url: str
) -> None:
    services.travel.sold_out.add("cars")
    services.travel.not_returnable.add("hotels")
    trip = {**example_input("travel_booking"), "service": f"{url}/travel"}
    run_id = stack.trigger("travel-booking", trip)
    run = stack.until(run_id)
    assert run["status"] == "FAILED"
    assert run["error"]["type"] == "CompensationFailed"
    assert "not undone: step give_back#2 failed" in run["error"]["message"]
    assert [kind for kind, _ in services.travel.booked] == ["hotels"]
    check_run(stack.engine(), run_id)


def test_a_slow_job_is_looked_at_until_it_is_over(
    stack: Stack, services: Services, url: str
) -> None:
    export = {**example_input("slow_job"), "service": f"{url}/jobs", "first_pause": "PT0.5S"}
    run_id = stack.trigger("slow-job", export)
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["result"] == {"job": "job-1", "status": "done", "lines": 7}
    assert [look.query["after"] for look in services.asked("GET /jobs/job-1")] == list("0246")
    check_run(stack.engine(), run_id)


def test_a_long_document_is_summarised_and_the_model_asked_again_when_it_says(
    stack: Stack, services: Services, url: str
) -> None:
    services.model.refusals = 2
    services.model.retry_after = 2
    named = {"model": f"{url}/model", "document": f"{url}/model/document"}
    run_id = stack.trigger("document-summary", {**example_input("document_summary"), **named})
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["result"]["parts"] == 5
    assert services.model.completions == 6
    attempts = [step["attempt"] for step in run["steps"] if step["name"] == "complete"]
    assert sum(attempts) == 6 + 2
    check_run(stack.engine(), run_id)
