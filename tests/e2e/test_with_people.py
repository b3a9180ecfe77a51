"""What waits for people and for other runs: the examples over HTTP, on the deployed stack."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from tests.e2e.invariants import check_run
from tests.e2e.test_examples import EXAMPLES, example_input

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from examples.services.everything import Services
    from tests.e2e.stack import Stack


def eventually(seen: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something outside of a run has happened."""
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, f"did not happen within {seconds} s"
        time.sleep(0.1)


def post(stack: Stack, path: str, body: object = None) -> int:
    answer = stack.http.post(path) if body is None else stack.http.post(path, json=body)
    return answer.status_code


def send(stack: Stack, path: str, example: str) -> int:
    """Send what an example has in a file."""
    content = (EXAMPLES / example).read_bytes()
    headers = {"Content-Type": "application/json"}
    return stack.http.post(path, content=content, headers=headers).status_code


def order(url: str, **options: str) -> Mapping[str, Any]:
    named = {"service": f"{url}/restaurant", "mail": f"{url}/mail", "feedback_after": "PT2S"}
    return {**example_input("restaurant_order"), **named, **options}


def trial(url: str, **options: str) -> Mapping[str, Any]:
    named = {"accounts": f"{url}/accounts", "mail": f"{url}/mail"}
    return {**example_input("subscription_trial"), **named, **options}


def expense(url: str, **options: str) -> Mapping[str, Any]:
    return {**example_input("expense_approval"), "mail": f"{url}/mail", **options}


def review(url: str, **options: str) -> Mapping[str, Any]:
    return {**example_input("human_review"), "desk": f"{url}/desk", **options}


def ride_of(services: Services) -> str:
    (ride,) = (name for kind, name in services.restaurant.kept if kind == "rides")
    return ride


def has_ride(services: Services) -> Callable[[], object]:
    return lambda: "kept rides" in services.restaurant.events


# --- restaurant-order


def test_a_meal_is_cooked_and_brought_by_a_child_run(
    stack: Stack, services: Services, url: str
) -> None:
    run_id = stack.trigger("restaurant-order", order(url))
    stack.until(run_id, status="WAITING")
    assert send(stack, f"/runs/{run_id}/events/answer", "restaurant_order/answer.json") == 202
    eventually(has_ride(services))
    ride = ride_of(services)
    for told, event in ((run_id, "ready"), (ride, "collected"), (ride, "delivered")):
        assert post(stack, f"/runs/{told}/events/{event}") == 202
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["result"]["courier"] == "Grace"
    assert stack.run(ride)["status"] == "COMPLETED"
    assert services.restaurant.events == ["kept orders", "kept payments", "kept rides"]
    assert services.mail.subjects == ["Grace is on the way", "How was your meal?"]
    check_run(stack.engine(), run_id)
    check_run(stack.engine(), ride)


def test_an_order_that_nobody_accepts_in_time_is_withdrawn(
    stack: Stack, services: Services, url: str
) -> None:
    run_id = stack.trigger("restaurant-order", order(url, answer_within="PT2S"))
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["result"]["reason"] == "the restaurant does not answer"
    assert services.restaurant.events == ["kept orders", "took back orders"]
    check_run(stack.engine(), run_id)


def test_an_order_that_is_cancelled_ends_its_delivery_and_gives_the_money_back(
    stack: Stack, services: Services, url: str
) -> None:
    run_id = stack.trigger("restaurant-order", order(url))
    assert send(stack, f"/runs/{run_id}/events/answer", "restaurant_order/answer.json") == 202
    eventually(has_ride(services))
    ride = ride_of(services)
    assert post(stack, f"/runs/{run_id}/cancel", {"by": "ada", "reason": "not hungry"}) == 202
    run, delivery = stack.until(run_id), stack.until(ride)
    assert (run["status"], delivery["status"]) == ("CANCELLED", "CANCELLED")
    # Who asked is the key, whoever the caller says to be.
    said = r"the run was cancelled by tests \(\w+\): not hungry"
    assert re.fullmatch(said, run["error"]["message"])
    assert services.restaurant.kept == {}
    check_run(stack.engine(), run_id)
    check_run(stack.engine(), ride)


# --- subscription-trial


