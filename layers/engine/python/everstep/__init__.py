"""Durable workflows on AWS serverless: write ``async def``, survive every crash.

The public names. ``everstep.testing`` holds the test kit; everything else is internal.
"""

from everstep.authoring.batches import Batch
from everstep.authoring.context import Context
from everstep.authoring.sagas import Saga
from everstep.authoring.step_context import StepContext, step_context
from everstep.authoring.steps import Step, step
from everstep.authoring.workflows import Workflow, workflow
from everstep.core.errors import (
    BatchFailedError,
    CompensationFailed,
    ConditionNotMet,
    DefinitionError,
    EventTimeout,
    EverstepError,
    InvalidInputError,
    NonDeterminismError,
    NonRetryable,
    PayloadTooLargeError,
    RetryAfter,
    SerializationError,
    StepFailed,
    StepInterrupted,
    StepNotExecuted,
    StepTimeout,
)
from everstep.core.retry import Retry

__all__ = [
    "Batch",
    "BatchFailedError",
    "CompensationFailed",
    "ConditionNotMet",
    "Context",
    "DefinitionError",
    "EventTimeout",
    "EverstepError",
    "InvalidInputError",
    "NonDeterminismError",
    "NonRetryable",
    "PayloadTooLargeError",
    "Retry",
    "RetryAfter",
    "Saga",
    "SerializationError",
    "Step",
    "StepContext",
    "StepFailed",
    "StepInterrupted",
    "StepNotExecuted",
    "StepTimeout",
    "Workflow",
    "step",
    "step_context",
    "workflow",
]
