"""The same ports over memory, moto and LocalStack, made as template.yaml says."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from moto import mock_aws

from everstep.adapters.dynamodb.api_keys import DynamoKeys
from everstep.adapters.dynamodb.dead_letters import DynamoDeadLetters
from everstep.adapters.dynamodb.indexes import DynamoRunList, DynamoTimers
from everstep.adapters.dynamodb.store import DynamoRuns
from everstep.adapters.memory.api_keys import MemoryKeys
from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.dead_letters import DeadLetter
from everstep.adapters.memory.queue import MemoryQueue
from everstep.adapters.memory.store import MemoryStore
from everstep.adapters.s3 import S3Blobs
from everstep.adapters.sqs import SqsQueue
from everstep.core import messages
from everstep.core.places import below, owner
from tests.cloudformation import load, of_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

    from everstep.core.model import DueEntry, Message
    from everstep.ports import (
        BlobStore,
        DeadLetters,
        KeyStore,
        Queue,
        RunList,
        RunStore,
        TimerIndex,
    )

_TABLE_PROPERTIES: Final = (
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "BillingMode",
)
_HIDDEN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Every port of one implementation, and a look behind those that only take things in."""

    runs: RunStore
    timers: TimerIndex
    run_list: RunList
    dead_letters: DeadLetters
    api_keys: KeyStore
    queue: Queue
    blobs: BlobStore
    kept: Callable[[str], Sequence[str]]
    dead_letter: Callable[[str], DeadLetter | None]
    receive_all: Callable[[], Sequence[Message]]
    delayed: Callable[[], int]

    def due_of(self, run_id: str, until: int = 2**50) -> list[DueEntry]:
        """Return the entries of one run, earliest first, whatever shard they are in."""
        shards = range(self.timers.shards)
        entries = [each for shard in shards for each in self.timers.due(shard, until, 10_000)]
        return [each for each in entries if each.run_id == run_id]


@contextmanager
def memory() -> Iterator[Backend]:
    """Give the adapters in memory."""
    store, blobs = MemoryStore(), MemoryBlobs()
    clock = VirtualClock(1_000_000)
    queue = MemoryQueue(clock)

    def receive_all() -> Sequence[Message]:
        deliveries = iter(lambda: queue.receive(_HIDDEN), None)
        received = list(deliveries)
        for each in received:
            queue.delete(each)
        return [each.message for each in received]

    yield Backend(
        runs=store,
        timers=store,
        run_list=store,
        dead_letters=store,
        api_keys=MemoryKeys(),
        queue=queue,
        blobs=blobs,
        kept=lambda run_id: [each for each in blobs.refs if owner(each) == run_id],
        dead_letter=lambda name: next(
            (each for each in store.dead_letters if each.message_id == name), None
        ),
        receive_all=receive_all,
        delayed=queue.depth,
    )


@contextmanager
def moto() -> Iterator[Backend]:
    """Give the adapters for AWS over moto, in this process."""
    with mock_aws():
        yield _aws(Clients(None))


@contextmanager
def localstack(endpoint: str) -> Iterator[Backend]:
    """Give the adapters for AWS over a running LocalStack, with resources of their own."""
    clients = Clients(endpoint)
    yield _aws(clients)
    clients.delete_all()


class Clients:
    """Low-level clients, and the resources of the template under names nobody else has."""

    def __init__(self, endpoint: str | None) -> None:
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        self.dynamodb: DynamoDBClient = boto3.client(
            "dynamodb", endpoint_url=endpoint, config=config
        )
        self.sqs: SQSClient = boto3.client("sqs", endpoint_url=endpoint, config=config)
        self.s3: S3Client = boto3.client("s3", endpoint_url=endpoint, config=config)
        name = f"everstep-{uuid.uuid4().hex[:12]}"
        self.table = create_table(self.dynamodb, name)
        self.queue_url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.bucket = name
        self.s3.create_bucket(Bucket=name)

    def delete_all(self) -> None:
        """Remove what was made."""
        self.dynamodb.delete_table(TableName=self.table)
        self.sqs.delete_queue(QueueUrl=self.queue_url)
        for each in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", ()):
            self.s3.delete_object(Bucket=self.bucket, Key=each["Key"])
        self.s3.delete_bucket(Bucket=self.bucket)


def create_table(client: DynamoDBClient, name: str) -> str:
    """Create the template's table, keys and indexes as deployed; return its name."""
    (properties,) = of_type(load(), "AWS::DynamoDB::Table").values()
    definition = {each: properties[each] for each in _TABLE_PROPERTIES}
    client.create_table(TableName=name, **definition)
    return name


def _aws(clients: Clients) -> Backend:
    return Backend(
        runs=DynamoRuns(clients.dynamodb, clients.table),
        timers=DynamoTimers(clients.dynamodb, clients.table),
        run_list=DynamoRunList(clients.dynamodb, clients.table),
        dead_letters=DynamoDeadLetters(clients.dynamodb, clients.table),
        api_keys=DynamoKeys(clients.dynamodb, clients.table),
        queue=SqsQueue(clients.sqs, clients.queue_url),
        blobs=S3Blobs(clients.s3, clients.bucket),
        kept=lambda run_id: _kept(clients, run_id),
        dead_letter=lambda name: _dead_letter(clients, name),
        receive_all=lambda: list(_receive_all(clients)),
        delayed=lambda: _delayed(clients),
    )


def _kept(clients: Clients, run_id: str) -> list[str]:
    found = clients.s3.list_objects_v2(Bucket=clients.bucket, Prefix=below(run_id))
    return [each["Key"] for each in found.get("Contents", ())]


def _dead_letter(clients: Clients, name: str) -> DeadLetter | None:
    answer = clients.dynamodb.get_item(
        TableName=clients.table,
        Key={"PK": {"S": f"DEAD#{name}"}, "SK": {"S": "-"}},
        ConsistentRead=True,
    )
    item = answer.get("Item")
    if item is None:
        return None
    return DeadLetter(
        message_id=name,
        body=item["body"].get("S", ""),
        reason=item["reason"].get("S", ""),
        at=int(item["at"]["N"]),
    )


def _receive_all(clients: Clients) -> Iterator[Message]:
    while True:
        answer = clients.sqs.receive_message(
            QueueUrl=clients.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=_HIDDEN
        )
        if "Messages" not in answer:
            return
        for each in answer["Messages"]:
            clients.sqs.delete_message(
                QueueUrl=clients.queue_url, ReceiptHandle=each["ReceiptHandle"]
            )
            yield messages.decode(each["Body"])


def _delayed(clients: Clients) -> int:
    name: Final = "ApproximateNumberOfMessagesDelayed"
    answer = clients.sqs.get_queue_attributes(QueueUrl=clients.queue_url, AttributeNames=[name])
    return int(answer["Attributes"][name])
