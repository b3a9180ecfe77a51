"""Metrics as log lines: CloudWatch's Embedded Metric Format, without any request.

An invocation writes one line at its end, with every value that it has seen; CloudWatch reads the
metrics out of the log. A line goes straight to the stream and not through ``logging``, whose level
may leave it out and whose formatter would put it into a field.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from everstep.core.metrics import NAMESPACE, values_of
from everstep.core.observations import RunAccepted, RunAtHand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO, TypeAlias

    from everstep.core.metrics import Metric
    from everstep.core.observations import Observation

    _Values: TypeAlias = dict[Metric, list[int]]

MOST_VALUES: Final = 100
"""CloudWatch takes no more of one metric in a line."""
_NANOS_PER_MILLI: Final = 1_000_000
_DEPLOYMENT: Final = "Deployment"
_WORKFLOW: Final = "Workflow"


class EmfMetrics:
    """Collects the values of an invocation, and writes them at its end."""

    def __init__(
        self, deployment: str, *, by_workflow: bool = False, stream: TextIO | None = None
    ) -> None:
        """Write for a deployment.

        Args:
            deployment: The value of the one dimension that every metric has.
            by_workflow: Whether metrics of runs have a second set of dimensions, with the
                workflow: as many metrics more, for every workflow, as there are.
            stream: Where lines go; standard output if not given.
        """
        self._deployment = deployment
        self._by_workflow = by_workflow
        self._stream = stream
        self._workflows: dict[str, str] = {}
        self._values: dict[str | None, _Values] = {}

    def observe(self, observation: Observation) -> None:
        """Take what an observation counts for."""
        match observation:
            case RunAtHand(head=head):
                self._workflows[head.run_id] = head.workflow
                return
            case RunAccepted(run_id=run_id, workflow=workflow):
                self._workflows[run_id] = workflow
            case _:
                pass
        values = self._values.setdefault(self._workflow_of(observation), {})
        for metric, value in values_of(observation):
            values.setdefault(metric, []).append(value)

    def _workflow_of(self, observation: Observation) -> str | None:
        """Return the workflow whose own line an observation goes into, if there is one."""
        run_id = getattr(observation, "run_id", None) if self._by_workflow else None
        return None if run_id is None else self._workflows.get(run_id)

    def flush(self, request_id: str) -> None:
        """Write what was collected, and begin anew; nothing if there is nothing."""
        collected, runs = self._values, list(self._workflows)
        self._values, self._workflows = {}, {}
        about = {"run_id": runs[0]} if len(runs) == 1 else {}
        for workflow, values in collected.items():
            for portion in _portions(values):
                document = self._document(workflow, portion) | about
                document["request_id"] = request_id
                text = json.dumps(document, separators=(",", ":"))
                print(text, file=self._stream or sys.stdout, flush=True)

    def _document(self, workflow: str | None, values: _Values) -> dict[str, Any]:
        dimensions = [[_DEPLOYMENT]] + ([[_DEPLOYMENT, _WORKFLOW]] if workflow else [])
        told = {
            "Namespace": NAMESPACE,
            "Dimensions": dimensions,
            "Metrics": [{"Name": each.name, "Unit": each.unit} for each in values],
        }
        document: dict[str, Any] = {
            "_aws": {
                "Timestamp": time.time_ns() // _NANOS_PER_MILLI,
                "CloudWatchMetrics": [told],
            },
            _DEPLOYMENT: self._deployment,
        }
        if workflow:
            document[_WORKFLOW] = workflow
        return document | {each.name: _value(each, found) for each, found in values.items()}


def _value(metric: Metric, values: list[int]) -> int | list[int]:
    """Return the values of a metric; what is merely counted is added up."""
    if metric.counted:
        return sum(values)
    return values[0] if len(values) == 1 else values


def _portions(values: _Values) -> Iterator[_Values]:
    """Yield the values in portions that fit into one line."""
    start = 0
    while portion := {
        metric: found[start : start + MOST_VALUES]
        for metric, found in values.items()
        if len(found) > start
    }:
        yield portion
        start += MOST_VALUES
