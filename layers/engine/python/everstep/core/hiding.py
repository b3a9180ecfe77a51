"""The values of a run that nobody outside is to read: which there are, and which are recorded.

Code registers some, others were typed as secret where they came in. What code registers is
recorded with the next record that is written, so that every process knows it that reads the run;
until then the pass knows it, and a replay of the code registers it again.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from everstep.core.codec import decode, dumps
from everstep.core.errors import UnmaskableError
from everstep.core.masking import NOTHING, SHORTEST_VALUE
from everstep.core.scoped import scoped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from everstep.core.masking import Masking
    from everstep.core.model import Head, History, OpRecord, Payload

LONGEST_VALUE: Final = 8192
"""Characters; a private key has half of it."""

_TYPED: Final = '"$secret'


class Hidden:
    """What a pass over a run knows of its secrets.

    Attributes:
        known: Every value, in the order in which it was learned.
    """

    def __init__(self, base: Masking = NOTHING) -> None:
        """Begin with what is masked in every run."""
        self.known: dict[str, None] = {}
        self._base = base
        self._unrecorded: dict[str, None] = {}

    @property
    def masking(self) -> Masking:
        """Return what is masked in this run."""
        return self._base.with_values(self.known)

    def register(self, value: str) -> None:
        """Learn a value that code names.

        Raises:
            UnmaskableError: It is too short or too long, or no text.
        """
        _check(value)
        if value not in self.known:
            self.known[value] = None
            self._unrecorded[value] = None

    def recorded(self, payload: Payload | None) -> None:
        """Learn values that stand recorded, as ``hidden_text`` writes them."""
        for value in values_of(payload):
            self.known[value] = None
            self._unrecorded.pop(value, None)

    def add(self, record: OpRecord) -> None:
        """Learn what an operation's record tells of secrets."""
        if record.hidden is not None:
            self.recorded(record.hidden)
        self.seen(record.result)

    def seen(self, payload: Payload | None) -> None:
        """Learn the values that are typed as secret in something that is recorded."""
        if payload is not None and payload.text is not None and _TYPED in payload.text:
            self.known.update(dict.fromkeys(typed_secrets(payload.text)))

    def owed(self, before: OpRecord | None) -> tuple[str, ...]:
        """Return what is to be recorded with the record that takes this one's place."""
        kept = () if before is None else values_of(before.hidden)
        return tuple(dict.fromkeys((*kept, *self._unrecorded)))


def hidden_of(history: History, base: Masking = NOTHING) -> Hidden:
    """Return what a history, every payload at hand, says of its run's secrets."""
    hidden = hidden_of_head(history.head, base)
    for record in history.records.values():
        hidden.add(record)
    return hidden


def hidden_of_head(head: Head, base: Masking = NOTHING) -> Hidden:
    """Return what a head, every payload at hand, says of its run's secrets."""
    hidden = Hidden(base)
    hidden.recorded(head.hidden)
    hidden.seen(head.input)
    hidden.seen(head.result)
    return hidden


def hidden_text(values: Iterable[str]) -> str:
    """Return the recorded text of values."""
    return dumps(list(values))


def values_of(payload: Payload | None) -> tuple[str, ...]:
    """Return the values that stand recorded."""
    return () if payload is None else tuple(json.loads(payload.at_hand))


def typed_secrets(text: str) -> Iterator[str]:
    """Yield what is typed as secret in a recorded text, if it is long enough to be looked for."""
    found: list[str] = []

    def note(data: dict[str, Any]) -> dict[str, Any]:
        if len(data) == 1:
            found.extend(map(str, _secrets_in(data)))
        return data

    json.loads(text, object_hook=note)
    yield from (each for each in found if len(each) >= SHORTEST_VALUE)


def _secrets_in(data: dict[str, Any]) -> Iterator[str]:
    if isinstance(text := data.get("$secret"), str):
        yield text
    elif isinstance(encoded := data.get("$secret_bytes"), str):
        yield encoded
        yield decode(dumps(data)).get_secret_value().decode(errors="replace")


def _check(value: object) -> None:
    if not isinstance(value, str):
        raise UnmaskableError(f"mask() takes text, not a {type(value).__name__}")
    if not SHORTEST_VALUE <= len(value) <= LONGEST_VALUE:
        raise UnmaskableError(
            f"mask() takes {SHORTEST_VALUE} to {LONGEST_VALUE} characters, not {len(value)}: "
            "what is shorter would be found in every other word"
        )


# --- Whose code runs, and which run this process works on

_of_step: ContextVar[Hidden | None] = ContextVar("everstep_hidden", default=None)
_at_work: ContextVar[Hidden | None] = ContextVar("everstep_hidden_of_run", default=None)


def registering(hidden: Hidden) -> scoped[Hidden | None]:
    """Let the code of a step add to its run's secrets while the block runs."""
    return scoped(_of_step, hidden)


def of_step() -> Hidden | None:
    """Return the secrets of the run whose step runs here; None if none does."""
    return _of_step.get()


def work_on(hidden: Hidden | None) -> None:
    """Say which run's secrets are to be masked in what this process logs from now on."""
    _at_work.set(hidden)


def at_work() -> Iterable[str]:
    """Return the secrets of the run that this process works on."""
    hidden = _of_step.get() or _at_work.get()
    return () if hidden is None else hidden.known
