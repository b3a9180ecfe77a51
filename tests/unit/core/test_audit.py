"""The chain of audit entries shows whatever was altered, removed or put in between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everstep.core.audit import Action, Asked, AuditEntry, acceptance, first_break, following, seal
from everstep.core.model import Payload
from tests.unit.core.builders import NOW, make_head

ASKED = Asked(action=Action.PAUSED, who="ann", why="lunch")


def chain(length: int) -> list[AuditEntry]:
    entries = [acceptance(make_head())]
    for number in range(length):
        entries.append(following(entries[-1], ASKED, NOW + number))
    return entries[1:]


def test_an_entry_says_what_was_asked_by_whom_and_why() -> None:
    (entry,) = chain(1)
    assert entry == AuditEntry(
        number=1,
        at=NOW,
        action=Action.PAUSED,
        who="ann",
        why="lunch",
        previous=seal(acceptance(make_head())),
    )


def test_a_whole_chain_has_no_break() -> None:
    for length in range(4):
        assert first_break(replace(make_head(), generation=length), chain(length)) is None


@pytest.mark.parametrize(
    "change",
    [{"at": 1}, {"action": Action.RESUMED}, {"who": "bob"}, {"why": None}, {"previous": ""}],
)
def test_an_altered_entry_shows(change: dict[str, object]) -> None:
    entries = chain(3)
    entries[1] = replace(entries[1], **change)  # type: ignore[arg-type]
    assert first_break(replace(make_head(), generation=3), entries) in {2, 3}


def test_a_removed_entry_shows_the_last_one_included() -> None:
    entries, head = chain(3), replace(make_head(), generation=3)
    assert first_break(head, entries[1:]) == 1
    assert first_break(head, entries[:1] + entries[2:]) == 2
    assert first_break(head, entries[:2]) == 3


def test_entries_of_another_run_show() -> None:
    other = replace(make_head(), generation=1, input=Payload(text='"other"'))
    assert first_break(other, chain(1)) == 1


def test_the_hash_of_an_acceptance_is_the_same_whether_or_not_the_input_is_at_hand() -> None:
    recorded = replace(make_head(), input=Payload(ref="payloads/x", size=3))
    at_hand = replace(make_head(), input=Payload(ref="payloads/x", text="{}", size=3))
    assert acceptance(recorded) == acceptance(at_hand)
