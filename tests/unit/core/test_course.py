"""By which operation code failed, whatever it made of the error."""

from __future__ import annotations

from itertools import pairwise

from everstep.core.course import Course
from everstep.core.errors import EverstepError


def chained(*errors: BaseException) -> BaseException:
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    return errors[0]


def test_an_error_that_was_given_is_the_operation_s() -> None:
    course, given = Course(), EverstepError()
    course.given(given, "charge#1")
    course.raised(given)
    assert course.failed_by == "charge#1"


def test_an_error_that_an_operation_s_error_led_to_is_that_operation_s() -> None:
    course, given = Course(), EverstepError()
    course.given(given, "charge#1")
    course.raised(chained(LookupError(), TypeError(), given))
    assert course.failed_by == "charge#1"


def test_an_error_that_hides_where_it_comes_from_is_the_code_s_own() -> None:
    course, given, raised = Course(), EverstepError(), LookupError()
    course.given(given, "charge#1")
    raised.__context__ = given
    course.raised(raised)
    assert course.failed_by == "charge#1"
    raised.__suppress_context__ = True
    course.raised(raised)
    assert course.failed_by is None


def test_errors_that_are_tied_into_a_ring_are_the_code_s_own() -> None:
    course, first, second = Course(), ValueError(), LookupError()
    course.raised(chained(first, second, first))
    assert course.failed_by is None


def test_branches_that_end_by_errors_of_their_own_failed_by_nothing() -> None:
    course, given = Course(), EverstepError()
    course.given(given, "map#1/0/a#1")
    course.raised_in("map#1", LookupError())
    course.raised_in("map#1", given)
    assert course.failed_in == {"map#1": {"map#1/0/a#1"}}
