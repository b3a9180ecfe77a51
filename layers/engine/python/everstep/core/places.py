"""Where recorded text stands that is too large for a record: below its run, by its content.

A text belongs to one run, and goes with it. Its name is its content's, so it never changes, and
keeping it twice changes nothing. Releases before this kept all texts of all runs in one place, by
content alone; those stay readable, and belong to nobody.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from everstep.core.model import Payload

RUNS: Final = "runs/"
"""Begins every place; what stands elsewhere belongs to no run."""


def content_digest(content: bytes) -> str:
    """Return the SHA-256 of a content in 43 URL-safe characters."""
    digest = hashlib.sha256(content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def place(run_id: str, content: bytes) -> str:
    """Return where a run keeps a content."""
    return below(run_id) + content_digest(content)


def below(run_id: str) -> str:
    """Return what the places of a run begin with."""
    return f"{RUNS}{run_id}/"


def owner(ref: str) -> str | None:
    """Return the run that a place belongs to; None if it belongs to nobody."""
    if not ref.startswith(RUNS):
        return None
    return ref.removeprefix(RUNS).rpartition("/")[0]


def moved(ref: str, run_id: str) -> str:
    """Return where another run keeps the same content; what belongs to nobody stays there."""
    return ref if owner(ref) is None else below(run_id) + ref.rpartition("/")[2]


def digest_of(payload: Payload) -> str:
    """Return the digest of a recorded value, wherever it stands."""
    recorded = payload.recorded
    if recorded.ref is not None:
        return recorded.ref.rpartition("/")[2]
    return content_digest((recorded.text or "").encode(errors="surrogatepass"))
