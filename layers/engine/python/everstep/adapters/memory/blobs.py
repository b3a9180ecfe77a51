"""The blob store in memory."""

from __future__ import annotations

from everstep.adapters.errors import MissingBlobError
from everstep.adapters.references import reference


class MemoryBlobs:
    """Keep texts in a dictionary."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def put(self, text: str) -> str:
        """Keep the text; return its reference. The same text has the same reference."""
        ref = reference(text.encode())
        self._texts[ref] = text
        return ref

    def get(self, ref: str) -> str:
        """Return the text of a reference.

        Raises:
            MissingBlobError: Nothing is kept under it.
        """
        try:
            return self._texts[ref]
        except KeyError as error:
            raise MissingBlobError(ref) from error
