"""The examples that wait for people: subscription-trial, expense-approval, human-review."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from everstep.core.errors import CallbackGoneError, IllegalStateError
from everstep.testing import TestEngine, crash_matrix
from tests.examples.test_in_memory import EXAMPLES, example_input
from workflows.expense_approval import Decision, Expense, expense_approval
from workflows.expense_approval import Outcome as Decided
from workflows.human_review import Outcome as Reviewed
from workflows.human_review import Review, Verdict, human_review
from workflows.subscription_trial import Outcome, Payment, Trial, subscription_trial

if TYPE_CHECKING:
    from everstep.testing import TestRun
    from examples.services.everything import Services
    from tests.examples.conftest import Direct

DAY = timedelta(days=1)


def content(name: str) -> str:
    return (EXAMPLES / name).read_text()


def trial(url: str, **options: object) -> Trial:
    named = {"accounts": f"{url}/accounts", "mail": f"{url}/mail", **options}
    return Trial.model_validate({**example_input("subscription_trial"), **named})


def expense(url: str, **options: object) -> Expense:
    named = {"mail": f"{url}/mail", **options}
    return Expense.model_validate({**example_input("expense_approval"), **named})


def review(url: str, **options: object) -> Review:
    named = {"desk": f"{url}/desk", **options}
    return Review.model_validate({**example_input("human_review"), **named})


PAID = Payment.model_validate_json(content("subscription_trial/paid.json"))
DECISION = Decision.model_validate_json(content("expense_approval/decision.json"))
VERDICT = Verdict.model_validate_json(content("human_review/verdict.json"))
AWAY = {"type": "OnLeave", "message": "I am away until May"}

# --- subscription-trial


@pytest.mark.network
def test_a_trial_that_is_paid_for_early_is_not_reminded_of(services: Services, url: str) -> None:
    engine = TestEngine([subscription_trial])
    run = engine.start(subscription_trial, trial(url))
    engine.advance(5 * DAY)
    assert run.status == "WAITING"
    engine.send_event(run.id, "paid", PAID)
    engine.run_until_idle()
    assert run.result == Outcome(paid=True, receipt="receipt-1")
    assert services.accounts.changes == ["trial", "paid"]
    assert services.mail.subjects == ["Welcome to your trial", "Thank you for subscribing"]
    engine.verify()


def test_a_trial_that_is_not_paid_for_is_reminded_of_and_ends_on_its_day(direct: Direct) -> None:
    engine = TestEngine([subscription_trial])
    run = engine.start(subscription_trial, trial(direct.url))
    engine.advance(11 * DAY - timedelta(minutes=1))
    assert direct.services.mail.subjects == ["Welcome to your trial"]
    engine.advance(timedelta(minutes=2))
    assert direct.services.mail.subjects[1:] == ["Your trial ends soon"]
    engine.advance(3 * DAY - timedelta(minutes=2))
    assert direct.services.accounts.states == {"ada": "trial"}
    engine.advance(timedelta(minutes=2))
    assert run.result == Outcome(paid=False)
    assert direct.services.accounts.states == {"ada": "closed"}
    assert direct.services.mail.subjects[2:] == ["Your trial has ended"]
    engine.verify()


def test_a_payment_after_the_reminder_counts_and_one_after_the_end_is_refused(
    direct: Direct,
) -> None:
    engine = TestEngine([subscription_trial])
    in_time = engine.start(subscription_trial, trial(direct.url))
    late = engine.start(subscription_trial, trial(direct.url, customer="bob"))
    engine.advance(13 * DAY)
    engine.send_event(in_time.id, "paid", PAID)
    engine.advance(2 * DAY)
    assert in_time.result == Outcome(paid=True, receipt="receipt-1")
    with pytest.raises(IllegalStateError):
        engine.send_event(late.id, "paid", PAID)
    assert direct.services.accounts.states == {"ada": "paid", "bob": "closed"}


def test_a_customer_who_cancels_loses_the_account_at_once_and_hears_of_it(direct: Direct) -> None:
    engine = TestEngine([subscription_trial])
    run = engine.start(subscription_trial, trial(direct.url))
    engine.advance(2 * DAY)
    engine.cancel(run.id, who="ada", why="not for me")
    engine.run_until_idle()
    assert run.status == "CANCELLED"
    assert direct.services.accounts.states == {"ada": "closed"}
    assert direct.services.mail.subjects[1:] == ["We are sorry to see you go"]
    assert engine.audit(run.id)[-1].who == "ada"
    engine.advance(30 * DAY)
    assert len(direct.services.mail.letters) == 2
    engine.verify()


def test_a_reminder_after_the_end_is_refused_before_anything_begins() -> None:
    with pytest.raises(ValueError, match="remind_before must be shorter than the trial"):
        trial("http://services.test", length="P1D", remind_before="P1D")


def test_whatever_goes_wrong_around_it_a_payment_in_time_keeps_the_account(direct: Direct) -> None:
    def pays(engine: TestEngine, run: TestRun[Outcome]) -> None:
        engine.advance(12 * DAY)
        engine.send_event(run.id, "paid", PAID)

    def kept(_run: TestRun[Outcome]) -> None:
        assert direct.services.accounts.changes == ["trial", "paid"]
        assert direct.services.mail.subjects == [
            "Welcome to your trial",
            "Your trial ends soon",
            "Thank you for subscribing",
        ]

    report = crash_matrix(
        subscription_trial, trial(direct.url), script=pays, setup=direct.renew, check=kept
    )
    assert report.outcome.result == Outcome(paid=True, receipt="receipt-1")


def test_whatever_goes_wrong_around_it_cancelling_closes_the_account(direct: Direct) -> None:
    def cancels(engine: TestEngine, run: TestRun[Outcome]) -> None:
        engine.advance(2 * DAY)
        engine.cancel(run.id, who="ada")

    def closed(_run: TestRun[Outcome]) -> None:
        assert direct.services.accounts.changes == ["trial", "closed"]
        assert direct.services.mail.subjects[1:] == ["We are sorry to see you go"]

    report = crash_matrix(
        subscription_trial, trial(direct.url), script=cancels, setup=direct.renew, check=closed
    )
    assert report.outcome.status == "CANCELLED"


# --- expense-approval


@pytest.mark.network
def test_an_expense_is_approved_with_the_token_from_the_mail(services: Services, url: str) -> None:
    engine = TestEngine([expense_approval])
    run = engine.start(expense_approval, expense(url))
    engine.advance(timedelta(hours=5))
    engine.complete_callback(services.mail.newest_token(), DECISION)
    engine.run_until_idle()
    assert run.result == Decided(approved=True, by="grace@example.com", comment="have a good trip")
    assert services.mail.subjects == [
        "Please approve: Travel to Lisbon, 480.00",
        "Travel to Lisbon: approved",
    ]
    engine.verify()


def test_an_approver_is_reminded_after_a_day_and_may_use_either_mail(direct: Direct) -> None:
    engine = TestEngine([expense_approval])
    run = engine.start(expense_approval, expense(direct.url))
    engine.advance(2 * DAY)
    first, reminder = direct.services.mail.letters.values()
    assert reminder.subject == f"Reminder: {first.subject}"
    assert first.token is not None
    assert reminder.token == first.token
    engine.complete_callback(first.token, Decision(approved=False))
    engine.run_until_idle()
    assert run.result == Decided(approved=False, by="grace@example.com")
    engine.verify()


def test_an_expense_that_nobody_decides_goes_to_the_next_and_the_first_is_too_late(
    direct: Direct,
) -> None:
    engine = TestEngine([expense_approval])
    run = engine.start(expense_approval, expense(direct.url))
    engine.advance(timedelta(hours=1))
    first = direct.services.mail.newest_token()
    engine.advance(3 * DAY)
    assert [letter.to for letter in direct.services.mail.letters.values()] == [
        "grace@example.com",
        "grace@example.com",
        "head@example.com",
    ]
    with pytest.raises(CallbackGoneError):
        engine.complete_callback(first, DECISION)
    engine.complete_callback(direct.services.mail.newest_token(), DECISION)
    engine.run_until_idle()
    assert run.result == Decided(approved=True, by="head@example.com", comment=DECISION.comment)
    engine.verify()


def test_an_approver_who_cannot_decide_hands_it_on_at_once(direct: Direct) -> None:
    engine = TestEngine([expense_approval])
    run = engine.start(expense_approval, expense(direct.url))
    engine.run_until_idle()
    engine.fail_callback(direct.services.mail.newest_token(), AWAY)
    engine.run_until_idle()
    assert [letter.to for letter in direct.services.mail.letters.values()] == [
        "grace@example.com",
        "head@example.com",
    ]
    engine.advance(4 * DAY)
    assert run.result == Decided(approved=False, comment="nobody has decided")
    assert direct.services.mail.subjects[-1] == "Travel to Lisbon: refused"
    assert any("I am away until May" in line.message for line in run.logs)
    engine.verify()


def test_whatever_goes_wrong_around_it_the_reminder_is_sent_once_and_the_decision_counts(
    direct: Direct,
) -> None:
    def decides(engine: TestEngine, _run: TestRun[Decided]) -> None:
        engine.advance(2 * DAY)
        engine.complete_callback(direct.services.mail.newest_token(), DECISION)

    def reminded_once(_run: TestRun[Decided]) -> None:
        assert len(direct.services.mail.letters) == 3

    report = crash_matrix(
        expense_approval,
        expense(direct.url, approvers=["grace@example.com"]),
        script=decides,
        setup=direct.renew,
        check=reminded_once,
    )
    assert report.outcome.result == Decided(
        approved=True, by="grace@example.com", comment=DECISION.comment
    )


# --- human-review


@pytest.mark.network
def test_a_review_may_take_long_while_its_reviewer_shows_signs_of_life(
    services: Services, url: str
) -> None:
    engine = TestEngine([human_review])
    run = engine.start(human_review, review(url))
    engine.run_until_idle()
    token = services.desk.token_of("Grace")
    for _ in range(20):
        engine.advance(timedelta(minutes=25))
        engine.heartbeat_callback(token)
    engine.complete_callback(token, VERDICT)
    engine.run_until_idle()
    assert run.result == Reviewed(verdict=VERDICT, by="Grace")
    assert services.desk.events == ["Grace has it"]
    engine.verify()


def test_without_a_sign_of_life_it_is_handed_to_somebody_else(direct: Direct) -> None:
    desk = direct.services.desk
    engine = TestEngine([human_review])
    run = engine.start(human_review, review(direct.url))
    engine.advance(timedelta(minutes=20))
    first = desk.token_of("Grace")
    engine.heartbeat_callback(first)
    engine.advance(timedelta(minutes=29))
    assert desk.events == ["Grace has it"]
    engine.advance(timedelta(minutes=2))
    assert desk.events == ["Grace has it", "Grace has lost it", "Alan has it"]
    with pytest.raises(CallbackGoneError):
        engine.heartbeat_callback(first)
    engine.complete_callback(desk.token_of("Alan"), VERDICT)
    engine.run_until_idle()
    assert run.result is not None
    assert (run.result.by, list(run.result.failed)) == ("Alan", ["Grace"])
    engine.verify()


def test_a_review_that_takes_longer_than_it_may_is_handed_on_in_spite_of_signs_of_life(
    direct: Direct,
) -> None:
    engine = TestEngine([human_review])
    engine.start(human_review, review(direct.url, longest="PT1H"))
    engine.run_until_idle()
    token = direct.services.desk.token_of("Grace")
    for _ in range(2):
        engine.advance(timedelta(minutes=25))
        engine.heartbeat_callback(token)
    engine.advance(timedelta(minutes=11))
    assert direct.services.desk.events[1:] == ["Grace has lost it", "Alan has it"]


def test_after_so_many_tries_nobody_is_asked_any_more(direct: Direct) -> None:
    engine = TestEngine([human_review])
    run = engine.start(human_review, review(direct.url))
    engine.run_until_idle()
    engine.fail_callback(direct.services.desk.token_of("Grace"), AWAY)
    engine.advance(timedelta(hours=2))
    assert run.result is not None
    assert run.result.verdict is None
    assert list(run.result.failed) == ["Grace", "Alan", "Edsger"]
    assert run.result.failed["Grace"] == "I am away until May"
    assert direct.services.desk.tasks == {}
    engine.verify()


def test_when_the_review_is_cancelled_nobody_goes_on_reading(direct: Direct) -> None:
    engine = TestEngine([human_review])
    run = engine.start(human_review, review(direct.url))
    engine.run_until_idle()
    engine.cancel(run.id)
    engine.run_until_idle()
    assert run.status == "CANCELLED"
    assert direct.services.desk.events == ["Grace has it", "Grace has lost it"]


def test_whatever_goes_wrong_around_it_one_reviewer_at_a_time_has_it(direct: Direct) -> None:
    def the_second_one_reads(engine: TestEngine, _run: TestRun[Reviewed]) -> None:
        engine.advance(timedelta(hours=20))
        token = direct.services.desk.token_of("Alan")
        engine.heartbeat_callback(token)
        engine.advance(timedelta(hours=10))
        engine.complete_callback(token, VERDICT)

    def one_at_a_time(_run: TestRun[Reviewed]) -> None:
        events = direct.services.desk.events
        assert events == ["Grace has it", "Grace has lost it", "Alan has it"]

    report = crash_matrix(
        human_review,
        review(direct.url, heartbeat="PT12H"),
        script=the_second_one_reads,
        setup=direct.renew,
        check=one_at_a_time,
    )
    assert report.outcome.status == "COMPLETED"
