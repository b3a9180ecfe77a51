"""What is measured of the engine's processor time, whatever it comes to on this machine."""

from __future__ import annotations

import json

import pytest

from bench import cpu
from everstep.core.decisions import Broken
from everstep.core.errors import EverstepError
from everstep.core.failures import describe


def test_steps_and_replays_are_measured() -> None:
    found = cpu.measure(rounds=1, lengths=[3, 5], runs=2, steps=4)

    assert set(found["step_ms"]) == {"W1", "W2"}
    assert all(millis > 0 for millis in found["step_ms"].values())
    # A group has a join beside its steps.
    assert {
        name: [each["operations"] for each in replays] for name, replays in found["replay"].items()
    } == {"sequence": [3, 5], "group": [4, 6]}
    for replays in found["replay"].values():
        for each in replays:
            assert each["total_ms"] == pytest.approx(
                each["decode_ms"] + each["replay_ms"], abs=0.01
            )


def test_it_is_shown_as_a_table_or_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = cpu.measure(rounds=1, lengths=[2], runs=1, steps=2)
    monkeypatch.setattr(cpu, "measure", lambda rounds, _lengths: {**found, "rounds": rounds})

    cpu.main(["--rounds", "7"])
    shown = capsys.readouterr().out
    assert "best of 7" in shown
    assert "W2: " in shown
    assert "group " in shown

    cpu.main(["--json"])
    assert json.loads(capsys.readouterr().out)["replay"] == found["replay"]


def test_a_history_that_leads_nowhere_is_not_measured() -> None:
    process = cpu.Process(cpu.sequence)
    with pytest.raises(LookupError):
        cpu.loaded_and_replayed(process, "nobody", [])
    with pytest.raises(TypeError):
        cpu.suspended(Broken(error=describe(EverstepError("broken"))))
