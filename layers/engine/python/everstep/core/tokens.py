"""Callback tokens: who holds one may complete a callback, and nobody can guess one.

A token is ``<where>.<proof>``. ``where`` names the run and the operation, ``proof`` is a keyed
hash of it under a secret of the run that never leaves the table.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

_PROOF_BYTES: Final = 24
_LONGEST_RUN_ID: Final = 64


def make_token(run_id: str, key: str, secret: str) -> str:
    """Return the token of a callback."""
    return f"{_text(f'{run_id}/{key}'.encode())}.{_text(_proof(run_id, key, secret))}"


def read_token(token: str) -> tuple[str, str] | None:
    """Return the run and the operation that a token names, proven or not; None if none."""
    try:
        where = urlsafe_b64decode(_padded(token.partition(".")[0])).decode()
    except (binascii.Error, ValueError):
        return None
    run_id, _, key = where.partition("/")
    # What no run can be called is not even asked for.
    named = 0 < len(run_id) <= _LONGEST_RUN_ID and key and where.isprintable()
    return (run_id, key) if named else None


def is_genuine(token: str, run_id: str, key: str, secret: str) -> bool:
    """Say whether a token was made with the run's secret, in a time that tells nothing."""
    made = make_token(run_id, key, secret)
    # A token made without a secret could be made by anybody. What is no text at all is no token.
    given = token.encode(errors="replace")
    return bool(secret) and hmac.compare_digest(given, made.encode())


def _proof(run_id: str, key: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), f"{run_id}/{key}".encode(), "sha256").digest()[:_PROOF_BYTES]


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
