"""Durable workflows on AWS serverless: write ``async def``, survive every crash.

The public names. ``everstep.testing`` holds the test kit; everything else is internal.
"""

from everstep.authoring.batches import Batch
from everstep.authoring.callbacks import Callback
from everstep.authoring.children import ChildRun
from everstep.authoring.context import Context
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
    SerializationError,
    StepFailed,
    StepTimeout,
)
from everstep.core.retry import Retry

__all__ = [
    "Batch",
    "BatchFailedError",
    "Callback",
    "CallbackFailed",
    "CallbackTimeout",
    "ChildRun",
    "ChildRunFailed",
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
    "RunCancelled",
    "Saga",
    "SerializationError",
    "Step",
    "StepContext",
    "StepFailed",
    "StepTimeout",
    "Workflow",
    "step",
    "step_context",
    "workflow",
]
