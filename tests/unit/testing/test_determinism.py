"""assert_deterministic finds what workflow code depends on without being told, and says what."""

from __future__ import annotations

import datetime as dt
import os
import random
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from everstep import Context, Workflow, step, workflow
from everstep.core.errors import EverstepError, StepFailed
from everstep.core.exported import read_history
from everstep.core.tracing import Moment, prefixes
from everstep.testing import TestEngine, TestRun, fresh_process
from everstep.testing.determinism import NotReplayedWarning, assert_deterministic
from everstep.testing.differences import Cause, DeterminismError, Parting, parting
from everstep.testing.fresh_process import UnimportableError, pass_elsewhere, place_of
from everstep.testing.passes import Place, Surroundings, answer, pass_over, request
from tests.unit.testing import hidden_inputs as given

USUAL = Surroundings(seed=0, at=None)


def told(case: Workflow[Any, Any], *, processes: int = 0) -> DeterminismError:
    """Return what is said against a workflow."""
    with pytest.raises(DeterminismError) as caught:
        assert_deterministic(case, processes=processes)
    return caught.value


def recorded(case: Workflow[Any, Any]) -> dict[str, Any]:
    """Return the document of a run."""
    engine = TestEngine([case])
    run = engine.start(case)
    engine.run_until_idle()
    return run.export()


@pytest.fixture(autouse=True)
def cold_cache() -> None:
    given.CACHE.clear()


# --- What differs in one process


@pytest.mark.parametrize(
    ("case", "cause", "after"),
    [
        (given.by_date, Cause.CLOCK, "note#1"),
        (given.by_chance, Cause.CHANCE, None),
        (given.by_length, Cause.CHANCE, None),
        (given.by_setting, Cause.ENVIRONMENT, None),
        (given.by_home, Cause.ENVIRONMENT, None),
        (given.by_uuid, Cause.AGAIN, None),
        (given.by_count, Cause.AGAIN, None),
        (given.by_secret, Cause.AGAIN, "note#1"),
        (given.by_failure, Cause.AGAIN, "note#1"),
        (given.by_cache, Cause.LEFT_BEHIND, None),
    ],
    ids=lambda value: value.name if isinstance(value, Workflow) else "",
)
def test_a_hidden_input_is_found_and_named(
    case: Workflow[Any, Any], cause: Cause, after: str | None
) -> None:
    error = told(case)

    assert error.causes == (cause,)
    assert error.operation == after


def test_the_message_tells_place_difference_cause_and_cure() -> None:
    today = dt.datetime.now(dt.UTC).date()
    later = today + dt.timedelta(days=397)
    head, one, another, *rest = str(told(given.by_date)).splitlines()

    assert head == "by_date is not deterministic: two passes over its code part after note#1"
    assert one == f"  one pass: asks for the step note#2 with what={today!r}"
    assert another in {
        f"  another:  asks for the step note#2 with what={day!r}"
        for day in (later, later + dt.timedelta(days=1))
    }
    assert rest == [
        "What differed: the clock",
        (
            "What to do: take the time from ctx.now(), or read the clock in a step. "
            "`everstep check` finds"
        ),
        "  most such places without running anything.",
    ]


def test_what_a_step_changes_in_a_global_is_found() -> None:
    seen: list[str] = []

    @step
    def remember(what: str) -> str:
        seen.append(what)
        return what

    @workflow
    async def forgetful(ctx: Context) -> int:
        await ctx.step(remember, "a")
        await ctx.sleep(len(seen) * 10)
        await ctx.step(remember, "b")
        return 1

    error = told(forgetful)
    assert error.causes == (Cause.LEFT_BEHIND,)
    assert "  one pass: asks for the sleep sleep#1 for 0:00:10" in str(error).splitlines()


def test_the_operations_of_a_restless_run_are_told_in_the_order_in_which_they_came_about() -> None:
    """The names would sort otherwise, and in virtual time all happens at once."""
    calls = count()

    @workflow
    async def wandering(ctx: Context) -> None:
        await ctx.step(step(name="z")(given.note.fn), 1)
        await ctx.step(step(name="a")(given.note.fn), 1)
        await ctx.step(step(name="m")(given.note.fn), next(calls))
        await ctx.step(step(name="b")(given.note.fn), 1)

    assert told(wandering).operation == "a#1"


