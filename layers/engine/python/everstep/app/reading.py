"""Read runs and indexes as far as they can be read, and say what cannot be."""

from __future__ import annotations

import json
from dataclasses import field
from typing import TYPE_CHECKING, Final, cast

from everstep.app.payloads import unpack
from everstep.core.errors import EverstepError, UnreadablePayloadError
from everstep.core.model import HEAD, History
from everstep.core.records import dataclass, replace
from everstep.core.unreadable import Unreadable, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.app.engine import Engine
    from everstep.core.listing import Listed
    from everstep.core.model import DueEntry, Payload

# What a blob store answers because of one object, and not because of who asks or of the store.
_OF_ONE_OBJECT: Final = frozenset({"AccessDenied", "InvalidObjectState", "MissingBlob"})
_OF_ITS_KEY: Final = "KMS."
_FAR_FUTURE: Final = 2**50
_MANY: Final = 100_000


def read_run(engine: Engine, run_id: str) -> tuple[History | None, Sequence[Unreadable]]:
    """Return a run's history with every payload at hand, and what of it cannot be read.

    Returns:
        None for a run that is not there, or whose items cannot be read; payloads that cannot be
        read stay as they are recorded.

    Raises:
        UnavailableError: A service did not answer.
        EverstepError: A service refused, and not because of this run.
    """
    try:
        history = engine.runs.load(run_id)
    except UnreadableError as error:
        return None, error.items
    if history is None:
        return None, ()
    reading = _Reading(engine, run_id)
    head = replace(
        history.head,
        input=reading.at_hand(HEAD, "input", history.head.input),
        hidden=history.head.hidden and reading.at_hand(HEAD, "hidden", history.head.hidden),
        result=history.head.result and reading.at_hand(HEAD, "result", history.head.result),
    )
    records = {
        key: replace(
            record,
            result=record.result and reading.at_hand(key, "result", record.result),
            hidden=record.hidden and reading.at_hand(key, "hidden", record.hidden),
        )
        for key, record in history.records.items()
    }
    return replace(history, head=head, records=records), reading.unreadable


@dataclass(slots=True)
class _Reading:
    """The payloads of one run."""

    engine: Engine
    run_id: str
    unreadable: list[Unreadable] = field(default_factory=list)

    def at_hand(self, key: str, attribute: str, payload: Payload) -> Payload:
        """Return a payload with its text at hand, or as it is if that cannot be had."""
        try:
            whole = unpack(self.engine, self.run_id, payload)
            # Numbers stay text: how large they may be is not the question here.
            json.loads(whole.at_hand, parse_int=str, parse_float=str)
        except (ValueError, RecursionError):
            reason = f"{attribute} is not JSON"
        except UnreadablePayloadError as error:
            reason = f"{attribute}: {error}"
        except EverstepError as error:
            code = getattr(error, "code", "")
            if code not in _OF_ONE_OBJECT and not code.startswith(_OF_ITS_KEY):
                raise
            reason = f"{attribute} cannot be fetched from the bucket: {code}"
        else:
            return whole
        self.unreadable.append(Unreadable(run_id=self.run_id, key=key, reason=reason))
        return payload


@dataclass(slots=True)
class Due:
    """The due index, by run."""

    entries: dict[str, list[DueEntry]] = field(default_factory=dict)
    unreadable: dict[str, list[Unreadable]] = field(default_factory=dict)


def read_due(engine: Engine) -> Due:
    """Return the whole due index."""
    due = Due()
    for shard in range(engine.timers.shards):
        try:
            found = engine.timers.due(shard, _FAR_FUTURE, _MANY)
        except UnreadableError as error:
            found = cast("Sequence[DueEntry]", error.found)
            _by_run(error, due.unreadable)
        for entry in found:
            due.entries.setdefault(entry.run_id, []).append(entry)
    return due


def read_list(engine: Engine) -> tuple[dict[str, Listed], dict[str, list[Unreadable]]]:
    """Return every run that is listed, and what of the list cannot be read, both by run."""
    runs: dict[str, Listed] = {}
    unreadable: dict[str, list[Unreadable]] = {}
    try:
        for run in engine.lists.every():
            runs[run.run_id] = run
    except UnreadableError as error:
        _by_run(error, unreadable)
    return runs, unreadable


def _by_run(error: UnreadableError, found: dict[str, list[Unreadable]]) -> None:
    for item in error.items:
        found.setdefault(item.run_id, []).append(item)
