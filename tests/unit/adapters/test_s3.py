"""What only the S3 store has: a memory of what it has read and written."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from moto import mock_aws

from everstep.adapters.bounded_cache import BoundedCache
from everstep.adapters.errors import AdapterError
from everstep.adapters.s3 import S3Blobs
from tests.unit.adapters.vendor import CountingClient


@mock_aws
def test_a_text_is_fetched_once_by_a_process_that_did_not_write_it() -> None:
    client: Any = boto3.client("s3")
    client.create_bucket(Bucket="bucket")
    counting: Any = CountingClient(client)
    ref = S3Blobs(client, "bucket").put("run", "text")
    reader = S3Blobs(counting, "bucket")
    assert [reader.get(ref), reader.get(ref)] == ["text", "text"]
    assert counting.names == ["get_object"]


@mock_aws
def test_a_text_is_not_fetched_by_the_process_that_wrote_it() -> None:
    client: Any = boto3.client("s3")
    client.create_bucket(Bucket="bucket")
    counting: Any = CountingClient(client)
    blobs = S3Blobs(counting, "bucket")
    assert blobs.get(blobs.put("run", "")) == ""
    assert counting.names == ["put_object"]


@mock_aws
def test_a_text_that_somebody_deleted_can_be_written_again() -> None:
    client: Any = boto3.client("s3")
    client.create_bucket(Bucket="bucket")
    blobs = S3Blobs(client, "bucket")
    ref = blobs.put("run", "text")
    client.delete_object(Bucket="bucket", Key=ref)
    blobs.put("run", "text")
    assert S3Blobs(client, "bucket").get(ref) == "text"


def test_a_full_cache_forgets_what_was_used_longest_ago() -> None:
    cache: BoundedCache[str] = BoundedCache(10)
    cache.put("a", "a", 4)
    cache.put("b", "b", 4)
    assert cache.get("a") == "a"
    cache.put("c", "c", 4)
    assert [cache.get(name) for name in "abc"] == ["a", None, "c"]


def test_what_is_heavier_than_the_cache_is_not_kept_and_drives_nothing_out() -> None:
    cache: BoundedCache[str] = BoundedCache(10)
    cache.put("a", "a", 4)
    cache.put("b", "b", 11)
    assert [cache.get(name) for name in "ab"] == ["a", None]


@pytest.mark.parametrize("weight", [1, 9])
def test_replacing_a_text_frees_its_old_weight(weight: int) -> None:
    cache: BoundedCache[str] = BoundedCache(10)
    cache.put("a", "a", 9)
    cache.put("a", "b", weight)
    cache.put("c", "c", 1)
    assert [cache.get(name) for name in "ac"] == ["b", "c"]


def test_objects_that_cannot_be_removed_are_a_fault() -> None:
    class Refusing:
        def list_objects_v2(self, **_: object) -> dict[str, object]:
            return {"Contents": [{"Key": "runs/run/a"}]}

        def delete_objects(self, **_: object) -> dict[str, object]:
            return {"Errors": [{"Key": "runs/run/a", "Code": "AccessDenied", "Message": "no"}]}

    client: Any = Refusing()
    with pytest.raises(AdapterError, match="AccessDenied"):
        S3Blobs(client, "bucket").clear("run")