def test_without_the_library_for_the_clock_a_note_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "time_machine", None)
    report = assert_deterministic(given.right_without_input, processes=0)

    assert str(report).splitlines() == [
        (
            "right_without_input: the same in 4 passes in this process and 0 in fresh ones "
            "(1 operations)"
        ),
        "Note: the clock was not varied: install time-machine (pip install 'everstep[testing]')",
    ]
    assert told(given.by_uuid).causes == (Cause.AGAIN_OR_THE_CLOCK,)


# --- What differs from process to process


@pytest.mark.parametrize("case", [given.by_set, given.by_hash], ids=["set", "hash"])
def test_what_the_hash_seed_changes_is_found_in_fresh_processes(case: Workflow[Any, Any]) -> None:
    error = told(case, processes=1)

    assert error.causes == (Cause.HASH_SEED,)
    # Two orders of a set may begin alike, by chance: then it is told after what they part.
    assert error.operation is None or error.operation.startswith("note#")


def test_what_is_different_in_every_process_is_found() -> None:
    assert told(given.by_process, processes=1).causes == (Cause.PROCESS,)


def test_what_only_this_process_knows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(given.CACHE, "rates", "known")

    assert told(given.by_cache, processes=1).causes == (Cause.FRESH,)


def test_right_code_is_the_same_in_all_of_them() -> None:
    report = assert_deterministic(given.right, list(given.WORDS))

    assert str(report) == (
        "right: the same in 4 passes in this process and 2 in fresh ones (12 operations)"
    )


def test_this_process_s_own_hash_seed_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def noting(
        place: Place, document: dict[str, Any], surroundings: Surroundings, seeds: list[int]
    ) -> list[list[Moment]]:
        tried.extend(seeds)
        passed = pass_over(given.right_without_input, read_history(document), surroundings)
        assert place.name == "right_without_input"
        return [passed for _ in seeds]

    monkeypatch.setenv("PYTHONHASHSEED", "2")
    monkeypatch.setattr("everstep.testing.determinism.pass_elsewhere", noting)
    assert assert_deterministic(given.right_without_input, processes=3).processes == 3
    assert tried == [1, 3, 4]


# --- The run


def test_script_and_setup_see_to_the_outside() -> None:
    done: list[str] = []

    def script(engine: TestEngine, run: TestRun[str]) -> None:
        done.append("script")
        engine.fail(given.note, StepFailed(operation="x", error_type="E", message="", attempts=1))
        beside = engine.start(given.by_date)
        engine.run_until_idle()
        assert run.status == "RUNNING"
        assert beside.status == "COMPLETED"

    report = assert_deterministic(
        given.right_without_input,
        script=script,
        setup=lambda: done.append("setup"),
        workflows=[given.by_date],
        processes=0,
    )
    assert done == ["setup", "script"]
    assert report.operations == 1


def test_a_run_that_stands_still_is_no_success() -> None:
    assert str(told(given.standing_still)).startswith(
        "standing_still stands still before its end: UnawaitedOperationError: "
    )


# --- Passes


def test_a_pass_puts_everything_back_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[object] = []
    numpys = SimpleNamespace(
        get_state=lambda: "before", seed=states.append, set_state=states.append
    )
    monkeypatch.setitem(sys.modules, "numpy", SimpleNamespace(random=numpys))
    before = (random.getstate(), type(os.environ), os.environ["PATH"])
    history = read_history(recorded(given.right_without_input))
    everything = Surroundings(seed=7, at=0, environment="other")

    assert len(pass_over(given.right_without_input, history, everything)) == 2
    assert (random.getstate(), type(os.environ), os.environ["PATH"]) == before
    assert states == [7, "before"] * 2
    assert dt.datetime.now(dt.UTC).year > 1970


def test_the_engine_s_own_settings_stay_as_they_are() -> None:
    @workflow
    async def at_home(ctx: Context) -> str:
        return await ctx.step(given.note, Path.home())

    assert assert_deterministic(at_home, processes=0).passes == 4


def test_of_many_operations_some_prefixes_are_looked_at_the_ends_among_them() -> None:
    assert prefixes(3) == [0, 1, 2, 3]
    assert len(prefixes(1000)) == 101
    assert prefixes(1000)[:2] == [0, 10]
    assert prefixes(1000)[-1] == 1000


def test_a_moment_comes_back_from_json() -> None:
    moment = Moment(told=1, asked=("a#1", "b#1"), does="step", identity="x=1", shown={"x": "1"})

    assert Moment.from_json({**moment.to_json(), "asked": ["a#1", "b#1"]}) == moment


