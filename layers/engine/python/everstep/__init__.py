"""Durable workflows on AWS serverless: write ``async def``, survive every crash.

The public names. ``everstep.testing`` holds the test kit; everything else is internal.
"""

from everstep.authoring.context import Context
from everstep.authoring.step_context import StepContext, step_context
from everstep.authoring.steps import Step, step
from everstep.authoring.workflows import Workflow, workflow
from everstep.core.errors import (
    DefinitionError,
    EverstepError,
    InvalidInputError,
    NonDeterminismError,
    NonRetryable,
    PayloadTooLargeError,
    RetryAfter,
    SerializationError,
    StepFailed,
    StepTimeout,
)
from everstep.core.retry import Retry

__all__ = [
    "Context",
    "DefinitionError",
    "EverstepError",
    "InvalidInputError",
    "NonDeterminismError",
    "NonRetryable",
    "PayloadTooLargeError",
    "Retry",
    "RetryAfter",
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
