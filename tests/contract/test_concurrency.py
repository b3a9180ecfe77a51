"""Many at once: of those who want the same one wins, and nothing of the others' is lost.

Not against moto in this process, which answers without any lock; within LocalStack it has one.
"""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from everstep.core.transitions import step_ended
from tests.contract.builders import make_claim, make_head, make_record

if TYPE_CHECKING:
    from tests.contract.backends import Backend

THREADS = 8
EACH = 6
pytestmark = pytest.mark.parametrize(
    "backend",
    ["memory", pytest.param("localstack", marks=pytest.mark.localstack)],
    indirect=True,
)


def test_one_key_starts_one_run_while_others_write(backend: Backend, workflow: str) -> None:
    wanted = uuid.uuid4().hex

    def start_and_write(worker: int) -> str | None:
        own = make_head(f"run-{uuid.uuid4().hex}", workflow)
        assert backend.runs.create(own, make_claim(own, f"{wanted}-{worker}")) is None
        for number in range(1, EACH + 1):
            record = make_record(f"step#{number}")
            assert backend.runs.put(own.run_id, record, step_ended(1))
        history = backend.runs.load(own.run_id)
        assert history is not None
        assert len(history.records) == EACH
        shared = make_head(f"run-{uuid.uuid4().hex}", workflow)
        holder = backend.runs.create(shared, make_claim(shared, wanted))
        return shared.run_id if holder is None else None

    with ThreadPoolExecutor(THREADS) as pool:
        winners = [each for each in pool.map(start_and_write, range(THREADS)) if each]
    assert len(winners) == 1


def test_one_of_many_results_is_recorded(backend: Backend, run_id: str, workflow: str) -> None:
    assert backend.runs.create(make_head(run_id, workflow), None) is None

    def commit(_worker: int) -> bool:
        return backend.runs.put(run_id, make_record("step#1"), step_ended(1))

    with ThreadPoolExecutor(THREADS) as pool:
        assert sorted(pool.map(commit, range(THREADS))) == [False] * (THREADS - 1) + [True]
