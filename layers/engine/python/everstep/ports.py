"""What the engine needs from the outside, as protocols.

Each has an implementation on AWS and one in memory; one contract suite runs against both.
Every call may raise ``UnavailableError``, after which it may or may not have happened: all calls
are built so that repeating them is harmless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from everstep.core.api_keys import ApiKey
    from everstep.core.audit import AuditEntry, Note
    from everstep.core.changes import HeadChange, RunEnded
    from everstep.core.circumstances import Claim, Reference
    from everstep.core.listing import Listed
    from everstep.core.model import DueEntry, Event, Head, History, OpRecord, Outgoing, RunStatus
    from everstep.core.transitions import Guard, HeadGuard


class RunStore(Protocol):
    """Keeps runs: one head and one record per operation. All reads are strongly consistent."""

    def create(
        self,
        head: Head,
        claim: Claim | None,
        note: Note | None = None,
        reference: Reference | None = None,
    ) -> Claim | Reference | Note | None:
        """Write a new run and, with it or not at all, what it holds and what is to be noted.

        Args:
            head: The run.
            claim: Its claim on an idempotency key.
            note: The next entry in the audit of the run that this one goes on from.
            reference: Its caller's own name for it, which it takes over from the run that this
                says, or from nobody.

        Returns:
            None if the run was written; the claim that holds the key if somebody had it before;
            else the reference as it stands if another run than was said has it; else the note if
            it is not the next one any more.
        """

    def reference(self, workflow: str, reference_id: str) -> Reference | None:
        """Return who has a caller's own name, whether or not that run has ended."""

    def claim(self, workflow: str, key: str) -> Claim | None:
        """Return who has an idempotency key, whether or not that run has ended."""

    def release(self, head: Head) -> None:
        """Give back the idempotency key and the name of a run, unless others have them by now."""

    def clear(self, run_id: str, due_at: int) -> bool:
        """Remove some of what is recorded of a run that has ended; say whether nothing is left.

        Its head goes last, and only from this place in the due index: whoever dies in between
        finds the rest there.
        """

    def load(self, run_id: str) -> History | None:
        """Return the head and every record, in one query."""

    def head(self, run_id: str) -> Head | None:
        """Return the head alone."""

    def record(self, run_id: str, key: str) -> OpRecord | None:
        """Return the record of one operation."""

    def peek(self, run_id: str, keys: Sequence[str]) -> tuple[Head | None, Mapping[str, OpRecord]]:
        """Return the head and the records of some operations."""

    def between(
        self, run_id: str, first: str, last: str, most: int
    ) -> tuple[Sequence[OpRecord], bool]:
        """Return the first records from one key to another, in their order, in one request.

        Returns:
            At most so many; and whether there may be more.
        """

    def put(
        self,
        run_id: str,
        record: OpRecord,
        guard: Guard,
        before: OpRecord | None = None,
        cost: str = "",
    ) -> bool:
        """Replace an operation's record if the guard allows it; say whether it did.

        Args:
            run_id: The run.
            record: The record.
            guard: What must be recorded before.
            before: What it replaces, as far as its writer knows: what the write takes may hang
                on it, and nothing else.
            cost: What was taken for the record; what this write takes is recorded with it.
        """

    def move(self, run_id: str, key: str, due_at: int | None, guard: Guard) -> bool:
        """Change a record's place in the due index (None: out of it) if the guard allows it."""

    def put_event(self, run_id: str, event: Event) -> bool:
        """Keep an event if its name has none with this number; say whether it was kept."""

    def replace_event(self, run_id: str, event: Event) -> None:
        """Keep an event, in place of the one that has its name and number."""

    def claim_event(self, run_id: str, name: str, number: int, key: str) -> bool:
        """Give an event to a wait if no other wait has it; say whether this one has it now."""

    def change(
        self, run_id: str, change: HeadChange, guard: HeadGuard, audit: AuditEntry | None = None
    ) -> bool:
        """Change the head if the guard allows it; say whether it did.

        An audit entry is written with the change or not at all, and only as the next one. So is
        what the end of a run says of itself.
        """

    def hand_over(
        self,
        run_id: str,
        change: RunEnded,
        guard: HeadGuard,
        successor: Head,
        reference: Reference | None = None,
    ) -> bool:
        """End a run and write the one that goes on in its place, if the guard allows it.

        Both or neither, and with them the caller's own name for the run, which its successor
        takes over. Says whether this call did.
        """

    def audit(self, run_id: str, since: int = 1) -> Sequence[AuditEntry]:
        """Return the audit entries from this number on, in order."""


