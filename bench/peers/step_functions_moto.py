"""AWS Step Functions as moto plays it: the interpreter of LocalStack, in this process, in memory.

A step is a task that puts an item into a table of the same moto. Its beginning is what the
execution's history says, so marks are written when an item is over. What moto holds dies with
the process: there is nothing to restart.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from typing import Any, Final

import boto3
from moto import mock_aws

from bench.peers import protocol
from bench.peers.protocol import Item, Task

ROLE: Final = "arn:aws:iam::123456789012:role/bench"
PATIENCE: Final = 170
NANOS: Final = 1_000_000_000
Data = dict[str, Any]


def step(number: int) -> Data:
    """Return the state of a step."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:dynamodb:putItem",
        "Parameters": {"TableName": "bench", "Item": {"pk": {"S": f"step-{number}"}}},
        "ResultPath": None,
    }


def chained(states: list[tuple[str, Data]]) -> Data:
    """Return a machine of states one after another."""
    names = [name for name, _ in states]
    nexts: list[Data] = [{"Next": name} for name in names[1:]] + [{"End": True}]
    together = zip(states, nexts, strict=True)
    return {"StartAt": names[0], "States": {name: {**each, **to} for (name, each), to in together}}


def machine(item: Item) -> Data:
    """Return what an item's executions do."""
    if item.shape == "sequence":
        return chained([(f"step-{number}", step(number)) for number in range(item.steps)])
    if item.shape == "naps":
        states = [("step-0", step(0))]
        for number in range(item.steps):
            states.append((f"nap-{number}", {"Type": "Wait", "Seconds": int(item.seconds)}))
            states.append((f"step-{number + 1}", step(number + 1)))
        return chained(states)
    if item.shape == "fan":
        processor = {"ProcessorConfig": {"Mode": "INLINE"}, **chained([("step", step(0))])}
        fan = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor}
        return chained([("fan", fan)])
    raise NotImplementedError("moto holds everything in the process that would be killed")


class Machines:
    """Starts executions and waits for them."""

    def __init__(self) -> None:
        """Make the table that steps write to."""
        self.client = boto3.client("stepfunctions")
        boto3.client("dynamodb").create_table(
            TableName="bench",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def play(self, item: Item) -> float:
        """Play one item."""
        made = self.client.create_state_machine(
            name=f"bench-{item.number + 1}", definition=json.dumps(machine(item)), roleArn=ROLE
        )
        given = json.dumps({"items": [{}] * item.steps})
        began = time.monotonic()
        names = [
            # Without a name moto calls every execution of a machine the same.
            self.client.start_execution(
                stateMachineArn=made["stateMachineArn"], name=str(uuid.uuid4()), input=given
            )["executionArn"]
            for _ in range(item.runs)
        ]
        self._ended(names)
        seconds = time.monotonic() - began
        for run, name in enumerate(names):
            self._mark(item, run, name)
        return seconds

    def _ended(self, names: list[str]) -> None:
        deadline = time.monotonic() + PATIENCE
        left = names
        while left:
            statuses = [(each, self._status(each)) for each in left]
            wrong = {status for _, status in statuses} - {"RUNNING", "SUCCEEDED"}
            if wrong:
                raise RuntimeError(f"executions ended as {wrong}")
            left = [each for each, status in statuses if status == "RUNNING"]
            if left and time.monotonic() > deadline:
                raise TimeoutError(f"{len(left)} of {len(names)} run after {PATIENCE} s")
            time.sleep(0.05)

    def _status(self, name: str) -> str:
        return str(self.client.describe_execution(executionArn=name)["status"])

    def _mark(self, item: Item, run: int, name: str) -> None:
        """Write a line for every state of a step that was entered."""
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=name)
        events = (event for page in pages for event in page["events"])
        entered = [
            event["timestamp"].timestamp()
            for event in events
            if event["type"] == "TaskStateEntered"
        ]
        with open(item.marks, "a", encoding="utf-8") as file:  # noqa: PTH123 - a few lines
            file.writelines(f"{run} {n} {int(at * NANOS)}\n" for n, at in enumerate(entered))


def main() -> None:
    """Play a task."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="x",
        AWS_SECRET_ACCESS_KEY="x",  # noqa: S106 - nobody's
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCOUNT_ID="123456789012",
    )
    task = Task.read(sys.argv[1])
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        machines = Machines()
        warm = Item(number=-1, workload="W1", shape="sequence", steps=3, marks=os.devnull)
        machines.play(warm)
        protocol.play_all(task, ["moto"], machines.play)
    # Threads of executions may outlive them.
    os._exit(0)


if __name__ == "__main__":
    main()
