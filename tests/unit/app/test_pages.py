"""Lists page by page."""

from __future__ import annotations

import pytest

from everstep.app.pages import page_of, read_cursor, write_cursor
from everstep.core.errors import InvalidRequestError

ITEMS = ["a", "b", "c", "d", "e"]


def shown(limit: int) -> list[list[str]]:
    """Return all pages."""
    pages: list[list[str]] = []
    cursor: str | None = None
    while not pages or cursor is not None:
        found = page_of(ITEMS, str, limit=limit, cursor=cursor)
        pages.append(list(found.items))
        cursor = found.cursor
    return pages


@pytest.mark.parametrize(
    ("limit", "pages"),
    [
        (1, [["a"], ["b"], ["c"], ["d"], ["e"]]),
        (2, [["a", "b"], ["c", "d"], ["e"]]),
        (5, [ITEMS]),
        (9, [ITEMS]),
    ],
)
def test_pages_show_everything_once_in_order(limit: int, pages: list[list[str]]) -> None:
    assert shown(limit) == pages


def test_an_empty_list_has_one_page() -> None:
    nothing: list[str] = []
    found = page_of(nothing, str, limit=3, cursor=None)
    assert (found.items, found.cursor) == ((), None)


def test_what_is_added_at_the_end_stands_on_the_last_page() -> None:
    first = page_of(ITEMS, str, limit=4, cursor=None)
    assert page_of([*ITEMS, "f"], str, limit=4, cursor=first.cursor).items == ("e", "f")


@pytest.mark.parametrize(
    "cursor", [write_cursor("after", "z"), write_cursor("before", "a"), "?", "", "bnVsbA"]
)
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequestError, match="the cursor"):
        page_of(ITEMS, str, limit=2, cursor=cursor)


def test_a_cursor_names_a_text() -> None:
    assert read_cursor(write_cursor("after", "ä/1"), "after") == "ä/1"
    with pytest.raises(InvalidRequestError):
        read_cursor("eyJhZnRlciI6MX0", "after")
