"""Passes over a workflow's code in surroundings of one's choice, here or in a fresh process.

Started as a program this reads a request and answers it: that is the fresh process. So that it
starts quickly, nothing is imported here but the core; the workflow's module brings what it needs.
"""

from __future__ import annotations

import json
import os
import random
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any, Final

from everstep.core.durations import to_datetime
from everstep.core.exported import read_history
from everstep.core.tracing import Moment, moment, prefixes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, ModuleType

    from everstep.core.definition import Definition
    from everstep.core.model import History

# Reading the environment passes through these on its way from whoever wants to know.
_WAY: Final = frozenset({"os", "_collections_abc", "collections.abc"})
_UNCHANGED: Final = sys.stdlib_module_names | {"everstep", "pydantic", "pydantic_core"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What code can see of the world around it without being told.

    Attributes:
        seed: What ``random`` (and numpy's, if it is imported) begin with.
        at: Where the clock stands, in milliseconds; None lets it run.
        environment: What every environment variable says; None leaves them as they are.
    """

    seed: int
    at: int | None
    environment: str | None = None


def can_hold_the_clock() -> bool:
    """Say whether the library is there that the clock is moved with."""
    return find_spec("time_machine") is not None


def pass_over(definition: Definition, history: History, surroundings: Surroundings) -> list[Moment]:
    """Replay every prefix of a history; return what the code does after each of them.

    Everything is put back as it was before this returns.

    Args:
        definition: The code.
        history: Its records in the order in which the code asked for them.
        surroundings: Where it happens.
    """
    moments = []
    for told in prefixes(len(history.records)):
        with _inside(surroundings):
            moments.append(moment(definition, history, told))
    return moments


@contextmanager
def _inside(surroundings: Surroundings) -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(_chance(surroundings.seed))
        if surroundings.environment is not None:
            stack.enter_context(_environment(surroundings.environment))
        if surroundings.at is not None:
            from time_machine import travel  # noqa: PLC0415 - an extra, which may be missing

            stack.enter_context(travel(to_datetime(surroundings.at), tick=False))
        yield


@contextmanager
def _chance(seed: int) -> Iterator[None]:
    before = random.getstate()
    # Whoever wants another library's chance has imported it.
    numpy: Any = sys.modules.get("numpy")
    numpys_before = None if numpy is None else numpy.random.get_state()
    random.seed(seed)
    if numpy is not None:
        numpy.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)
        if numpy is not None:
            numpy.random.set_state(numpys_before)


@contextmanager
def _environment(word: str) -> Iterator[None]:
    """Let every variable say something else to user code, those that are not set as well.

    The class is exchanged and not the object, which others may hold already; nothing is set.
    """
    real = type(os.environ)  # noqa: TID251 - it is the environment that is varied

    class Other(real):  # type: ignore[valid-type,misc]  # whatever class it is
        def __getitem__(self, key: str) -> str:
            if _asked_by_user_code(sys._getframe(1)):  # noqa: SLF001 - to know who asks
                return f"{word} {key}"
            return str(super().__getitem__(key))

    os.environ.__class__ = Other  # noqa: TID251
    try:
        yield
    finally:
        os.environ.__class__ = real  # noqa: TID251


def _asked_by_user_code(frame: FrameType | None) -> bool:
    while frame is not None and str(frame.f_globals.get("__name__")) in _WAY:
        frame = frame.f_back
    asker = "" if frame is None else str(frame.f_globals.get("__name__"))
    return asker.partition(".")[0] not in _UNCHANGED


# --- In a fresh process


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a workflow can be imported from."""

    module: str
    file: str
    name: str


def request(place: Place, document: dict[str, Any], surroundings: Surroundings) -> str:
    """Return what a fresh process is to be asked."""
    asked = {"place": asdict(place), "surroundings": asdict(surroundings), "history": document}
    return json.dumps({**asked, "path": sys.path})


def answer(asked: str) -> dict[str, Any]:
    """Return what a fresh process says to a request: moments, or why there are none."""
    data = json.loads(asked)
    sys.path[:] = data["path"]
    place = Place(**data["place"])
    try:
        definition: Definition = getattr(_module(place), place.name)
    except Exception as error:  # noqa: BLE001 - whatever a module raises
        return {"unimportable": f"{type(error).__name__}: {error}"}
    surroundings = Surroundings(**data["surroundings"])
    passed = pass_over(definition, read_history(data["history"]), surroundings)
    return {"moments": [each.to_json() for each in passed]}


def _module(place: Place) -> ModuleType:
    """Import a module by its name, or from its file where the name leads elsewhere."""
    try:
        module = import_module(place.module)
    except ImportError:
        module = None
    if module is not None and getattr(module, "__file__", None) == place.file:
        return module
    spec = spec_from_file_location(place.module, place.file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{place.file} is no Python module")
    module = module_from_spec(spec)
    sys.modules[place.module] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Answer the request on standard input; what modules print goes to standard error."""
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with said:
        json.dump(answer(sys.stdin.read()), said)


if __name__ == "__main__":
    main()
