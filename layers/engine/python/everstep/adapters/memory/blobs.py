"""The blob store in memory."""

from __future__ import annotations

from everstep.adapters.errors import MissingBlobError
from everstep.core.meter import meter
from everstep.core.places import below, moved, place


class MemoryBlobs:
    """Keep texts in a dictionary."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def put(self, run_id: str, text: str) -> str:
        """Keep a text of a run; return its reference. The same text has the same reference."""
        meter().put_blob()
        ref = place(run_id, text.encode())
        self._texts[ref] = text
        return ref

    def get(self, ref: str) -> str:
        """Return the text of a reference.

        Raises:
            MissingBlobError: Nothing is kept under it.
        """
        meter().get_blob()
        return self._text(ref)

    def copy(self, ref: str, run_id: str) -> str:
        """Keep the text of a reference as another run's, too; return its reference there.

        Raises:
            MissingBlobError: Nothing is kept under it.
        """
        copy = moved(ref, run_id)
        meter().put_blob()
        self._texts[copy] = self._text(ref)
        return copy

    def clear(self, run_id: str) -> bool:
        """Remove texts of a run; say whether none is left."""
        for ref in [each for each in self._texts if each.startswith(below(run_id))]:
            del self._texts[ref]
        return True

    def _text(self, ref: str) -> str:
        try:
            return self._texts[ref]
        except KeyError as error:
            raise MissingBlobError(ref) from error

    @property
    def refs(self) -> frozenset[str]:
        """Return everything that is kept, for tests."""
        return frozenset(self._texts)
