"""What is deployed to LocalStack is deployed again when the LocalStack has ended."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

import pytest

from bench.peers import protocol
from bench.peers.protocol import Item, Task
from bench.suite import on_localstack
from bench.suite.on_localstack import Deployed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from everstep_localstack import LocalStack

ITEM: Final = Item(number=0, workload="W1", shape="sequence", runs=1, steps=2)


class Server:
    """A LocalStack that only says whether it runs."""

    def __init__(self) -> None:
        self.runs = True
        self.starts = 0

    def status(self) -> object:
        return "it runs" if self.runs else None

    def start(self) -> None:
        self.runs, self.starts = True, self.starts + 1

    def wait(self) -> None:
        assert self.runs


class Host:
    """Counts what is deployed, and keeps what is played."""

    made: Final[list[dict[str, object]]] = []
    played: Final[list[Item]] = []

    def __init__(self, _: object, *build: Path, **options: object) -> None:
        self.made.append({"build": len(build), **options})

    def play(self, item: Item) -> float:
        self.played.append(item)
        return 1.5


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Host]]:
    """Deploy nothing."""
    monkeypatch.setattr(on_localstack, "Everstep", Host)
    monkeypatch.setattr(on_localstack, "StepFunctions", Host)
    yield Host
    Host.made.clear()
    Host.played.clear()


def deployed(server: Server, folder: Path, **options: str) -> Deployed:
    return Deployed(cast("LocalStack", server), Task(items=(ITEM,), state=folder, options=options))


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ({"system": "everstep"}, {"build": 1, "burst": False}),
        ({"system": "everstep", "burst": "yes"}, {"build": 1, "burst": True}),
        ({"system": "step-functions"}, {"build": 0}),
    ],
)
def test_a_system_is_deployed_once_and_warmed_before_anything_is_played(
    options: dict[str, str], made: dict[str, object], host: type[Host], tmp_path: Path
) -> None:
    found = deployed(Server(), tmp_path, **options)
    assert found.play(ITEM) == 1.5
    assert found.play(replace(ITEM, number=1)) == 1.5
    assert host.made == [made]
    assert [each.number for each in host.played] == [1, 0, 1]
    assert host.played[0].marks.startswith(str(tmp_path))


def test_a_localstack_that_has_ended_is_started_and_deployed_to_for_the_next_item(
    host: type[Host], tmp_path: Path
) -> None:
    server = Server()
    found = deployed(server, tmp_path, system="step-functions")
    server.runs = False
    assert found.play(ITEM) == 1.5
    assert (server.starts, len(host.made), len(host.played)) == (1, 2, 3)


def ended(item: Item, server: Server, *statuses: str) -> None:
    told, found = iter(statuses), cast("LocalStack", server)
    on_localstack._ended(item, ["run"], lambda _: next(told), found)


def marked(folder: Path, steps: int) -> Item:
    item = replace(ITEM, marks=str(folder / "marks.txt"))
    for number in range(steps):
        protocol.mark(item.marks, 0, number)
    return item


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing."""
    monkeypatch.setattr(on_localstack, "_LOOK_EVERY", 0)


def test_runs_are_asked_for_their_end_when_all_of_their_steps_have_begun(tmp_path: Path) -> None:
    ended(marked(tmp_path, 2), Server(), "RUNNING", "COMPLETED")
    with pytest.raises(RuntimeError, match="runs ended as FAILED"):
        ended(marked(tmp_path, 0), Server(), "FAILED")


def test_a_localstack_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    server = Server()
    server.runs = False
    with pytest.raises(RuntimeError, match="LocalStack ended"):
        ended(marked(tmp_path, 1), server)


def test_runs_that_do_not_end_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_localstack, "_PATIENCE", -1)
    with pytest.raises(TimeoutError, match="1 of 2 steps"):
        ended(marked(tmp_path, 1), Server())


def test_a_state_machine_does_what_an_item_says() -> None:
    naps = Item(number=0, workload="W2b", shape="naps", steps=2, seconds=1)
    states = on_localstack.machine(naps, "function")["States"]
    assert list(states) == ["step-0", "nap-1", "step-1", "nap-2", "step-2"]
    assert states["nap-1"] == {"Type": "Wait", "Seconds": 1, "Next": "step-1"}
    assert states["step-2"]["End"] is True
    fan = on_localstack.machine(replace(naps, shape="fan"), "function")["States"]["fan"]
    step = fan["ItemProcessor"]["States"]["step"]
    assert (fan["Type"], step["Parameters"]["number.$"]) == ("Map", "$.number")
    json.dumps(states)
