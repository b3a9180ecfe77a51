"""Lists show runs of one workflow and status, newest first, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from everstep.core.changes import RunWatched
from everstep.core.listing import Listed
from everstep.core.model import RunStatus
from tests.contract.builders import ALWAYS_HEAD, CHANGES, NOW, make_head

if TYPE_CHECKING:
    from tests.contract.backends import Backend

STATUSES = {
    "completed": RunStatus.COMPLETED,
    "failed": RunStatus.FAILED,
    "stalled": RunStatus.STALLED,
    "resumed": RunStatus.RUNNING,
}


def ids(backend: Backend, workflow: str, status: RunStatus, before: str | None = None) -> list[str]:
    return [each.run_id for each in backend.run_list.newest(workflow, status, before, 100)]


def test_a_new_run_is_listed_without_its_payloads(
    backend: Backend, run_id: str, workflow: str
) -> None:
    backend.runs.create(make_head(run_id, workflow), None)
    assert backend.run_list.newest(workflow, RunStatus.RUNNING, None, 10) == [
        Listed(
            run_id=run_id,
            workflow=workflow,
            version="v1",
            status=RunStatus.RUNNING,
            created_at=NOW,
        )
    ]


def test_an_ended_run_is_listed_with_its_end(backend: Backend, run_id: str, workflow: str) -> None:
    backend.runs.create(make_head(run_id, workflow), None)
    backend.runs.change(run_id, CHANGES["completed"], ALWAYS_HEAD)
    (listed,) = backend.run_list.newest(workflow, RunStatus.COMPLETED, None, 10)
    assert (listed.status, listed.ended_at) == (RunStatus.COMPLETED, NOW)


@pytest.mark.parametrize("name", STATUSES)
def test_a_run_is_listed_under_its_new_status_only(
    backend: Backend, run_id: str, workflow: str, name: str
) -> None:
    backend.runs.create(make_head(run_id, workflow), None)
    backend.runs.change(run_id, CHANGES[name], ALWAYS_HEAD)
    found = [status for status in RunStatus if ids(backend, workflow, status)]
    assert found == [STATUSES[name]]


def test_a_run_that_is_only_watched_stays_where_it_is(
    backend: Backend, run_id: str, workflow: str
) -> None:
    backend.runs.create(make_head(run_id, workflow), None)
    backend.runs.change(run_id, RunWatched(due_at=1), ALWAYS_HEAD)
    assert ids(backend, workflow, RunStatus.RUNNING) == [run_id]


def test_pages_follow_one_another_newest_first(
    backend: Backend, run_id: str, workflow: str
) -> None:
    created = [f"{run_id}-{n}" for n in (2, 4, 1, 0, 3)]
    for each in created:
        backend.runs.create(make_head(each, workflow), None)
    pages: list[list[str]] = []
    before: str | None = None
    while page := backend.run_list.newest(workflow, RunStatus.RUNNING, before, 2):
        pages.append([each.run_id for each in page])
        before = page[-1].run_id
    newest_first = sorted(created, reverse=True)
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:]]


def test_a_workflow_s_list_shows_no_other_workflow_s_runs(
    backend: Backend, run_id: str, workflow: str
) -> None:
    backend.runs.create(make_head(f"{run_id}-1", workflow), None)
    backend.runs.create(make_head(f"{run_id}-2", f"{workflow}2"), None)
    assert ids(backend, workflow, RunStatus.RUNNING) == [f"{run_id}-1"]


def test_every_run_is_found_whatever_its_workflow_and_status(
    backend: Backend, run_id: str, workflow: str
) -> None:
    ids_made = [f"{run_id}-{number}" for number in range(3)]
    for number, each in enumerate(ids_made):
        backend.runs.create(make_head(each, f"{workflow}-{number}"), None)
    backend.runs.change(ids_made[0], CHANGES["completed"], ALWAYS_HEAD)
    found = {run.run_id: run.status for run in backend.run_list.every() if run.run_id in ids_made}
    assert found == {
        ids_made[0]: RunStatus.COMPLETED,
        ids_made[1]: RunStatus.RUNNING,
        ids_made[2]: RunStatus.RUNNING,
    }


def test_a_span_of_ids_begins_with_since_and_ends_before_before(
    backend: Backend, run_id: str, workflow: str
) -> None:
    made = [f"{run_id}-{number}" for number in range(5)]
    for each in made:
        backend.runs.create(make_head(each, workflow), None)

    def newest(before: str | None, since: str | None, limit: int = 100) -> list[str]:
        found = backend.run_list.newest(workflow, RunStatus.RUNNING, before, limit, since)
        return [each.run_id for each in found]

    assert newest(None, made[3]) == [made[4], made[3]]
    assert newest(made[3], made[1]) == [made[2], made[1]]
    assert newest(made[3], made[1], limit=1) == [made[2]]
    # An end that is no run's id: what is before it still counts.
    assert newest(f"{made[3]}x", made[1], limit=3) == [made[3], made[2], made[1]]
    assert newest(made[1], made[3]) == []
    assert newest(made[1], made[1]) == []


def test_runs_of_a_workflow_and_a_status_are_counted_up_to_a_limit(
    backend: Backend, run_id: str, workflow: str
) -> None:
    for number in range(5):
        backend.runs.create(make_head(f"{run_id}-{number}", workflow), None)
    backend.runs.change(f"{run_id}-0", CHANGES["completed"], ALWAYS_HEAD)

    def counted(limit: int) -> int:
        return backend.run_list.count(workflow, RunStatus.RUNNING, limit)

    assert [counted(limit) for limit in (1, 3, 4, 100)] == [1, 3, 4, 4]
    assert backend.run_list.count(workflow, RunStatus.COMPLETED, 9) == 1
    assert backend.run_list.count(f"{workflow}x", RunStatus.RUNNING, 9) == 0
