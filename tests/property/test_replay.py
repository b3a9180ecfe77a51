"""Random workflows on every prefix of their histories: one history, one decision."""

from dataclasses import dataclass
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from everstep import Context, StepFailed, step
from everstep.core.decisions import Decision, Raised, Returned, Suspended
from everstep.core.model import History
from everstep.core.replay import Replay
from tests.unit.core.builders import Body, Failure, definition, ended, make_history


@dataclass(frozen=True)
class Do:
    """One operation of a random program."""

    name: str
    seconds: int | None = None
    fails: bool = False
    caught: bool = True


PROGRAMS: Final = st.lists(
    st.builds(
        Do,
        name=st.sampled_from(["a", "b", "c"]),
        seconds=st.none() | st.integers(0, 2000),
        fails=st.booleans(),
        caught=st.booleans(),
    ),
    max_size=8,
)


def work(value: float, name: str) -> str:
    return f"{name}{value}"


def workflow_of(program: list[Do]) -> Body:
    """Return a workflow that carries a program out, with cleanup code around every operation."""

    async def one(ctx: Context, what: Do) -> object:
        try:
            if what.seconds is not None:
                await ctx.sleep(what.seconds, name=f"sleep-{what.name}")
                return None
            return await ctx.step(step(name=what.name)(work), ctx.random().random(), what.name)
        except StepFailed as error:
            if what.caught:
                return error.message
            raise
        finally:
            ctx.logger.info("left %s", what.name)

    async def body(ctx: Context) -> list[object]:
        seen: list[object] = []
        for what in program:
            seen += [await one(ctx, what), ctx.now(), str(ctx.uuid())]
        return seen

    return body


def shown(decision: Decision) -> object:
    """Return a decision without the objects of its pass, for comparison."""
    if not isinstance(decision, Suspended):
        return decision
    return [
        (
            pending.key,
            pending.operation.kind,
            pending.operation.input_hash,
            pending.record,
            pending.unlocked_by,
            pending.ready_at,
            pending.wake_at,
        )
        for pending in decision.frontier
    ]


def fresh(body: Body, history: History) -> object:
    with Replay(definition(body), history) as replay:
        return shown(replay.decision)


def without_traces(decision: object) -> object:
    """Return an outcome without line numbers of the pass that found it."""
    return (
        (decision.error.type, decision.error.message, decision.last)
        if isinstance(decision, Raised)
        else decision
    )


@settings(deadline=None)
@given(PROGRAMS)
def test_a_resumed_pass_decides_as_a_fresh_one_at_every_prefix(program: list[Do]) -> None:
    body = workflow_of(program)
    history = make_history()
    with Replay(definition(body), history) as going:
        for what in [*program, None]:
            again = fresh(body, history)
            assert without_traces(again) == without_traces(shown(going.decision))
            assert without_traces(fresh(body, history)) == without_traces(again)
            if not isinstance(going.decision, Suspended) or what is None:
                break
            (pending,) = going.decision.frontier
            failed = what.fails and what.seconds is None
            record = ended(pending, Failure(message=what.name) if failed else what.name)
            history = history.with_record(record)
            going.resume(record)

    assert isinstance(going.decision, Returned | Raised)


@settings(deadline=None)
@given(PROGRAMS, st.integers(0, 7))
def test_every_prefix_of_a_history_is_a_place_to_go_on_from(program: list[Do], cut: int) -> None:
    body = workflow_of(program)
    complete = history_of_all(body)
    keys = list(complete.records)[:cut]
    prefix = History(head=complete.head, records={key: complete.records[key] for key in keys})

    with Replay(definition(body), prefix) as replay:
        assert replay.asked[: len(keys)] == keys
        if len(keys) < len(complete.records):
            assert isinstance(replay.decision, Suspended)
            assert replay.decision.frontier[0].key == list(complete.records)[len(keys)]
        else:
            assert isinstance(replay.decision, Returned)


def history_of_all(body: Body) -> History:
    """Return the complete history of a run without failures."""
    history = make_history()
    with Replay(definition(body), history) as replay:
        while isinstance(replay.decision, Suspended):
            (pending,) = replay.decision.frontier
            record = ended(pending, pending.key)
            history = history.with_record(record)
            replay.resume(record)
    return history
