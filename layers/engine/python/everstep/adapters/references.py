"""How a blob is called: by its content, so that the same text is kept once and never changes."""

from __future__ import annotations

import base64
import hashlib

PREFIX = "payloads/"


def reference(content: bytes) -> str:
    """Return the name of a content: the prefix and its SHA-256 in 43 URL-safe characters."""
    digest = hashlib.sha256(content).digest()
    return PREFIX + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
