"""Ask fresh interpreters, each with a hash seed of its own, to pass over a workflow's code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from everstep.core.errors import EverstepError
from everstep.core.tracing import Moment
from everstep.testing import passes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.authoring.workflows import Workflow

_PATIENCE: Final = 60.0
_LINES: Final = 5


class UnimportableError(EverstepError):
    """Say why a workflow cannot be imported in another process."""


def place_of(workflow: Workflow[Any, Any]) -> passes.Place:
    """Return where a workflow can be imported from.

    Raises:
        UnimportableError: Nowhere.
    """
    name = workflow.fn.__module__
    if name == "__main__":
        raise UnimportableError(f"{workflow.name} is defined in the program that runs")
    if "<locals>" in workflow.fn.__qualname__:
        raise UnimportableError(f"{workflow.name} is defined in a function")
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    attributes = vars(module) if module is not None else {}
    found = next((each for each, value in attributes.items() if value is workflow), None)
    if found is None or file is None:
        raise UnimportableError(f"{workflow.name} has no name at the top level of {name}")
    return passes.Place(module=name, file=file, name=found)


def pass_elsewhere(
    place: passes.Place,
    document: dict[str, Any],
    surroundings: passes.Surroundings,
    seeds: Iterable[int],
) -> list[list[Moment]]:
    """Pass over a workflow's code in a fresh process for each hash seed, all at the same time.

    Raises:
        UnimportableError: The workflow cannot be imported there.
        EverstepError: A process gave no answer.
    """
    asked = passes.request(place, document, surroundings)
    with ExitStack() as stack:
        started = [stack.enter_context(_start(seed)) for seed in seeds]
        for process in started:
            stack.callback(process.kill)  # if another one gave no answer
        threads = stack.enter_context(ThreadPoolExecutor(max(len(started), 1)))
        return list(threads.map(_finish, started, [asked] * len(started)))


def _start(seed: int) -> subprocess.Popen[str]:
    # Everstep may be on the path only because somebody put it there, such as a test runner. Without
    # -P the folder of the program would come first on it, with modules of ours.
    path = os.pathsep.join(folder for folder in sys.path if folder)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": str(seed)}  # noqa: TID251 - handed on
    return subprocess.Popen(  # noqa: S603 - this interpreter, this program
        [sys.executable, "-P", str(Path(passes.__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment,
    )


def _finish(process: subprocess.Popen[str], asked: str) -> list[Moment]:
    try:
        said, complaints = process.communicate(asked, timeout=_PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise EverstepError(f"a fresh process gave no answer within {_PATIENCE:g} s") from error
    if process.returncode != 0:
        told = "\n".join(complaints.splitlines()[-_LINES:])
        raise EverstepError(f"a fresh process ended with {process.returncode}:\n{told}")
    answer = json.loads(said)
    if "unimportable" in answer:
        raise UnimportableError(f"its module fails to import there ({answer['unimportable']})")
    return [Moment.from_json(each) for each in answer["moments"]]
