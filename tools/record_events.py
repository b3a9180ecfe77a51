"""`make record-events`: what every function is really invoked with, written to `events/`.

The whole system is deployed to a LocalStack of its own, with handlers that write down their event
before they answer it. Then it is used: a run is started over HTTP, looked at and steered, a message
is failed until it is a dead letter, and the schedule wakes the sweeper.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from everstep_localstack import Deployment, LocalStack, LocalStackError, Options
from tools.run import local_api_url
from tools.sam.keys import api_key
from tools.scrubbing import scrub, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT: Final = Path(__file__).parents[1]
EVENTS: Final = ROOT / "events"
STACK: Final = "everstep"
INSTANCE: Final = "sam"
PORT: Final = 4617
PATIENCE: Final = 150.0
"""Seconds; a new schedule fires within two minutes."""
PARAMETERS: Final = {
    "TableDeletionProtection": "false",
    "ApiAuthorization": "KEY",
    "MaxReceiveCount": "3",
    "ExecutorTimeout": "30",
}
FUNCTIONS: Final = {
    "trigger": "TriggerFunction",
    "api": "ApiFunction",
    "step_executor": "StepExecutorFunction",
    "dead_letter": "DeadLetterFunction",
    "sweeper": "SweeperFunction",
    "authorizer": "AuthorizerFunction",
}
"""Folder → logical id in the template."""
WORKFLOW: Final = "welcome-email"
INPUT: Final = {"name": "Ada", "email": "ada@example.org", "pause": "PT1H"}
FAIL: Final = "fail"

_HANDLER: Final = '''
"""Write the event down, then do what the function does."""
import json, pathlib, time
import original

FOLDER = pathlib.Path({folder!r})

def handler(event, context):
    draft = FOLDER / f"{{time.time_ns()}}.draft"
    draft.write_text(json.dumps(event), encoding="utf-8")
    draft.rename(FOLDER / f"{function}-{{time.time_ns()}}.json")
    if "{function}" == "step_executor" and (FOLDER / "{fail}").exists():
        raise RuntimeError("told to fail, so that the message becomes a dead letter")
    return original.handler(event, context)
'''


class RecordingError(Exception):
    """Something did not happen that was to be recorded; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, recorded under a name; ``{run}`` in its path is the run's id."""

    method: str
    path: str
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


CALLS: Final[Mapping[str, Call]] = {
    "api-get-run": Call(method="GET", path="/runs/{run}?include=steps"),
    "api-list-runs": Call(method="GET", path=f"/runs?workflow={WORKFLOW}&limit=20"),
    "api-get-result": Call(method="GET", path="/runs/{run}/result?wait=0"),
    "api-send-event": Call(
        method="POST",
        path="/runs/{run}/events/note",
        body={"text": "hello"},
        headers={"Idempotency-Key": "note-1"},
    ),
    "api-pause-run": Call(method="POST", path="/runs/{run}/pause"),
    "api-resume-run": Call(method="POST", path="/runs/{run}/resume"),
    "api-cancel-run": Call(method="POST", path="/runs/{run}/cancel"),
    "api-complete-callback": Call(
        method="POST", path="/callbacks/not-a-real-token/complete", body={"accepted": True}
    ),
    "api-list-workflows": Call(method="GET", path="/workflows"),
    "api-health": Call(method="GET", path="/health?deep=1"),
}
"""In this order; each must be answered without a server error."""


