"""The model of latency runs the engine, forgets no time, and is the same for the same seed."""

from __future__ import annotations

import json
from itertools import pairwise
from random import Random
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import pytest

from bench import latency, latency_page
from bench.latency import CASES, COLD, count, counts, fan, measure, naps
from bench.table_client import TableClient
from bench.virtual.assumptions import load_assumptions
from bench.virtual.cloud import Cloud, Executors, Trace
from bench.virtual.deployment import WAITING, Case, Deployment, Own, Seen
from bench.virtual.paths import between
from bench.virtual.ports import QUERY, SEND, TRANSACT, UPDATE, TimedQueue, TimedRuns, request_of
from bench.virtual.processor import Answer, measured
from everstep.adapters.dynamodb.store import DynamoRuns
from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.store import MemoryStore
from everstep.app.advance import advance
from everstep.app.engine import Engine
from everstep.app.kept import Passes
from everstep.app.start import start
from everstep.authoring.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from everstep import Workflow
    from everstep.core.model import Outgoing

OWN = Own(step=0.4, call=0.4)
ASSUMED = load_assumptions()
SMALL: dict[str, Any] = {"w1": (5, 3), "w2": 40, "naps_of": 3, "w4": (2, 5), "own": OWN}


def played(case: Case, values: Sequence[int], flow: Workflow[int, int] = counts) -> Seen:
    deployment = Deployment(flow, case, ASSUMED, OWN, 1)
    for value in values:
        deployment.start(value)
    return deployment.run()


class Spoken:
    """A client of DynamoDB that remembers which requests it gets."""

    def __init__(self, said: list[str]) -> None:
        self._client, self._said = TableClient(), said

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._client, name)

        def asked(**request: object) -> object:
            self._said.append("DynamoDB " + name.title().replace("_", ""))
            return call(**request)

        return asked


def requests_of(runs: DynamoRuns | TimedRuns, said: list[str]) -> list[str]:
    """Return the requests of a run of forty steps, by one process that keeps its passes."""
    store: Any = runs
    nobody, waiting = MemoryStore(), list["Outgoing"]()

    def sent(what: str, outgoing: Sequence[Outgoing]) -> None:
        said.append(what)
        waiting.extend(outgoing)

    engine = Engine(
        runs=store,
        timers=nobody,
        lists=nobody,
        dead_letters=nobody,
        queue=TimedQueue(sent),
        blobs=MemoryBlobs(),
        clock=VirtualClock(1_767_225_600_000),
        ids=SequenceIds(),
        registry=Registry([counts]),
        kept=Passes(fresh=0),
    )
    start(engine, "steps", 40)
    while waiting:
        advance(engine, waiting.pop(0).message)
    return said


def test_the_model_makes_the_requests_that_the_adapter_makes() -> None:
    said: list[str] = []
    client: Any = Spoken(said)
    real = requests_of(DynamoRuns(client, "table"), said)
    told: list[str] = []
    modelled = requests_of(TimedRuns(MemoryStore(), told.append, lambda: None), told)
    assert modelled == real
    assert real.count("DynamoDB PutItem") == 41
    assert real.count("DynamoDB BatchGetItem") > 0


def test_what_is_written_together_is_a_transaction() -> None:
    assert request_of("create", ["head", "claim"], {}) == TRANSACT
    assert request_of("create", ["head", None], {"note": object()}) == TRANSACT
    assert request_of("change", ["run", "change", "guard"], {}) == UPDATE
    assert request_of("change", ["run", "change", "guard", "entry"], {}) == TRANSACT
    assert request_of("change", ["run", "change", "guard"], {"audit": "entry"}) == TRANSACT
    with pytest.raises(KeyError, match="unheard"):
        request_of("unheard", [], {})


@pytest.mark.parametrize("case", [*CASES[:2], COLD], ids=lambda case: case.name)
@pytest.mark.parametrize("flow", [counts, naps], ids=lambda flow: flow.name)
def test_every_microsecond_between_two_records_is_accounted_for(
    case: Case, flow: Workflow[int, int]
) -> None:
    seen = played(case, [12, 12, 12], flow)
    pairs = [pair for commits in seen.commits.values() for pair in pairwise(commits)]
    assert len(pairs) == 33
    for first, second in pairs:
        path = between(first, second)
        assert path[0].begin == first.at
        assert path[-1].end == second.at
        assert all(one.end == next_one.begin for one, next_one in pairwise(path))


def test_the_same_seed_is_the_same_run_and_another_is_another() -> None:
    assert measure(**SMALL) == measure(**SMALL)
    assert measure(**SMALL) != measure(**SMALL, seed=2)


def test_a_step_is_a_message_a_read_and_a_write_and_what_they_take() -> None:
    (case,) = [each for each in measure(**SMALL)["cases"] if each["name"] == "default, 1,024 MB"]
    path = {each["what"]: each["times"] for each in case["w2"]["path"]}
    reads = sum(path.pop(f"DynamoDB {each}", 0) for each in ("Query", "BatchGetItem", "GetItem"))
    assert round(reads, 6) <= 1
    assert path == {
        "SQS and event source: from the send to the handler": 1,
        "own work of the engine": 1,
        "DynamoDB PutItem": 1,
    }


