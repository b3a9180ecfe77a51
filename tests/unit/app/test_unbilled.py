"""What was taken waits in a process for the next write to its run, and is never counted twice."""

from __future__ import annotations

import pytest

from everstep.app.metering import put_record
from everstep.app.unbilled import Unbilled
from everstep.core.errors import UnavailableError
from everstep.core.meter import Meter, metered
from everstep.core.spending import NOTHING, Spent
from everstep.core.transitions import Guard
from everstep.testing import TestEngine
from tests.contract.builders import make_head, make_record

ABSENT = Guard(absent=True, statuses=())


def test_what_waits_is_added_up_and_taken_once() -> None:
    unbilled = Unbilled()
    unbilled.put("run", Spent(requests=1))
    unbilled.put("run", Spent(sends=2))
    assert unbilled.take("run") == Spent(requests=1, sends=2)
    assert unbilled.take("run") == NOTHING


def test_what_has_waited_longest_is_forgotten() -> None:
    unbilled = Unbilled(most=2)
    for run_id in "abc":
        unbilled.put(run_id, Spent(requests=1))
    assert unbilled.take("a") == NOTHING
    assert unbilled.take("c") == Spent(requests=1)


def test_a_write_that_is_refused_is_counted_with_the_next_one() -> None:
    ports = TestEngine().ports
    ports.runs.create(make_head("run"), None)
    with metered(Meter("run")) as counts:
        counts.send(1)
        first = put_record(ports, "run", make_record(), ABSENT, None)
        assert first is not None
        assert Spent.read(first.cost) == Spent(requests=1, writes=1, sends=1)
        counts.send(1)
        assert put_record(ports, "run", make_record(), ABSENT, first) is None
        assert counts.left(0) == Spent(requests=1, writes=1, sends=1)


def test_a_write_of_which_nobody_knows_whether_it_was_made_is_not_counted_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ports = TestEngine().ports
    ports.runs.create(make_head("run"), None)
    put = type(ports.runs).put

    def lost(*arguments: object) -> bool:
        put(*arguments)  # type: ignore[arg-type]
        raise UnavailableError("the answer got lost")

    monkeypatch.setattr(type(ports.runs), "put", lost)
    with metered(Meter("run")) as counts:
        counts.send(1)
        with pytest.raises(UnavailableError):
            put_record(ports, "run", make_record(), ABSENT, None)
        assert counts.left(0) == NOTHING
    history = ports.runs.load("run")
    assert history is not None
    (record,) = history.records.values()
    assert Spent.read(record.cost) == Spent(requests=1, writes=1, sends=1)