class TimerIndex(Protocol):
    """Finds what is due. Eventually consistent: an entry may be gone or moved by now."""

    @property
    def shards(self) -> int:
        """Return how many shards there are; each is read on its own."""

    @property
    def waking(self) -> int:
        """Return how many shards hold what is to wake up; those after hold what is to go.

        However many runs there are to be removed, no timer stands behind them.
        """

    def due(self, shard: int, until: int, limit: int, since: int = 0) -> Sequence[DueEntry]:
        """Return entries due from an instant to another, earliest first, at most ``limit``."""


class RunList(Protocol):
    """Lists runs by workflow and recorded status, newest first. Eventually consistent."""

    def newest(
        self,
        workflow: str,
        status: RunStatus,
        before: str | None,
        limit: int,
        since: str | None = None,
    ) -> Sequence[Listed]:
        """Return up to ``limit`` runs whose id sorts before ``before`` (None for the newest).

        With ``since``, none whose id sorts before that.
        """

    def count(self, workflow: str, status: RunStatus, limit: int) -> int:
        """Return how many runs there are of a workflow and a status, at most ``limit``."""

    def every(self) -> Iterable[Listed]:
        """Return every run there is, in no order; reads the whole index, page by page."""


class DeadLetters(Protocol):
    """Keeps messages that belong to no run, so that nothing is lost."""

    def keep(self, message_id: str, body: str, reason: str, at: int) -> None:
        """Keep a message and why it could not be processed; keeping it twice changes nothing."""


class KeyStore(Protocol):
    """Keeps API keys, and counts the calls of those that have a rate."""

    def add(self, key: ApiKey) -> bool:
        """Keep a new key; say whether its id was free."""

    def get(self, key_id: str) -> ApiKey | None:
        """Return a key as it is now."""

    def every(self) -> Sequence[ApiKey]:
        """Return every key there is, in no order."""

    def replace(self, key: ApiKey) -> bool:
        """Keep a key in place of its revision before this one; say whether that was there.

        When it was used last is not part of it, and stays.
        """

    def touch(self, key_id: str, at: int, seen: int | None) -> bool:
        """Record a use if the last one is still the one that was seen; say whether it was."""

    def count(self, key_id: str, minute: int, most: int) -> bool:
        """Count a call in a minute (since 1970), unless there were ``most``; say whether it was."""


class Queue(Protocol):
    """The step queue: at least once, in any order, not before the delay."""

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send every message.

        Raises:
            UnavailableError: At least one may not have been sent.
        """


class BlobStore(Protocol):
    """Keeps recorded text that is too large for a record: below its run, by its content."""

    def put(self, run_id: str, text: str) -> str:
        """Keep a text of a run; return its reference. The same text has the same reference."""

    def get(self, ref: str) -> str:
        """Return the text of a reference."""

    def copy(self, ref: str, run_id: str) -> str:
        """Keep the text of a reference as another run's, too; return its reference there."""

    def clear(self, run_id: str) -> bool:
        """Remove texts of a run, a few hundred at a time; say whether none is left."""


class PayloadCodec(Protocol):
    """Makes of recorded text what only those can read who may, and the text again.

    Both may raise ``UnavailableError``: the same call again is harmless.
    """

    def encode(self, text: str, context: Mapping[str, str]) -> str:
        """Return what is recorded in place of a text; the very same text to record it as it is.

        Args:
            text: Inputs, results, events, secrets, logs; as JSON.
            context: What has to be the same when it is decoded: ``run_id``.
        """

    def decode(self, text: str, context: Mapping[str, str]) -> str:
        """Return the text of what ``encode`` gave, now or with what was set before.

        Raises:
            UnreadablePayloadError: It is damaged, not this codec's, or another context's.
        """


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """Return milliseconds since 1970 in UTC."""

    def ticks(self) -> int:
        """Return microseconds of a clock that never goes back, to take times with."""


class Ids(Protocol):
    """Makes identifiers."""

    def run_id(self) -> str:
        """Return a new run id; ids sort by the time they were made."""

    def token(self) -> str:
        """Return a new message token that nobody had before."""

    def secret(self) -> str:
        """Return 16 bytes that nobody can guess, in hexadecimal digits."""
