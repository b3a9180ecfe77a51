"""Clock and identifiers of the machine."""

from __future__ import annotations

import re
import time

from everstep.adapters.system import SystemClock, SystemIds


def test_the_clock_tells_milliseconds_since_1970() -> None:
    before = int(time.time() * 1000)
    now = SystemClock().now()
    assert before <= now <= before + 60_000


def test_run_ids_of_one_process_sort_by_their_making() -> None:
    ids = SystemIds()
    made = [ids.run_id() for _ in range(1000)]
    assert made == sorted(set(made))
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", each) for each in made)


def test_tokens_are_16_url_safe_characters_and_never_the_same() -> None:
    ids = SystemIds()
    made = {ids.token() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch("[A-Za-z0-9_-]{16}", each) for each in made)
