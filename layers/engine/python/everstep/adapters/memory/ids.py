"""Identifiers that are the same in every run of a test."""

from __future__ import annotations

import hashlib
from itertools import count
from threading import Lock


class SequenceIds:
    """Count run ids and tokens; two seeds never make the same one."""

    def __init__(self, seed: int = 0) -> None:
        """Start counting.

        Args:
            seed: Tells apart the ids of several makers.
        """
        self._seed = seed
        self._runs = count(1)
        self._tokens = count(1)
        self._secrets = count(1)
        self._lock = Lock()

    def run_id(self) -> str:
        """Return a new run id; the ids of one maker sort by the order they were made in."""
        with self._lock:
            return f"run-{self._seed}-{next(self._runs):08}"

    def token(self) -> str:
        """Return a new message token."""
        with self._lock:
            return f"token-{self._seed}-{next(self._tokens)}"

    def secret(self) -> str:
        """Return a new secret, which anybody who knows the seed can guess."""
        with self._lock:
            return secret_of(f"{self._seed}-{next(self._secrets)}")


def secret_of(name: str) -> str:
    """Return the secret that belongs to a name: 32 hexadecimal digits."""
    return hashlib.sha256(f"secret {name}".encode()).hexdigest()[:32]
