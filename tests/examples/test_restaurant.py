"""The restaurant's order, and the courier's delivery, which is a run of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from everstep.testing import TestEngine, crash_matrix
from tests.examples.test_in_memory import EXAMPLES, example_input
from workflows.restaurant_order import (
    Answer,
    Order,
    Outcome,
    courier_delivery,
    restaurant_order,
)

if TYPE_CHECKING:
    from everstep.testing import TestRun
    from examples.services.everything import Services
    from tests.examples.conftest import Direct

MINUTE = timedelta(minutes=1)
YES = Answer.model_validate_json((EXAMPLES / "restaurant_order" / "answer.json").read_text())


def order(url: str) -> Order:
    named = {"service": f"{url}/restaurant", "mail": f"{url}/mail"}
    return Order.model_validate({**example_input("restaurant_order"), **named})


def new_engine() -> TestEngine:
    return TestEngine([restaurant_order, courier_delivery])


def ride_of(services: Services) -> str:
    """Return the run that the courier's app knows."""
    (ride,) = (name for kind, name in services.restaurant.kept if kind == "rides")
    return ride


@pytest.mark.network
def test_a_meal_is_cooked_and_brought_and_a_day_later_the_guest_is_asked(
    services: Services, url: str
) -> None:
    engine = new_engine()
    run = engine.start(restaurant_order, order(url))
    engine.advance(4 * MINUTE)
    engine.send_event(run.id, "answer", YES)
    engine.run_until_idle()
    assert services.restaurant.events == ["kept orders", "kept payments", "kept rides"]
    ride = ride_of(services)
    engine.advance(20 * MINUTE)
    engine.send_event(run.id, "ready")
    engine.send_event(ride, "collected")
    engine.run_until_idle()
    assert services.mail.subjects == ["Grace is on the way"]
    engine.send_event(ride, "delivered")
    engine.run_until_idle()
    assert run.status == "SLEEPING"
    assert engine.get(ride).status == "COMPLETED"
    engine.advance(timedelta(days=1))
    assert run.result == Outcome(brought=True, courier="Grace")
    assert services.mail.subjects[1:] == ["How was your meal?"]
    assert services.restaurant.events[3:] == []
    engine.verify()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "the restaurant does not answer"),
        (Answer(accepted=False, reason="no noodles left"), "no noodles left"),
    ],
)
def test_an_order_that_is_not_accepted_in_five_minutes_is_withdrawn_and_not_paid_for(
    direct: Direct, answer: Answer | None, reason: str
) -> None:
    engine = new_engine()
    run = engine.start(restaurant_order, order(direct.url))
    engine.advance(5 * MINUTE - timedelta(seconds=1))
    assert run.status == "WAITING"
    if answer is not None:
        engine.send_event(run.id, "answer", answer)
    engine.advance(timedelta(seconds=2))
    assert run.result == Outcome(brought=False, reason=reason)
    assert direct.services.restaurant.events == ["kept orders", "took back orders"]
    assert direct.services.mail.subjects == [f"No meal: {reason}"]
    engine.verify()


def test_when_nobody_can_bring_it_the_money_is_given_back_before_it_is_cooked(
    direct: Direct,
) -> None:
    direct.services.restaurant.couriers = []
    engine = new_engine()
    run = engine.start(restaurant_order, order(direct.url))
    engine.send_event(run.id, "answer", YES)
    engine.run_until_idle()
    assert run.result is not None
    assert not run.result.brought
    assert direct.services.restaurant.kept == {}
    assert direct.services.restaurant.events[2:] == ["took back payments", "took back orders"]
    engine.verify()


def test_a_kitchen_that_is_too_slow_calls_the_courier_off(direct: Direct) -> None:
    engine = new_engine()
    run = engine.start(restaurant_order, order(direct.url))
    engine.send_event(run.id, "answer", YES)
    engine.run_until_idle()
    ride = ride_of(direct.services)
    engine.advance(timedelta(hours=2, minutes=1))
    assert run.result == Outcome(brought=False, reason="the kitchen is too slow")
    assert engine.get(ride).status == "CANCELLED"
    assert direct.services.restaurant.kept == {}
    engine.verify()


def test_a_courier_who_gets_lost_costs_the_guest_nothing(direct: Direct) -> None:
    engine = new_engine()
    run = engine.start(restaurant_order, order(direct.url))
    engine.send_event(run.id, "answer", YES)
    engine.send_event(run.id, "ready")
    engine.run_until_idle()
    ride = ride_of(direct.services)
    engine.send_event(ride, "collected")
    engine.advance(timedelta(hours=1, minutes=1))
    assert engine.get(ride).status == "FAILED"
    assert run.result is not None
    assert not run.result.brought
    assert direct.services.restaurant.kept == {}
    assert direct.services.mail.subjects[0] == "Grace is on the way"
    engine.verify()


def test_an_order_that_is_cancelled_calls_the_courier_off_and_gives_the_money_back(
    direct: Direct,
) -> None:
    engine = new_engine()
    run = engine.start(restaurant_order, order(direct.url))
    engine.send_event(run.id, "answer", YES)
    engine.run_until_idle()
    ride = ride_of(direct.services)
    engine.cancel(run.id, who="ada", why="not hungry any more")
    engine.run_until_idle()
    assert (run.status, engine.get(ride).status) == ("CANCELLED", "CANCELLED")
    assert direct.services.restaurant.kept == {}
    engine.verify()


def test_whatever_goes_wrong_around_it_an_order_that_is_declined_leaves_nothing_behind(
    direct: Direct,
) -> None:
    def declined(engine: TestEngine, run: TestRun[Outcome]) -> None:
        engine.send_event(run.id, "answer", Answer(accepted=False, reason="no noodles left"))

    def nothing_left(_run: TestRun[Outcome]) -> None:
        assert direct.services.restaurant.events == ["kept orders", "took back orders"]
        assert direct.services.mail.subjects == ["No meal: no noodles left"]

    report = crash_matrix(
        restaurant_order,
        order(direct.url),
        workflows=[courier_delivery],
        script=declined,
        setup=direct.renew,
        check=nothing_left,
    )
    assert report.outcome.result == Outcome(brought=False, reason="no noodles left")


@pytest.mark.slow
def test_whatever_goes_wrong_around_it_the_meal_is_paid_for_and_brought_once(
    direct: Direct,
) -> None:
    def everybody_does_their_part(engine: TestEngine, run: TestRun[Outcome]) -> None:
        engine.send_event(run.id, "answer", YES)
        engine.advance(60 * MINUTE)
        ride = ride_of(direct.services)
        engine.send_event(run.id, "ready")
        engine.send_event(ride, "collected")
        engine.send_event(ride, "delivered")

    def once(_run: TestRun[Outcome]) -> None:
        assert direct.services.restaurant.events == ["kept orders", "kept payments", "kept rides"]
        assert direct.services.mail.subjects == ["Grace is on the way", "How was your meal?"]

    report = crash_matrix(
        restaurant_order,
        # Faults take time; it is to be brought all the same.
        order(direct.url).model_copy(update={"answer_within": timedelta(hours=1)}),
        workflows=[courier_delivery],
        script=everybody_does_their_part,
        setup=direct.renew,
        check=once,
    )
    assert report.outcome.result == Outcome(brought=True, courier="Grace")
