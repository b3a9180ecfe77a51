"""What is counted while something is done."""

from __future__ import annotations

from everstep.core.meter import Meter, meter, metered
from everstep.core.spending import NOTHING, Spent


def test_adapters_count_with_the_meter_that_is_set() -> None:
    with metered(Meter("run")) as counts:
        meter().read(4097)
        meter().read(0, consistent=False)
        meter().read_each([1, 0, 5000])
        meter().write(2, 1)
        meter().send(1)
        meter().put_blob()
        meter().get_blob()
        meter().invoked(4)
        meter().invoked(by_api=True)
    assert counts.left(0) == Spent(4, 4 + 1 + 8, 2, 1, 1, 1, 1, 1, 630 + 2520)
    assert counts.left(0) == NOTHING


def test_what_no_run_is_charged_with_is_not_told() -> None:
    meter().send(1)
    assert meter().left(9) == NOTHING
    assert meter().take(9, requests=1) == "D1"


def test_time_is_told_in_whole_milliseconds_and_none_of_it_is_lost() -> None:
    counts = Meter("run", memory=512, since=1_000)
    first, second = counts.left(2_900), counts.left(4_000)
    assert (first.millis, second.millis) == (1, 2)
    assert (first + second).extra == 3 * 256


def test_time_of_a_process_that_does_other_things_is_not_counted() -> None:
    assert Meter("run").left(9_000_000) == NOTHING


def test_a_write_that_has_recorded_itself_is_left_out() -> None:
    counts = Meter("run")
    counts.read(1)
    assert counts.left(0) == Spent(requests=1, half_reads=2)
    counts.write(1, 2)
    assert counts.recorded() == "W1X2"
    assert counts.recorded() == ""
    assert counts.left(0) == NOTHING


def test_what_was_refused_is_counted_with_what_comes_next() -> None:
    counts = Meter("run")
    counts.read(1)
    assert counts.take(0, requests=1, sends=2) == "D2R2Q2"
    counts.write(1, 0)
    counts.refused()
    assert counts.left(0) == Spent(requests=2, half_reads=2, writes=1)


def test_what_a_message_has_brought_is_for_the_record_of_its_operation_once() -> None:
    counts = Meter("run")
    counts.bring("step#1", "token", "Q1")
    assert counts.brought("other#1", None) == ""
    assert counts.brought("step#1", "another") == "Q1"
    assert counts.brought("step#1", None) == ""


def test_what_the_same_message_has_recorded_before_is_not_counted_again() -> None:
    counts = Meter("run")
    counts.bring("step#1", "token", "Q1")
    assert counts.brought("step#1", "token") == ""