class Recorder:
    """A deployed stack whose functions write down what they get."""

    def __init__(self, folder: Path, url: str, key: str) -> None:
        self._folder = folder
        headers = {"User-Agent": "everstep", "Accept": "*/*", "Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, timeout=30, headers=headers)

    def record(self, *, sweeper: bool = True) -> dict[str, dict[str, Any]]:
        """Use the system; return every event by its name, scrubbed.

        Raises:
            RecordingError: Something did not happen in time, or was answered with a server error.
        """
        events: dict[str, dict[str, Any]] = {}
        run = self._start(WORKFLOW, "welcome-ada")
        events["authorizer"] = self._next("authorizer")
        events["trigger"] = self._next("trigger")
        events["step-executor"] = self._next("step_executor")
        self._until(lambda: self._status(run) == "SLEEPING", "the run to sleep")
        for name, call in CALLS.items():
            self._forget("api")
            self._send(call, run)
            events[name] = self._next("api")
        events["dead-letter"] = self._dead_letter()
        if sweeper:
            events["sweeper"] = self._next("sweeper")
        return {name: scrub(event) for name, event in events.items()}

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _start(self, workflow: str, key: str) -> str:
        answer = self._http.post(
            f"/triggers/{workflow}", json=INPUT, headers={"Idempotency-Key": key}
        )
        if answer.status_code != httpx.codes.ACCEPTED:
            raise RecordingError(f"the run was not accepted: {answer.status_code} {answer.text}")
        return str(answer.json()["run_id"])

    def _status(self, run: str) -> str:
        return str(self._http.get(f"/runs/{run}").json()["status"])

    def _send(self, call: Call, run: str) -> None:
        path = call.path.format(run=run)
        answer = self._http.request(call.method, path, json=call.body, headers=dict(call.headers))
        if answer.is_server_error:
            raise RecordingError(f"{call.method} {path}: {answer.status_code} {answer.text}")

    def _dead_letter(self) -> dict[str, Any]:
        (self._folder / FAIL).touch()
        try:
            self._start(WORKFLOW, "welcome-grace")
            return self._next("dead_letter")
        finally:
            (self._folder / FAIL).unlink()

    def _recorded(self, function: str) -> list[Path]:
        return sorted(self._folder.glob(f"{function}-*.json"))

    def _forget(self, function: str) -> None:
        for path in self._recorded(function):
            path.unlink()

    def _next(self, function: str) -> dict[str, Any]:
        """Return the earliest event of a function that was not asked for yet."""
        self._until(lambda: bool(self._recorded(function)), f"an invocation of {function}")
        path = self._recorded(function)[0]
        event: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        return event

    def _until(self, happened: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not happened():
            if time.monotonic() > deadline:
                raise RecordingError(f"waited {PATIENCE:.0f} s for {what}")
            time.sleep(0.1)


def record(
    server: LocalStack, work: Path, say: Callable[[str], None], *, sweeper: bool = True
) -> dict[str, dict[str, Any]]:
    """Deploy with recording handlers to a LocalStack that runs, and return scrubbed events."""
    events = work / "events"
    events.mkdir()
    deployment = Deployment(
        template=ROOT / "template.yaml",
        stack=STACK,
        parameters=PARAMETERS,
        artifacts={
            logical_id: _recording(folder, work, events) for folder, logical_id in FUNCTIONS.items()
        },
    )
    outputs = server.stacks(say).deploy(deployment)
    # Lambda's rule is six times the time-out, which nobody wants to wait for.
    server.session().client("sqs", endpoint_url=server.endpoint_url).set_queue_attributes(
        QueueUrl=outputs["QueueUrl"], Attributes={"VisibilityTimeout": "1"}
    )
    recorder = Recorder(events, local_api_url(server, outputs), api_key(server, outputs))
    try:
        return recorder.record(sweeper=sweeper)
    finally:
        recorder.close()


def _recording(function: str, work: Path, events: Path) -> Path:
    """Return a copy of a function's folder whose handler records."""
    copy = work / function
    shutil.copytree(
        ROOT / "functions" / function, copy, ignore=shutil.ignore_patterns("__pycache__")
    )
    (copy / "handler.py").rename(copy / "original.py")
    text = _HANDLER.format(folder=str(events), function=function, fail=FAIL)
    (copy / "handler.py").write_text(text, encoding="utf-8")
    return copy


def write(events: Mapping[str, dict[str, Any]], folder: Path) -> list[str]:
    """Write the events to their files, and return the names of those that changed."""
    changed = []
    for name, event in events.items():
        path = folder / f"{name}.json"
        text = text_of(event)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(name)
    return changed


def main(arguments: list[str] | None = None) -> int:
    """Record everything, and say what changed."""
    parser = argparse.ArgumentParser(prog="make record-events", description=__doc__)
    parser.add_argument("--instance", default=INSTANCE)
    parser.add_argument("--port", type=int, default=PORT)
    parsed = parser.parse_args(arguments)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="everstep-events-") as work,
            LocalStack(Options(instance=parsed.instance, port=parsed.port)) as server,
        ):
            events = record(server, Path(work), print)
    except (LocalStackError, RecordingError, httpx.HTTPError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    changed = write(events, EVENTS)
    print(f"{len(events)} events, {len(changed)} changed{': ' if changed else ''}", *changed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
