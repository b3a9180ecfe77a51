"""Durable workflows on AWS serverless: write ``async def``, survive every crash.

The public names. ``everstep.testing`` holds the test kit; everything else is internal.
"""

import importlib
import typing

from everstep.authoring.batches import Batch
from everstep.authoring.callbacks import Callback
from everstep.authoring.children import ChildRun
from everstep.authoring.context import Context
from everstep.authoring.masks import mask
from everstep.authoring.sagas import Saga
from everstep.authoring.step_context import StepContext, step_context
from everstep.authoring.steps import Step, step
from everstep.authoring.workflows import Workflow, workflow
from everstep.core.errors import (
    BatchFailedError,
    CallbackFailed,
    CallbackTimeout,
    ChildRunFailed,
    CompensationFailed,
    ConditionNotMet,
    DefinitionError,
    EventNotSent,
    EventTimeout,
    EverstepError,
    InvalidInputError,
    NonDeterminismError,
    NonRetryable,
    OperationTimeout,
    PayloadTooLargeError,
    RetryAfter,
    RunCancelled,
    RunNotStarted,
    SerializationError,
    StepFailed,
    StepInterrupted,
    StepNotExecuted,
    StepTimeout,
)
from everstep.core.retry import Retry

if typing.TYPE_CHECKING:
    from everstep.client import Client, Run, RunFailed, RunTimeout

__all__ = [
    "Batch",
    "BatchFailedError",
    "Callback",
    "CallbackFailed",
    "CallbackTimeout",
    "ChildRun",
    "ChildRunFailed",
    "Client",
    "CompensationFailed",
    "ConditionNotMet",
    "Context",
    "DefinitionError",
    "EventNotSent",
    "EventTimeout",
    "EverstepError",
    "InvalidInputError",
    "NonDeterminismError",
    "NonRetryable",
    "OperationTimeout",
    "PayloadTooLargeError",
    "Retry",
    "RetryAfter",
    "Run",
    "RunCancelled",
    "RunFailed",
    "RunNotStarted",
    "RunTimeout",
    "Saga",
    "SerializationError",
    "Step",
    "StepContext",
    "StepFailed",
    "StepInterrupted",
    "StepNotExecuted",
    "StepTimeout",
    "Workflow",
    "mask",
    "step",
    "step_context",
    "workflow",
]

if not typing.TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load the client when it is first asked for: functions do without, and start sooner."""
        if name not in _OF_CLIENTS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module("everstep.client"), name)


_OF_CLIENTS = frozenset({"Client", "Run", "RunFailed", "RunTimeout"})
