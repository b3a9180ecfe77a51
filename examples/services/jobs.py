"""Jobs that take a while: each look at one finds it a bit further."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from examples.services.loopback import Answer, Request

_NOT_ENDED: Final = "running"


@dataclass(slots=True, kw_only=True)
class Job:
    """One job: the lines it has written so far, and how many it has to write."""

    lines: list[str] = field(default_factory=list)
    length: int
    status: str = _NOT_ENDED


@dataclass(slots=True, kw_only=True)
class Jobs:
    """Starts with ``POST /``, tells with ``GET /<id>?after=<line>``, ends with ``DELETE /<id>``.

    Attributes:
        jobs: By id.
        keys: Idempotency key → id.
        per_look: How many lines a job writes between two looks; 0 lets it hang.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    per_look: int = 2

    def answer(self, request: Request) -> Answer:
        """Start, tell or end."""
        if request.method != "POST" and request.path[0] not in self.jobs:
            return Answer(status=404, body={"error": f"no job {request.path[0]!r}"})
        match request.method:
            case "POST":
                return self._start(request)
            case "DELETE":
                self.jobs[request.path[0]].status = "cancelled"
                return Answer(body={})
            case _:
                return self._tell(request.path[0], int(request.query.get("after", "0")))

    def _start(self, request: Request) -> Answer:
        if request.key not in self.keys:
            self.keys[request.key] = job_id = f"job-{len(self.jobs) + 1}"
            self.jobs[job_id] = Job(length=int(request.body["rows"]))
        return Answer(status=201, body={"id": self.keys[request.key]})

    def _tell(self, job_id: str, after: int) -> Answer:
        job = self.jobs[job_id]
        if job.status == _NOT_ENDED:
            rows = range(len(job.lines) + 1, job.length + 1)[: self.per_look]
            job.lines += [f"row {row} exported" for row in rows]
            job.status = "done" if len(job.lines) == job.length else _NOT_ENDED
        return Answer(body={"status": job.status, "lines": job.lines[after:]})
