"""The blob store on S3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.adapters.aws_errors import NO_SUCH_KEY, translated
from everstep.adapters.bounded_cache import BoundedCache
from everstep.adapters.errors import AdapterError, MissingBlobError
from everstep.adapters.references import reference

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CACHE_BYTES: Final = 16 * 1024 * 1024


class S3Blobs:
    """Keep texts as objects of one bucket, and the latest of them in memory.

    Replay asks for the same texts again with every step; an object never changes, so what this
    process has read or written before is not fetched again.
    """

    def __init__(self, client: S3Client, bucket: str, cache_bytes: int = CACHE_BYTES) -> None:
        """Use this bucket.

        Args:
            client: Low-level S3 client.
            bucket: Its name.
            cache_bytes: How much text to keep in memory, in bytes of UTF-8.
        """
        self._client = client
        self._bucket = bucket
        self._cache: BoundedCache[str] = BoundedCache(cache_bytes)

    def put(self, text: str) -> str:
        """Keep the text; return its reference, which is the object's key.

        The object is written even if this process wrote it before: somebody may have deleted it.
        """
        content = text.encode()
        ref = reference(content)
        with translated("S3 PutObject"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=ref,
                Body=content,
                ContentType="application/json",
            )
        self._cache.put(ref, text, len(content))
        return ref

    def get(self, ref: str) -> str:
        """Return the text of a reference.

        Raises:
            MissingBlobError: There is no such object.
        """
        known = self._cache.get(ref)
        if known is not None:
            return known
        content = self._fetch(ref)
        text = content.decode()
        self._cache.put(ref, text, len(content))
        return text

    def _fetch(self, ref: str) -> bytes:
        try:
            with translated("S3 GetObject"):
                answer = self._client.get_object(Bucket=self._bucket, Key=ref)
                # Inside the block: the connection may break while the body is read.
                return answer["Body"].read()
        except AdapterError as error:
            if error.code == NO_SUCH_KEY:
                raise MissingBlobError(ref) from error
            raise