def test_passes_that_ask_in_another_order_differ_and_say_in_which() -> None:
    one = Moment(told=2, asked=("a#1", "b#1", "c#1"), does="step", identity="", shown={})
    other = replace(one, asked=("b#1", "a#1", "c#1"))
    found = parting([one], [other])

    assert found == Parting(one=one, other=other)
    assert found is not None
    error = DeterminismError.of_a_parting("order", found, [Cause.CHANCE], ["a#1", "b#1"])
    assert str(error).splitlines()[:3] == [
        "order is not deterministic: two passes over its code part after b#1",
        "  one pass: asks for the step c#1 (asked for before: a#1, b#1)",
        "  another:  asks for the step c#1 (asked for before: b#1, a#1)",
    ]


def test_a_pass_that_breaks_says_why() -> None:
    one = Moment(told=0, asked=(), does="returns", identity="x", shown={"": "null"})
    other = replace(one, does="breaks", identity="y", shown={"": "NonDeterminismError: no"})
    error = DeterminismError.of_a_parting("order", Parting(one=one, other=other), [Cause.AGAIN], [])

    assert str(error).splitlines()[1:3] == [
        "  one pass: returns null",
        "  another:  cannot go on: NonDeterminismError: no",
    ]


# --- Fresh processes


def test_a_process_answers_with_what_the_code_does_there() -> None:
    document = recorded(given.right_without_input)
    place = place_of(given.right_without_input)
    passed = pass_over(given.right_without_input, read_history(document), USUAL)

    assert answer(request(place, document, USUAL)) == {
        "moments": [moment.to_json() for moment in passed]
    }


def test_a_module_is_found_by_its_file_where_its_name_leads_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shop.py"
    file.write_text(Path(str(given.__file__)).read_text(encoding="utf-8"), encoding="utf-8")
    document = recorded(given.right_without_input)
    for name in ("shop_of_mine", "json"):
        monkeypatch.setitem(sys.modules, name, sys.modules.get(name))
        place = Place(module=name, file=str(file), name="right_without_input")
        assert len(answer(request(place, document, USUAL))["moments"]) == 2


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("shop.txt", "ImportError: {} is no Python module"),
        ("shop.py", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_module_that_cannot_be_imported_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, reason: str
) -> None:
    path = tmp_path / file
    path.write_text("1 / 0")
    monkeypatch.setitem(sys.modules, "shop_of_nobody", None)
    place = Place(module="shop_of_nobody", file=str(path), name="order")

    assert answer(request(place, recorded(given.right_without_input), USUAL)) == {
        "unimportable": reason.format(path)
    }


def test_a_module_that_fails_to_import_elsewhere_is_noted(tmp_path: Path) -> None:
    file = tmp_path / "shop.py"
    file.write_text("print('hello')\n1 / 0")
    place = Place(module="shop_of_nobody", file=str(file), name="order")

    with pytest.raises(UnimportableError, match=r"fails to import there \(ZeroDivisionError: "):
        pass_elsewhere(place, recorded(given.right_without_input), USUAL, [1])


def test_a_process_that_ends_without_an_answer_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "shop.py"
    file.write_text("import os\nos._exit(3)")
    place = Place(module="shop_of_nobody", file=str(file), name="order")

    with pytest.raises(EverstepError, match=r"^a fresh process ended with 3:"):
        pass_elsewhere(place, recorded(given.right_without_input), USUAL, [1])


def test_a_process_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shop.py"
    file.write_text("while True:\n    pass")
    place = Place(module="shop_of_nobody", file=str(file), name="order")
    monkeypatch.setattr(fresh_process, "_PATIENCE", 0.1)

    with pytest.raises(EverstepError, match=r"^a fresh process gave no answer within 0.1 s"):
        pass_elsewhere(place, recorded(given.right_without_input), USUAL, [1])


def test_a_workflow_that_cannot_be_imported_elsewhere_is_noted_with_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @workflow
    async def local(ctx: Context) -> str:
        return await ctx.step(given.note, 1)

    why = "not replayed in fresh processes: local is defined in a function"
    with pytest.warns(NotReplayedWarning, match=f"^local was {why}; what the order") as warned:
        report = assert_deterministic(local)

    assert report.notes == (why,)
    assert str(report).splitlines()[1:] == [f"Note: {why}"]
    assert [each.filename for each in warned] == [__file__]
    assert assert_deterministic(local, processes=0).notes == ()

    monkeypatch.setattr(given.right.fn, "__module__", "__main__")
    with pytest.raises(UnimportableError, match=r"^right is defined in the program that runs$"):
        place_of(given.right)
