"""Everstep and Step Functions, both deployed to LocalStack: `python -m bench.suite.on_localstack`.

The LocalStack is this script's own, and started again if it ends while something is played.
Everstep is the whole template: runs are started over HTTP, and every message is an invocation of
the executor in a process of its own. Step Functions is a state machine whose steps are tasks that
invoke a Lambda function, which runs in processes of the same kind.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from bench import layer
from bench.peers import protocol
from bench.peers.protocol import Item, Task
from bench.suite.flows import WORKFLOWS
from bench.suite.plan import BURST
from bench.target import Target
from everstep_localstack import Deployment, LocalStack, Options, processes
from everstep_localstack.plugin.settings import INSTANCE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

STACK: Final = "everstep-bench"
CRASH_VISIBILITY: Final = 5
"""After so many seconds a message is delivered again whose executor was killed."""

_WARM_RUNS: Final = 8
_WARM_STEPS: Final = 5
_STARTERS: Final = 8
_PATIENCE: Final = 600
_LOOK_EVERY: Final = 0.05
_ENDED: Final = frozenset({"COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT", "CONTINUED"})
_FUNCTION: Final = "bench-step"
_ROLE: Final = "arn:aws:iam::000000000000:role/bench"
_HANDLER: Final = """
import os, time
_opened = {}
def handler(event, context):
    path = event["marks"]
    if path not in _opened:
        _opened[path] = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    line = f"{event['run']} {event['number']} {time.monotonic_ns()}\\n"
    os.write(_opened[path], line.encode())
    time.sleep(event["millis"] / 1_000)
    return event["number"]
"""


class _Host(Protocol):
    """What plays on a LocalStack."""

    def play(self, item: Item) -> float:
        """Play one item; return the seconds that it took."""


class Deployed:
    """A system on a LocalStack, both of which are made anew when the LocalStack has ended."""

    def __init__(self, server: LocalStack, task: Task) -> None:
        """Deploy what a task asks for, to a LocalStack that runs."""
        self._server, self._task = server, task
        self._host = self._deploy()

    def play(self, item: Item) -> float:
        """Play one item."""
        if self._server.status() is None:
            self._server.start()
            self._server.wait()
            self._host = self._deploy()
        return self._host.play(item)

    def _deploy(self) -> _Host:
        host = self._made()
        host.play(self._warm())
        return host

    def _made(self) -> _Host:
        options = self._task.options
        if options["system"] == "everstep":
            burst = options.get("burst") == "yes"
            return Everstep(self._server, self._task.state / "layer", burst=burst)
        return StepFunctions(self._server)

    def _warm(self) -> Item:
        return Item(
            number=len(self._task.items),
            workload="W1",
            shape="sequence",
            runs=_WARM_RUNS,
            steps=_WARM_STEPS,
            marks=str(self._task.state / f"warm-{time.monotonic_ns()}.txt"),
        )


class Everstep:
    """The deployed system."""

    def __init__(self, server: LocalStack, build: Path, *, burst: bool = False) -> None:
        """Deploy it; a message brings one step, or in burst mode several."""
        self._server, self._build = server, build
        _make_layer(build)
        self._deploy(str(BURST) if burst else "")

    def play(self, item: Item) -> float:
        """Play one item."""
        if item.shape == "crash":
            with self._target.patient(CRASH_VISIBILITY):
                return self._play(item)
        with self._target.patient():
            return self._play(item)

    def _deploy(self, steps_per_message: str) -> None:
        deployment = Deployment(
            template=layer.ROOT / "template.yaml",
            stack=STACK,
            parameters={
                "TableDeletionProtection": "false",
                "ApiAuthorization": "NONE",
                "Workflows": "bench.suite.flows",
                "StepsPerMessage": steps_per_message,
            },
            artifacts={"WorkflowsLayer": self._build},
        )
        self._target = Target(self._server, self._server.stacks().deploy(deployment))

    def _play(self, item: Item) -> float:
        began = time.monotonic()
        path = f"/triggers/{WORKFLOWS[item.shape].name}"
        with self._target.http() as http, ThreadPoolExecutor(_STARTERS) as pool:

            def start(number: int) -> str:
                answer = http.post(path, json=protocol.arguments(item, number))
                answer.raise_for_status()
                return str(answer.json()["run_id"])

            def status(run: str) -> str:
                answer = http.get(f"/runs/{run}")
                answer.raise_for_status()
                return str(answer.json()["status"])

            runs = list(pool.map(start, range(item.runs)))
            if item.shape == "crash":
                began = _kill(item, self._executors)
            _ended(item, runs, status, self._server)
        return time.monotonic() - began

    def _executors(self) -> list[int]:
        return _function_processes(self._server, self._target.outputs["StepExecutorFunctionName"])


class StepFunctions:
    """State machines on the same LocalStack."""

    def __init__(self, server: LocalStack) -> None:
        """Make the function that does a step's work."""
        self._server = server
        self._machines = self._client("stepfunctions")
        functions = self._client("lambda")
        made = functions.create_function(
            FunctionName=_FUNCTION,
            Runtime="python3.11",
            Role=_ROLE,
            Handler="handler.handler",
            Code={"ZipFile": _zipped()},
            Timeout=30,
        )
        self._function = made["FunctionArn"]
        functions.get_waiter("function_active_v2").wait(
            FunctionName=_FUNCTION, WaiterConfig={"Delay": 1}
        )

    def play(self, item: Item) -> float:
        """Play one item."""
        made = self._machines.create_state_machine(
            name=f"bench-{item.number}",
            definition=json.dumps(machine(item, self._function)),
            roleArn=_ROLE,
        )
        began = time.monotonic()

        def start(number: int) -> str:
            items = [{"number": each} for each in range(item.steps if item.shape == "fan" else 0)]
            given = {**protocol.arguments(item, number), "items": items}
            started = self._machines.start_execution(
                stateMachineArn=made["stateMachineArn"], input=json.dumps(given)
            )
            return str(started["executionArn"])

        def status(name: str) -> str:
            found = str(self._machines.describe_execution(executionArn=name)["status"])
            return {"SUCCEEDED": "COMPLETED", "ABORTED": "CANCELLED"}.get(found, found)

        with ThreadPoolExecutor(_STARTERS) as pool:
            names = list(pool.map(start, range(item.runs)))
        if item.shape == "crash":
            began = _kill(item, lambda: _function_processes(self._server, _FUNCTION))
        _ended(item, names, status, self._server)
        return time.monotonic() - began

    def _client(self, service: str) -> Any:  # noqa: ANN401 - one type per service
        return self._server.session().client(service, endpoint_url=self._server.endpoint_url)


