"""Whatever is done to an audit shows: which entry it was, and what was done to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from everstep.core import audit_check
from everstep.core.audit import Action
from everstep.core.audit_check import Harm, check_audit
from everstep.core.model import ErrorInfo, Payload, RunStatus
from tests.unit.core.audits import Story, of_an_earlier_release

if TYPE_CHECKING:
    from collections.abc import Callable


def found(story: Story) -> list[tuple[int, Harm]]:
    """Return which entries a check names, and what it says was done to them."""
    return [(each.entry, each.harm) for each in check_audit(story.head, story.entries).breaks]


def trail(story: Story, **changes: object) -> None:
    assert story.head.trail is not None
    changed = replace(story.head.trail, **changes)  # type: ignore[arg-type]
    story.head = replace(story.head, trail=changed)


STORIES: dict[str, Callable[[], Story]] = {
    "accepted": Story,
    "asked": lambda: Story().asked(),
    "asked twice": lambda: Story().asked(2),
    "ended": lambda: Story().ended(),
    "failed": lambda: Story().ended(RunStatus.FAILED),
    "asked and ended": lambda: Story().asked(3).ended(),
    "ended and noted": lambda: Story().ended(RunStatus.FAILED).noted(),
    "everything": lambda: Story().asked(2).ended(RunStatus.FAILED).noted().noted(),
    "by force": lambda: Story().asked().ended(RunStatus.CANCELLED, by_force=True),
}
STORED = [name for name, make in STORIES.items() if make().entries]
ENDED = [name for name, make in STORIES.items() if make().head.status.terminal]


@pytest.mark.parametrize("name", STORIES)
def test_an_audit_to_which_nothing_was_done_is_whole(name: str) -> None:
    story = STORIES[name]()
    verdict = check_audit(story.head, story.entries)
    assert (verdict.whole, verdict.proven) == (True, True)
    assert verdict.entries == story.head.generation + 1
    assert verdict.hash == story.link


EDITS: dict[str, dict[str, Any]] = {
    "when": {"at": 1},
    "what": {"action": Action.RESUMED},
    "who": {"who": "mallory"},
    "nobody": {"who": None},
    "why": {"why": None},
    "the entry before": {"previous": "0" * 64},
    "details": {"details": {}},
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("name", STORED)
def test_an_edited_entry_is_named(name: str, edit: dict[str, Any]) -> None:
    for place in range(len(STORIES[name]().entries)):
        story = STORIES[name]()
        number = story.entries[place].number
        story.entries[place] = replace(story.entries[place], **edit)
        assert found(story) == [(number, Harm.EDITED)]


BIRTHS: dict[str, dict[str, Any]] = {
    "input": {"input": Payload(text='"other"', size=7)},
    "workflow": {"workflow": "other"},
    "version": {"version": "2"},
    "when": {"created_at": 1},
    "tags": {"tags": {"a": "b"}},
}


@pytest.mark.parametrize("edit", BIRTHS.values(), ids=BIRTHS)
@pytest.mark.parametrize("name", STORIES)
def test_an_edited_birth_is_named(name: str, edit: dict[str, Any]) -> None:
    story = STORIES[name]()
    story.head = replace(story.head, **edit)
    assert found(story) == [(0, Harm.EDITED)]


@pytest.mark.parametrize("edit", [{"who": "mallory"}, {"why": "x"}, {"how": None}])
@pytest.mark.parametrize("name", STORIES)
def test_who_made_a_run_cannot_be_edited(name: str, edit: dict[str, Any]) -> None:
    story = STORIES[name]()
    trail(story, **edit)
    assert found(story) == [(0, Harm.EDITED)]


ENDS: dict[str, dict[str, Any]] = {
    "status": {"status": RunStatus.TIMED_OUT},
    "when": {"ended_at": 1},
    "result": {"result": Payload(text="8", size=1)},
    "error": {"error": ErrorInfo(type="Boom", message="other")},
    "by": {"by": "mallory"},
    "successor": {"successor": "run-9"},
    "no time": {"ended_at": None},
    "goes on": {"status": RunStatus.RUNNING},
}


@pytest.mark.parametrize("edit", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("name", ENDED)
def test_an_edited_end_is_named(name: str, edit: dict[str, Any]) -> None:
    story = STORIES[name]()
    trail_before = story.head.trail
    assert trail_before is not None
    story.head = replace(story.head, **edit)
    assert found(story) == [(trail_before.sealed, Harm.EDITED)]


@pytest.mark.parametrize("name", ENDED)
def test_when_code_began_cannot_be_edited(name: str) -> None:
    story = STORIES[name]()
    trail(story, started_at=1)
    assert [harm for _, harm in found(story)] == [Harm.EDITED]


@pytest.mark.parametrize("name", STORED)
def test_a_removed_entry_is_named_also_the_last_one(name: str) -> None:
    for place in range(len(STORIES[name]().entries)):
        story = STORIES[name]()
        gone = story.entries.pop(place)
        assert found(story) == [(gone.number, Harm.REMOVED)]


@pytest.mark.parametrize("name", STORED)
def test_all_entries_that_were_removed_are_named(name: str) -> None:
    story = STORIES[name]()
    gone, story.entries = story.entries, []
    assert found(story) == [(each.number, Harm.REMOVED) for each in gone]


@pytest.mark.parametrize("name", ["asked", "asked twice", "asked and ended"])
def test_a_count_that_was_made_to_fit_what_is_left_shows(name: str) -> None:
    story = STORIES[name]()
    story.entries.pop()
    story.head = replace(story.head, generation=story.head.generation - 1)
    assert found(story)


def test_two_entries_that_changed_places_are_both_named() -> None:
    for story in (Story().asked(4), Story().asked(4).ended(), Story().asked(4).ended().noted()):
        one, two = story.entries[1], story.entries[3]
        story.entries[1] = replace(two, number=one.number)
        story.entries[3] = replace(one, number=two.number)
        assert found(story) == [(2, Harm.REORDERED), (4, Harm.REORDERED)]


def test_an_inserted_entry_is_named() -> None:
    story = Story().asked(2).ended()
    for number in (3, 4, 0):
        told = [*story.entries, replace(story.entries[-1], number=number)]
        assert found(Story(head=story.head, entries=told)) == [(number, Harm.INSERTED)]


def test_an_entry_that_was_put_in_between_shows_although_the_others_make_room() -> None:
    story = Story().asked(3)
    made_room = [replace(each, number=each.number + 1) for each in story.entries[1:]]
    forged = replace(story.entries[1], who="mallory")
    story.entries = [story.entries[0], forged, *made_room]
    assert (4, Harm.INSERTED) in found(story)
    story.head = replace(story.head, generation=4)
    assert found(story)


def test_an_end_that_the_engine_did_not_write_is_named() -> None:
    story = Story().asked()
    story.head = replace(story.head, status=RunStatus.COMPLETED, ended_at=5)
    assert found(story) == [(2, Harm.EDITED)]


def test_a_forged_last_hash_shows() -> None:
    for make in STORIES.values():
        story = make()
        trail(story, link="0" * 64)
        assert [harm for _, harm in found(story)] == [Harm.EDITED]


def test_a_forged_place_of_the_end_shows() -> None:
    for number in (0, 1, 3, 9):
        story = Story().asked(1).ended().noted()
        trail(story, sealed=number)
        assert found(story)


def test_what_was_lost_together_with_the_entry_before_the_end_is_named_alone() -> None:
    story = Story().asked(2).ended()
    story.entries.pop()
    assert found(story) == [(2, Harm.REMOVED)]


def test_details_say_what_was_done_in_words() -> None:
    story = Story().asked().ended()
    story.entries.clear()
    story.head = replace(story.head, version="2")
    details = [each.detail for each in check_audit(story.head, story.entries).breaks]
    assert details == ["entry 1 was removed"]
    trail(story, sealed=9)
    details = [each.detail for each in check_audit(story.head, story.entries).breaks]
    assert any(each.startswith("its end (status") for each in details)


# --- What earlier releases have recorded


@pytest.mark.parametrize(
    "story",
    [
        of_an_earlier_release(),
        of_an_earlier_release().asked(2),
        of_an_earlier_release().ended(old=True),
        of_an_earlier_release().asked().ended(),
        of_an_earlier_release().ended(RunStatus.FAILED).noted(),
    ],
)
def test_what_began_under_an_earlier_release_is_whole_and_not_proven(story: Story) -> None:
    verdict = check_audit(story.head, story.entries)
    assert (verdict.breaks, verdict.proven) == ((), False)


def test_its_entries_show_what_is_done_to_them_all_the_same() -> None:
    story = of_an_earlier_release().asked(3)
    story.head = replace(story.head, trail=None)
    assert check_audit(story.head, story.entries).hash == ""
    story.entries[1] = replace(story.entries[1], who="mallory")
    assert found(story) == [(2, Harm.EDITED)]
    story.entries.pop()
    assert (3, Harm.REMOVED) in found(story)


def test_a_chain_that_does_not_fit_is_told_of_even_if_nothing_names_the_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Story()
    trail(story, link="0" * 64)
    monkeypatch.setattr(audit_check, "_edited", lambda *_: [])
    assert found(story) == [(story.head.generation, Harm.EDITED)]
