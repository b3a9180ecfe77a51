"""The examples that do things side by side: sales-report, nightly-billing, document-summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import HttpUrl

from everstep.app.engine import Limits
from everstep.testing import TestEngine, crash_matrix
from examples.services.model import document
from examples.services.sales import sales_of
from tests.examples.test_in_memory import example_input
from workflows.document_summary import Request, document_summary, split
from workflows.nightly_billing import Night, nightly_billing
from workflows.sales_report import Regions, sales_report

if TYPE_CHECKING:
    from everstep.testing import TestRun
    from examples.services.everything import Services
    from tests.examples.conftest import Direct
    from workflows.nightly_billing import Summary
    from workflows.sales_report import Report


def regions(url: str, *names: str, at_once: int = 3) -> Regions:
    return Regions(service=HttpUrl(f"{url}/sales"), regions=list(names), at_once=at_once)


def night(url: str, **options: float) -> Night:
    return Night.model_validate({"service": f"{url}/billing", **options})


def of_document(url: str) -> Request:
    named = {"model": f"{url}/model", "document": f"{url}/model/document"}
    return Request.model_validate({**example_input("document_summary"), **named})


# --- sales-report


@pytest.mark.network
def test_the_report_adds_up_what_every_region_has_sold(services: Services, url: str) -> None:
    wanted = Regions.model_validate({**example_input("sales_report"), "service": f"{url}/sales"})
    engine = TestEngine([sales_report])
    run = engine.start(sales_report, wanted)
    engine.run_until_idle()
    report = run.result
    assert report is not None
    sales = [sale for region in wanted.regions for sale in sales_of(region)]
    assert report.sales == len(sales) == 1000
    assert report.turnover["tea"] == sum(
        sale["quantity"] * sale["cents"] for sale in sales if sale["product"] == "tea"
    )
    assert services.sales.reports == {f"{run.id}:publish#1": report.model_dump(exclude={"id"})}
    engine.verify()


def test_a_region_without_figures_fails_the_report_before_anything_is_published(
    direct: Direct,
) -> None:
    direct.services.sales.closed.add("east")
    engine = TestEngine([sales_report])
    run = engine.start(sales_report, regions(direct.url, "north", "east", "south"))
    engine.run_until_idle()
    assert run.status == "FAILED"
    assert run.error is not None
    assert run.error.type == "BatchFailedError"
    assert "first 1: StepFailed: step regions#1/1/add_up#1" in run.error.message
    assert direct.services.asked("POST") == []


def test_whatever_goes_wrong_around_it_one_report_is_published(direct: Direct) -> None:
    def one_report(_run: TestRun[Report]) -> None:
        assert len(direct.services.sales.reports) == 1

    report = crash_matrix(
        sales_report,
        regions(direct.url, "north", "east"),
        setup=direct.renew,
        check=one_report,
    )
    assert report.outcome.status == "COMPLETED"


# --- nightly-billing


@pytest.mark.network
def test_accounts_that_cannot_be_billed_are_reported_and_the_others_are_billed(
    services: Services, url: str
) -> None:
    services.billing.blocked.add("account-7")
    services.billing.busy = 3
    engine = TestEngine([nightly_billing])
    run = engine.start(nightly_billing, night(url))
    engine.advance(60)
    summary = run.result
    assert summary is not None
    assert (summary.complete, summary.billed) == (True, 19)
    assert list(summary.failed) == ["account-7"]
    assert summary.cents == sum(100 * number for number in range(1, 21)) - 700
    assert list(services.billing.reports.values()) == [summary.model_dump()]
    assert run.executions("bill") == 20 + 3
    engine.verify()


def test_more_failures_than_tolerated_end_the_night_before_all_accounts_were_asked_for(
    direct: Direct,
) -> None:
    direct.services.billing.blocked = {f"account-{number}" for number in range(1, 11)}
    engine = TestEngine([nightly_billing])
    run = engine.start(nightly_billing, night(direct.url, at_once=4, tolerated=0.1))
    engine.advance(60)
    summary = run.result
    assert summary is not None
    assert summary.complete is False
    assert len(summary.failed) == 3
    assert len(direct.services.asked("POST /billing/invoices")) < 20
    assert len(direct.services.billing.reports) == 1


def test_a_list_of_accounts_over_the_inline_limit_is_kept_in_the_bucket(direct: Direct) -> None:
    direct.services.billing.accounts = {f"account-{number:06}": 1 for number in range(60)}
    engine = TestEngine([nightly_billing], limits=Limits(inline=1000))
    run = engine.start(nightly_billing, night(direct.url))
    engine.run_until_idle()
    assert run.result is not None
    assert run.result.billed == 60


def test_whatever_goes_wrong_around_it_every_account_is_billed_once(direct: Direct) -> None:
    def three_accounts() -> None:
        direct.renew()
        direct.services.billing.accounts = {"a": 100, "b": 200, "c": 300}

    def billed_once(_run: TestRun[Summary]) -> None:
        billed = [invoice["account"] for invoice in direct.services.billing.invoices.values()]
        assert sorted(billed) == ["a", "b", "c"]
        assert len(direct.services.billing.reports) == 1

    report = crash_matrix(
        nightly_billing, night(direct.url, at_once=2), setup=three_accounts, check=billed_once
    )
    assert report.outcome.status == "COMPLETED"


# --- document-summary


@pytest.mark.network
def test_a_document_is_summarised_part_by_part_and_the_model_is_asked_again_when_it_says(
    services: Services, url: str
) -> None:
    services.model.refusals = 2
    engine = TestEngine([document_summary])
    run = engine.start(document_summary, of_document(url))
    engine.advance(services.model.retry_after - 1)
    assert run.status == "RUNNING"
    waiting = [op.key for op in run.history if op.status == "RETRY"]
    assert waiting == ["parts#1/0/complete#1", "parts#1/1/complete#1"]
    assert run.result is None
    engine.advance(2)
    summary = run.result
    assert summary is not None
    parts = split(document(), 12_000)
    assert summary.parts == len(parts) == 5
    assert summary.text == "Finding 1 is that very durable work survives."
    assert services.model.completions == len(parts) + 1
    engine.verify()


def test_a_model_that_stays_busy_fails_the_run_and_says_why(direct: Direct) -> None:
    direct.services.model.refusals = 1000
    engine = TestEngine([document_summary])
    run = engine.start(document_summary, of_document(direct.url))
    engine.run_to_rest()
    assert run.status == "FAILED"
    assert run.error is not None
    assert "failed after 8 attempts: RetryAfter: the model is busy" in run.error.message


def test_what_the_model_refuses_for_good_is_asked_once(direct: Direct) -> None:
    engine = TestEngine([document_summary])
    engine.mock("fetch", returns=" \n\n ")
    run = engine.start(document_summary, of_document(direct.url))
    engine.run_to_rest()
    assert run.status == "FAILED"
    assert len(direct.services.asked("POST /model")) == 1


def test_a_document_over_the_inline_limit_comes_back_whole_in_every_pass(direct: Direct) -> None:
    assert len(document()) > Limits().inline
    engine = TestEngine([document_summary])
    run = engine.start(document_summary, of_document(direct.url))
    engine.run_to_rest()
    assert run.history[0].result == document()
    assert run.executions("fetch") == 1


def test_a_text_is_split_between_paragraphs_and_nothing_is_lost() -> None:
    text = "one\n\ntwo\n\na paragraph that is longer than all the rest\n\nthree"
    assert split(text, 10) == [
        "one\n\ntwo",
        "a paragraph that is longer than all the rest",
        "three",
    ]
    assert "\n\n".join(split(document(), 12_000)) == document()
