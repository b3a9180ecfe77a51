"""A payload codec whose keys are in KMS: envelope encryption with AES-256-GCM.

A text is encrypted with a data key, and stands beside that key as KMS has encrypted it::

    kms1:<the data key, encrypted, base64>:<nonce, text and tag, base64>

So every text says for itself how it can be read, and by which key of KMS: keys can be changed at
any time. One data key serves many texts of a process, for as long and as many as the limits say;
that a text belongs to its run is part of what its tag proves. Both keys are asked for with the
table as encryption context, which CloudTrail shows.
"""

from __future__ import annotations

import base64
import json
import os
import time
from contextlib import contextmanager
from dataclasses import field
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

from everstep.adapters.aws_errors import translated
from everstep.adapters.bounded_cache import BoundedCache
from everstep.adapters.errors import AdapterError
from everstep.core.errors import UnavailableError, UnreadablePayloadError
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORM: Final = "kms1"
LONGEST_USE: Final = 300.0
"""Seconds for which a data key encrypts."""
MOST_USES: Final = 10_000
"""Texts that a data key encrypts; random nonces are good for four billion."""
_KEYS: Final = 512
_NONCE: Final = 12
# KMS says so of the text, and will say the same for ever.
_OF_THE_TEXT: Final = frozenset({"IncorrectKeyException", "InvalidCiphertextException"})


class KeyService(Protocol):
    """What is used of botocore's client for KMS."""

    def generate_data_key(self, **asked: Any) -> Mapping[str, Any]:  # noqa: ANN401 - botocore's
        """Return a new data key, in clear and encrypted."""

    def decrypt(self, **asked: Any) -> Mapping[str, Any]:  # noqa: ANN401 - botocore's
        """Return a data key in clear."""


@dataclass(slots=True)
class _DataKey:
    """A data key, as it is used here and as it stands beside what it encrypts."""

    cipher: AESGCM = field(repr=False)
    wrapped: str
    made_at: float
    uses: int = 0


class KmsCodec:
    """Encrypt payloads with data keys of one key of KMS; decrypt those of any."""

    def __init__(
        self,
        client: Callable[[], KeyService],
        key: str,
        table: str,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is asked for yet.

        Args:
            client: Makes the client, when it is first needed.
            key: ARN, id or alias of the key; may be empty where nothing is encrypted.
            table: Name of the table, for the encryption context.
            ticks: Seconds of a clock that never goes back.
        """
        self._make = client
        self._key = key
        self._context = {"everstep:table": table}
        self._ticks = ticks
        self._lock = Lock()
        self._current: _DataKey | None = None
        self._known: BoundedCache[AESGCM] = BoundedCache(_KEYS)

    @cached_property
    def _client(self) -> KeyService:
        return self._make()

    def encode(self, text: str, context: Mapping[str, str]) -> str:
        """Return a text encrypted.

        Raises:
            UnavailableError: KMS did not give a key, or not to us.
        """
        key = self._data_key()
        nonce = os.urandom(_NONCE)
        sealed = nonce + key.cipher.encrypt(nonce, text.encode(), self._proven(context))
        return f"{FORM}:{key.wrapped}:{base64.b64encode(sealed).decode()}"

    def decode(self, text: str, context: Mapping[str, str]) -> str:
        """Return a text decrypted.

        Raises:
            UnreadablePayloadError: It is no such text, damaged, or another run's.
            UnavailableError: KMS did not decrypt its key, or not for us.
        """
        from cryptography.exceptions import InvalidTag

        wrapped, sealed = _parts(text)
        cipher = self._known.get(wrapped) or self._unwrapped(wrapped)
        try:
            opened = cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._proven(context))
        except (InvalidTag, ValueError) as error:
            message = "it is damaged, or belongs to another run or table"
            raise UnreadablePayloadError(message) from error
        return opened.decode()

    def _proven(self, context: Mapping[str, str]) -> bytes:
        return json.dumps({**self._context, **context}, sort_keys=True).encode()

    def _data_key(self) -> _DataKey:
        with self._lock:
            key, now = self._current, self._ticks()
            if key is None or key.uses >= MOST_USES or now - key.made_at >= LONGEST_USE:
                key = self._current = self._new_key(now)
            key.uses += 1
            return key

    def _new_key(self, now: float) -> _DataKey:
        with _asking("KMS GenerateDataKey"):
            made = self._client.generate_data_key(
                KeyId=self._key, KeySpec="AES_256", EncryptionContext=self._context
            )
        wrapped = base64.b64encode(made["CiphertextBlob"]).decode()
        cipher = self._keep(wrapped, made["Plaintext"])
        return _DataKey(cipher=cipher, wrapped=wrapped, made_at=now)

    def _unwrapped(self, wrapped: str) -> AESGCM:
        with _asking("KMS Decrypt"):
            found = self._client.decrypt(
                CiphertextBlob=base64.b64decode(wrapped), EncryptionContext=self._context
            )
        return self._keep(wrapped, found["Plaintext"])

    def _keep(self, wrapped: str, key: bytes) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        cipher = AESGCM(key)
        self._known.put(wrapped, cipher)
        return cipher


@contextmanager
def _asking(operation: str) -> Iterator[None]:
    """Tell what is wrong with the text from what passes, or what somebody can mend.

    A right that is missing and a key that is disabled are no fault of the run's: it is tried again
    for as long as the queue does, and then stands still until somebody resumes it.
    """
    try:
        with translated(operation):
            yield
    except AdapterError as error:
        if error.code in _OF_THE_TEXT:
            raise UnreadablePayloadError(
                f"its data key is damaged, or of another table ({error.code})"
            ) from error
        raise UnavailableError(f"{operation}: {error.code}") from error


def _parts(text: str) -> tuple[str, bytes]:
    """Return the data key of a text, as it stands there, and what is encrypted with it."""
    form, _, rest = text.partition(":")
    wrapped, _, sealed = rest.partition(":")
    if form != FORM:
        raise UnreadablePayloadError(f"it is of the form {form[:20]!r}, and not {FORM!r}")
    try:
        base64.b64decode(wrapped, validate=True)
        found = base64.b64decode(sealed, validate=True)
    except ValueError as error:
        raise UnreadablePayloadError("it is damaged: no base64") from error
    return wrapped, found
