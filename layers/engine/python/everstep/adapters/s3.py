"""The blob store on S3."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from everstep.adapters.aws_errors import NO_SUCH_KEY, translated
from everstep.adapters.bounded_cache import BoundedCache
from everstep.adapters.errors import AdapterError, MissingBlobError
from everstep.core.meter import meter
from everstep.core.places import below, moved, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CopySourceTypeDef, DeleteTypeDef

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

    def put(self, run_id: str, text: str) -> str:
        """Keep a text of a run; return its reference, which is the object's key.

        The object is written even if this process wrote it before: somebody may have deleted it.
        """
        content = text.encode()
        ref = place(run_id, content)
        meter().put_blob()
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

    def copy(self, ref: str, run_id: str) -> str:
        """Keep the text of a reference as another run's, too; return its reference there.

        Raises:
            MissingBlobError: There is no such object.
        """
        copy = moved(ref, run_id)
        meter().put_blob()
        with _named(ref), translated("S3 CopyObject"):
            source: CopySourceTypeDef = {"Bucket": self._bucket, "Key": ref}
            self._client.copy_object(Bucket=self._bucket, Key=copy, CopySource=source)
        return copy

    def clear(self, run_id: str) -> bool:
        """Remove objects of a run, up to a thousand; say whether none is left.

        Raises:
            AdapterError: Some cannot be removed.
        """
        with translated("S3 ListObjectsV2"):
            found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=below(run_id))
        keys = [each["Key"] for each in found.get("Contents", [])]
        if not keys:
            return True
        wanted: DeleteTypeDef = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        with translated("S3 DeleteObjects"):
            answer = self._client.delete_objects(Bucket=self._bucket, Delete=wanted)
        for error in answer.get("Errors", [])[:1]:
            raise AdapterError("S3 DeleteObjects", error.get("Code", ""), error.get("Message", ""))
        return not found.get("IsTruncated", False)

    def _fetch(self, ref: str) -> bytes:
        meter().get_blob()
        with _named(ref), translated("S3 GetObject"):
            answer = self._client.get_object(Bucket=self._bucket, Key=ref)
            # Inside the block: the connection may break while the body is read.
            return answer["Body"].read()


@contextmanager
def _named(ref: str) -> Iterator[None]:
    """Name an object that is not there."""
    try:
        yield
    except AdapterError as error:
        if error.code == NO_SUCH_KEY:
            raise MissingBlobError(ref) from error
        raise