def machine(item: Item, function: str) -> dict[str, Any]:
    """Return the state machine that does what an item says."""
    if item.shape == "fan":
        processor = _chained([("step", _task(function, {"number.$": "$.number"}))])
        fan = {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemSelector": {
                "number.$": "$$.Map.Item.Value.number",
                **{f"{name}.$": f"$.{name}" for name in ("marks", "run", "millis")},
            },
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **processor},
        }
        return _chained([("fan", fan)])
    states = []
    for number in range(item.steps + (item.shape == "naps")):
        if item.shape == "naps" and number:
            states.append((f"nap-{number}", {"Type": "Wait", "Seconds": int(item.seconds)}))
        states.append((f"step-{number}", _task(function, {"number": number})))
    return _chained(states)


def _task(function: str, number: dict[str, Any]) -> dict[str, Any]:
    given = {f"{name}.$": f"$.{name}" for name in ("marks", "run", "millis")}
    # As the console suggests, only sooner: what the function's end leaves undone is done again.
    again = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 5}
    return {
        "Type": "Task",
        "Resource": function,
        "Parameters": {**given, **number},
        "ResultPath": None,
        "Retry": [again],
    }


def _chained(states: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    names = [name for name, _ in states]
    nexts: list[dict[str, Any]] = [{"Next": name} for name in names[1:]] + [{"End": True}]
    together = zip(states, nexts, strict=True)
    return {"StartAt": names[0], "States": {name: {**each, **to} for (name, each), to in together}}


def _ended(
    item: Item, runs: Iterable[str], status: Callable[[str], str], server: LocalStack
) -> None:
    """Wait for the end of runs, without asking as long as steps have not begun.

    Raises:
        TimeoutError: They did not end.
        RuntimeError: One ended in another way than it should, or LocalStack did.
    """
    steps = item.runs * (item.steps + (item.shape == "naps"))
    deadline = time.monotonic() + _PATIENCE
    left = list(runs)
    while left:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{protocol.count(item.marks)} of {steps} steps have begun")
        if server.status() is None:
            raise RuntimeError("LocalStack ended")
        time.sleep(_LOOK_EVERY)
        if protocol.count(item.marks) < steps:
            continue
        statuses = [(run, status(run)) for run in left]
        wrong = {each for _, each in statuses if each in _ENDED} - {"COMPLETED"}
        if wrong:
            raise RuntimeError(f"runs ended as {', '.join(wrong)}")
        left = [run for run, each in statuses if each not in _ENDED]


def _kill(item: Item, find: Callable[[], list[int]]) -> float:
    """Kill the processes of a function in the middle of a run; return when."""
    protocol.wait_until_killable(item)
    processes.kill(find())
    return time.monotonic()


def _function_processes(server: LocalStack, function: str) -> list[int]:
    """Return the processes that run a function."""
    wanted = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode()
    return [
        pid
        for pid in processes.marked(INSTANCE_VARIABLE, str(server.folders.root))
        if wanted in _environment(pid)
    ]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _make_layer(build: Path) -> None:
    place = build / "python/bench/suite"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("flows.py"), place)


def _zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", _HANDLER)
    return packed.getvalue()


def main() -> None:
    """Play a task."""
    task = Task.read(sys.argv[1])
    where = Options(instance=task.options["instance"], port=int(task.options["port"]))
    with LocalStack(where) as server:
        deployed = Deployed(server, task)
        protocol.play_all(task, [], deployed.play)


if __name__ == "__main__":
    main()
