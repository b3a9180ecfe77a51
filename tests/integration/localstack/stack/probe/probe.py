"""A function that does what its event asks for, good or bad."""

# ruff: noqa: ANN401, T201 - a handler's context has no type here, and prints are its log
from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import boto3
from greeting import LAYER_VERSION  # type: ignore[import-not-found] # the layer brings it

SQS = boto3.client("sqs")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do what `event["do"]` says, and return what this environment looks like."""
    print(f"probe: {event}")
    match event.get("do"):
        case "sleep":
            time.sleep(event["seconds"])
        case "exit":
            os._exit(event["status"])
        case "raise":
            raise RuntimeError(event["message"])
        case "allocate":
            hoard = b"x" * (event["megabytes"] << 20)
            print(len(hoard))
        case "return_much":
            return {"much": "x" * event["bytes"]}
        case "spawn":
            return {"child": subprocess.Popen(["sleep", "300"]).pid, "pid": os.getpid()}
        case _:
            pass
    return {
        "pid": os.getpid(),
        "layer": LAYER_VERSION,
        "path": sys.path[:3],
        "remaining_ms": context.get_remaining_time_in_millis(),
        "environment": dict(os.environ),
    }


def consume(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Handle a batch: work for a while, crash on request, report the messages that failed."""
    failures = []
    for record in event["Records"]:
        task = json.loads(record["body"])
        started = time.time()
        time.sleep(task.get("seconds", 0))
        if task.get("crash") and record["attributes"]["ApproximateReceiveCount"] == "1":
            os._exit(9)
        if task.get("fail"):
            failures.append({"itemIdentifier": record["messageId"]})
        else:
            _tell({"task": task["name"], "started": started, "ended": time.time()})
    return {"batchItemFailures": failures}


def scheduled(event: dict[str, Any], _context: Any) -> None:
    """Tell that the rule has fired."""
    _tell({"task": "scheduled", "event": event})


def _tell(result: dict[str, Any]) -> None:
    SQS.send_message(QueueUrl=os.environ["RESULTS_URL"], MessageBody=json.dumps(result))