def test_a_trial_is_paid_for_after_it_was_reminded_of(
    stack: Stack, services: Services, url: str
) -> None:
    run_id = stack.trigger(
        "subscription-trial", trial(url, length="PT1H", remind_before="PT59M58S")
    )
    eventually(lambda: "Your trial ends soon" in services.mail.subjects)
    assert send(stack, f"/runs/{run_id}/events/paid", "subscription_trial/paid.json") == 202
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["result"] == {"paid": True, "receipt": "receipt-1"}
    assert services.accounts.changes == ["trial", "paid"]
    assert send(stack, f"/runs/{run_id}/events/paid", "subscription_trial/paid.json") == 409
    check_run(stack.engine(), run_id)


def test_a_trial_that_nobody_pays_for_ends(stack: Stack, services: Services, url: str) -> None:
    run_id = stack.trigger("subscription-trial", trial(url, length="PT4S", remind_before="PT2S"))
    run = stack.until(run_id)
    assert run["result"] == {"paid": False, "receipt": None}, run["error"]
    assert services.mail.subjects == [
        "Welcome to your trial",
        "Your trial ends soon",
        "Your trial has ended",
    ]
    check_run(stack.engine(), run_id)


def test_a_customer_cancels_a_trial(stack: Stack, services: Services, url: str) -> None:
    run_id = stack.trigger("subscription-trial", trial(url))
    stack.until(run_id, status="WAITING")
    assert post(stack, f"/runs/{run_id}/cancel", {"by": "ada"}) == 202
    run = stack.until(run_id)
    assert run["status"] == "CANCELLED"
    assert services.accounts.changes == ["trial", "closed"]
    assert services.mail.subjects[1:] == ["We are sorry to see you go"]
    check_run(stack.engine(), run_id)


# --- expense-approval


def test_an_expense_is_reminded_of_and_approved_with_the_token_from_the_mail(
    stack: Stack, services: Services, url: str
) -> None:
    run_id = stack.trigger("expense-approval", expense(url, remind_after="PT2S"))
    eventually(lambda: any(each.startswith("Reminder") for each in services.mail.subjects))
    token = services.mail.newest_token()
    path = f"/callbacks/{token}/complete"
    answers = [send(stack, path, "expense_approval/decision.json") for _ in range(2)]
    assert answers[0] == 202
    assert answers[1] in (200, 410)  # the same once more; or the run has ended meanwhile
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["result"]["by"] == "grace@example.com"
    assert services.mail.subjects[-1] == "Travel to Lisbon: approved"
    assert token not in str(run)
    check_run(stack.engine(), run_id)


def test_who_cannot_decide_and_who_does_not_hand_it_on(
    stack: Stack, services: Services, url: str
) -> None:
    options = {"remind_after": "PT1S", "decide_within": "PT4S"}
    run_id = stack.trigger("expense-approval", expense(url, **options))
    eventually(lambda: services.mail.letters)
    path = f"/callbacks/{services.mail.newest_token()}/fail"
    assert send(stack, path, "expense_approval/cannot.json") == 202
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert run["result"]["comment"] == "nobody has decided"
    readers = [letter.to for letter in services.mail.letters.values()]
    assert readers[0] == "grace@example.com"
    assert readers[-3:] == ["head@example.com", "head@example.com", "ada@example.com"]
    check_run(stack.engine(), run_id)


# --- human-review


def test_a_review_goes_on_as_long_as_there_are_signs_of_life_and_is_handed_on_without(
    stack: Stack, services: Services, url: str
) -> None:
    run_id = stack.trigger("human-review", review(url, heartbeat="PT4S"))
    eventually(lambda: services.desk.events)
    grace = services.desk.token_of("Grace")
    for _ in range(8):
        assert post(stack, f"/callbacks/{grace}/heartbeat") == 200
        time.sleep(1)
    assert services.desk.events == ["Grace has it"]
    eventually(lambda: "Alan has it" in services.desk.events)
    assert services.desk.events == ["Grace has it", "Grace has lost it", "Alan has it"]
    assert post(stack, f"/callbacks/{grace}/heartbeat") == 410
    path = f"/callbacks/{services.desk.token_of('Alan')}/complete"
    assert send(stack, path, "human_review/verdict.json") == 202
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED", run["error"]
    assert (run["result"]["by"], list(run["result"]["failed"])) == ("Alan", ["Grace"])
    check_run(stack.engine(), run_id)