def test_executors_that_are_all_at_work_make_messages_wait() -> None:
    one = Case(name="one", memory_mb=1024, executors=1)
    waits = {
        each.what
        for commits in played(one, [4] * 5).commits.values()
        for pair in pairwise(commits)
        for each in between(*pair)
    }
    assert WAITING in waits
    many = played(CASES[1], [4] * 5)
    assert max(many.lasted.values()) < max(played(one, [4] * 5).lasted.values())


def test_less_memory_and_cold_starts_take_longer() -> None:
    small, large = (played(case, [30]).lasted.popitem()[1] for case in CASES[:2])
    assert small > large
    assert played(COLD, [5]).lasted.popitem()[1] > played(CASES[0], [5]).lasted.popitem()[1]


def test_side_by_side_steps_all_come_to_their_end() -> None:
    seen = played(CASES[0], [30], fan)
    assert len(seen.lasted) == 1
    assert sum(len(commits) for commits in seen.commits.values()) == 30


def test_what_a_process_ends_with_is_not_swallowed() -> None:
    cloud = Cloud()

    def fail() -> None:
        raise ValueError("of the code")

    with pytest.raises(ValueError, match="of the code"):
        cloud.begin(fail, Trace(), lambda: None)


def test_time_that_nobody_waits_for_is_noted_all_the_same() -> None:
    cloud = Cloud()
    cloud.take(QUERY, 5)
    assert [each.what for each in cloud.trace.segments] == [QUERY]
    assert cloud.now == 0


def test_an_environment_that_became_free_last_is_used_first() -> None:
    numbers = iter(range(10))
    pool = Executors(most=2, make=lambda: next(numbers))
    used: list[tuple[int, bool]] = []

    def use(executor: int, new: bool) -> None:  # noqa: FBT001 - as Executors.call has it
        used.append((executor, new))

    for _ in range(3):
        pool.call(use)
    pool.release(0)
    pool.release(1)
    pool.call(use)
    assert used == [(0, True), (1, True), (0, False), (1, False)]


@pytest.mark.parametrize("name", ["DynamoDB PutItem", "DynamoDB TransactWriteItems"])
def test_drawn_times_have_the_percentiles_that_are_assumed(name: str) -> None:
    rng, times = Random(1), ASSUMED.calls[name]  # noqa: S311 - chance, not secrecy
    cut = quantiles((times.draw(rng) / 1_000 for _ in range(20_000)), n=100)
    assert cut[49] == pytest.approx(times.p50, rel=0.03)
    assert cut[98] == pytest.approx(times.p99, rel=0.08)


def test_the_delivery_has_the_published_percentiles_that_were_not_fitted_too() -> None:
    rng = Random(1)  # noqa: S311 - chance, not secrecy
    cut = quantiles((ASSUMED.delivery.draw(rng) / 1_000 for _ in range(20_000)), n=100)
    assert cut[9] == pytest.approx(13.7, rel=0.02)
    assert cut[89] == pytest.approx(33.8, rel=0.05)


def test_every_assumption_says_where_it_is_from() -> None:
    told = ASSUMED.told
    for each in (*told["calls"].values(), told["delivery"], told["send"], told["cold_start"]):
        assert each["basis"] in {"measured", "assumed"}
        assert each["source"].startswith("https://")
        assert each["of"]
        assert each["date"]


def test_the_engines_own_work_is_measured_here() -> None:
    own = measured(counts, 5, rounds=1)
    assert 0 < own.step < 100
    assert 0 < own.call < 100


def test_a_step_of_the_model_takes_no_time_and_counts() -> None:
    assert count.fn(1) == 2


def test_an_answer_of_the_stand_in_can_be_read_twice() -> None:
    answer = Answer(b"{}")
    assert answer.raw.read() == answer.content == b"{}"


def test_a_result_is_printed_and_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = latency.measure
    monkeypatch.setattr(latency, "measure", lambda: whole(**SMALL | {"w1": (1, 2)}))
    path = tmp_path / "result.json"
    latency.main(["--output", str(path)])
    assert json.loads(path.read_text(encoding="utf-8"))["model"] is True
    printed = capsys.readouterr().out
    assert "nothing here was measured on AWS" in printed
    assert f"1.00 x {SEND}" not in printed  # the rest of a send is not on the way


# --- The page


def test_the_page_shows_the_newest_result_and_what_is_assumed_now() -> None:
    text = latency_page.PAGE.read_text(encoding="utf-8")
    assert latency_page.filled(text, latency_page.newest()) == text


def test_the_page_is_renewed_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "latency.md"
    page.write_text("<!-- table: own -->\n<!-- end -->\n", encoding="utf-8")
    monkeypatch.setattr(latency_page, "PAGE", page)
    latency_page.main()
    assert "the engine, per step" in page.read_text(encoding="utf-8")


def test_the_recorded_result_is_of_the_workloads_that_the_page_names() -> None:
    result = latency_page.newest()
    assert result["workload"]["w1"] == [200, 10]
    assert result["workload"]["w2"] == 1_000
