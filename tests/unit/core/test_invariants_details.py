"""What a violation says: enough to find what is wrong, and nothing that users recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from everstep.core.circumstances import Ending
from everstep.core.decisions import Broken, Raised, Returned
from everstep.core.discretion import digest, of_decision, of_head, of_record
from everstep.core.errors import NonDeterminismError
from everstep.core.failures import describe
from everstep.core.invariants import (
    ViolationError,
    a_stall_has_its_reason,
    attempts_only_grow,
    every_entry_has_its_run,
    head_stays_what_it_is,
    history_replays,
    history_replays_to_its_outcome,
    no_attempt_is_left_out,
    nothing_is_recorded_after_the_end,
    nothing_is_silently_stuck,
    records_are_whole,
    result_never_changes,
    sleep_never_ends_early,
    who_ends_a_run_stays,
)
from everstep.core.model import (
    DueEntry,
    ErrorInfo,
    Head,
    History,
    OpKind,
    OpRecord,
    OpStatus,
    Payload,
    RunStatus,
    Stall,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from everstep.core.session import Session

SECRET: Final = '"4111-SECRET"'
PAYLOAD: Final = Payload(text=SECRET, size=len(SECRET))
ERROR: Final = ErrorInfo(type="CardError", message="4111-SECRET", trace="4111-SECRET")
RECORD: Final = OpRecord(
    key="pay#1",
    kind=OpKind.STEP,
    status=OpStatus.FAILED,
    by="token",
    input_hash="h",
    attempt=2,
    started_at=10,
    result=PAYLOAD,
    error=ERROR,
)
HEAD_: Final = Head(
    run_id="run-1",
    workflow="shop",
    version="1",
    status=RunStatus.FAILED,
    input=PAYLOAD,
    created_at=5,
    by="token",
    result=PAYLOAD,
    error=ERROR,
    stall=Stall(reason=ERROR, at=7, message="4111-SECRET"),
    idempotency_key="key-SECRET",
)


class Code:
    """A workflow that does one thing."""

    name = "shop"
    version = "1"
    steps_per_message = None
    budget = None

    def __init__(self, does: Callable[[], str]) -> None:
        self.does = does

    def begin(self, _session: Session, _input_text: str) -> Coroutine[Any, Any, object]:
        async def run() -> str:
            return self.does()

        return run()

    def encode_output(self, value: object) -> str:
        return str(value)


def fails() -> str:
    raise ValueError("4111-SECRET")


def returns() -> str:
    return SECRET


CHECKS: Final[dict[str, Callable[[], object]]] = {
    "records_are_whole": lambda: records_are_whole(RECORD),
    "result_never_changes": lambda: result_never_changes(RECORD, other_record()),
    "identity_never_changes": lambda: head_stays_what_it_is(
        other_head(), replace(other_head(), idempotency_key="SECRET")
    ),
    "who_ends_a_run_stays": lambda: who_ends_a_run_stays(
        replace(other_head(), ending=Ending(status=RunStatus.CANCELLED, at=5, who="SECRET")),
        other_head(),
    ),
    "attempts_only_grow": lambda: attempts_only_grow(
        replace(RECORD, status=OpStatus.RETRY), replace(RECORD, by="other")
    ),
    "no_attempt_is_left_out": lambda: no_attempt_is_left_out(RECORD, None),
    "nothing_is_recorded_after_the_end": lambda: nothing_is_recorded_after_the_end(
        History(head=HEAD_), RECORD
    ),
    "sleep_never_ends_early": lambda: sleep_never_ends_early(
        replace(other_record(), kind=OpKind.SLEEP, wake_at=9, ended_at=8), 8, 0
    ),
    "terminal_never_changes": lambda: head_stays_what_it_is(HEAD_, other_head()),
    "a_stall_has_its_reason": lambda: a_stall_has_its_reason(HEAD_),
    "nothing_is_silently_stuck": lambda: nothing_is_silently_stuck(History(head=other_head())),
    "history_replays": lambda: history_replays(
        Code(fails), History(head=other_head(), records={"pay#1": RECORD})
    ),
    "history_replays_to_its_outcome": lambda: history_replays_to_its_outcome(
        Code(returns), History(head=HEAD_)
    ),
}


def other_record() -> OpRecord:
    return OpRecord(
        key="pay#1",
        kind=OpKind.STEP,
        status=OpStatus.DONE,
        by="token",
        input_hash="h",
        result=Payload(ref="blob/SECRET", size=70_000),
    )


def other_head() -> Head:
    return Head(
        run_id="run-1",
        workflow="shop",
        version="1",
        status=RunStatus.RUNNING,
        input=PAYLOAD,
        created_at=5,
        by="token",
        idempotency_key="key-SECRET",
    )


@pytest.mark.parametrize("name", CHECKS)
def test_no_detail_holds_what_users_recorded(name: str) -> None:
    with pytest.raises(ViolationError) as raised:
        CHECKS[name]()
    assert raised.value.invariant == name
    assert "SECRET" not in str(raised.value)
    assert "run-1" in raised.value.detail or "pay#1" in raised.value.detail


def test_a_record_that_is_deleted_is_named() -> None:
    with pytest.raises(ViolationError, match=r"pay#1 was deleted$"):
        result_never_changes(RECORD, None)


def test_only_the_place_in_the_due_index_may_change_within_an_attempt() -> None:
    waiting = replace(RECORD, status=OpStatus.RETRY)
    attempts_only_grow(waiting, replace(waiting, due_at=99))


def test_a_record_is_told_by_status_attempt_times_size_and_digest() -> None:
    assert of_record(RECORD) == (
        f"pay#1 (step FAILED, attempt 2, started 10, result {digest(SECRET)}, error CardError)"
    )
    assert digest(SECRET).startswith("13 bytes #")
    assert "result 70000 bytes elsewhere" in of_record(other_record())


def test_a_run_is_told_by_status_and_times() -> None:
    assert of_head(other_head()) == "run-1 (RUNNING, generation 0, began 5)"


def test_what_code_does_is_told_without_its_values() -> None:
    assert of_decision(Returned(output=SECRET, last="")) == f"returns {digest(SECRET)}"
    assert of_decision(Raised(error=ERROR, last="")) == "raises CardError"


def test_a_disagreement_keeps_the_words_of_the_engine_only() -> None:
    engines = describe(NonDeterminismError("pay#1 was recorded as a step"))
    users = describe(NonDeterminismError("today's code raises CardError (4111-SECRET) without"))
    keys = frozenset(f"pay#{number}" for number in range(1, 8))
    assert of_decision(Broken(error=engines, keys=keys)) == (
        "disagrees: NonDeterminismError: pay#1 was recorded as a step"
    )
    assert of_decision(Broken(error=users, keys=keys)) == (
        "disagrees: NonDeterminismError: today's code raises CardError "
        "without pay#1, pay#2, pay#3, pay#4, pay#5 and 2 more"
    )
    assert of_decision(Broken(error=ERROR)) == "disagrees: CardError"
    assert of_decision(Broken(error=ERROR, keys=frozenset({"pay#1"}))) == (
        "disagrees: CardError (recorded: pay#1)"
    )


def test_entries_without_a_run_are_named_by_their_keys() -> None:
    entries = [
        DueEntry(run_id="run-1", key="", due_at=1),
        DueEntry(run_id="run-1", key="nap#1", due_at=1),
    ]
    with pytest.raises(ViolationError, match=r"but it is due: the run itself, nap#1$"):
        every_entry_has_its_run(entries)
