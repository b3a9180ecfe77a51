"""A program that does what Lambda does for a queue: receive, invoke, delete what succeeded.

It tells what it does as one JSON object per line, always before it goes on, so that whoever kills
it knows what it was at: ``{"holds": [bodies]}``, empty once it holds nothing any more.

Usage: poller.py QUEUE_URL QUEUE_ARN FUNCTION BATCH
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_lambda.client import LambdaClient
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

WAIT_SECONDS: Final = 2
# An invocation is never repeated behind the queue's back.
ONCE: Final = Config(read_timeout=60, retries={"total_max_attempts": 1})


def main(queue_url: str, queue_arn: str, function: str, batch: str) -> None:
    """Poll until killed, or until nobody listens any more."""
    session = botocore.session.get_session()
    sqs = cast("SQSClient", session.create_client("sqs"))
    functions = cast("LambdaClient", session.create_client("lambda", config=ONCE))
    while True:
        messages = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=int(batch),
            WaitTimeSeconds=WAIT_SECONDS,
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])
        tell([message["Body"] for message in messages])
        if messages:
            failed = invoke(functions, function, [record(each, queue_arn) for each in messages])
            for message in messages:
                if message["MessageId"] not in failed:
                    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            tell([])


def tell(bodies: list[str]) -> None:
    """Say which messages this process has received and not yet finished with."""
    sys.stdout.write(json.dumps({"holds": bodies}) + "\n")
    sys.stdout.flush()


def record(message: MessageTypeDef, queue_arn: str) -> dict[str, Any]:
    """Return a message as Lambda hands it to a function."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def invoke(functions: LambdaClient, name: str, records: list[dict[str, Any]]) -> set[str]:
    """Have the function process a batch; return the ids of the messages that are to come again."""
    everything = {each["messageId"] for each in records}
    try:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps({"Records": records}))
        payload = json.loads(answer["Payload"].read())
    except (BotoCoreError, ClientError):
        return everything
    if "FunctionError" in answer:
        return everything
    return {failure["itemIdentifier"] for failure in payload["batchItemFailures"]}


if __name__ == "__main__":
    main(*sys.argv[1:])
