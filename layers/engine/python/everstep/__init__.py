"""Durable workflows on AWS serverless: write ``async def``, survive every crash.

The public names. ``everstep.testing`` holds the test kit; everything else is internal.
"""

from everstep.authoring.context import Context
from everstep.authoring.step_context import StepContext, step_context
from everstep.authoring.steps import Step, step
from everstep.authoring.workflows import Workflow, workflow
from everstep.core.errors import (
    EverstepError,
    NonDeterminismError,
    NonRetryable,
    RetryAfter,
    StepFailed,
    StepTimeout,
)
from everstep.core.retry import Retry

__all__ = [
    "Context",
    "EverstepError",
    "NonDeterminismError",
    "NonRetryable",
    "Retry",
    "RetryAfter",
    "Step",
    "StepContext",
    "StepFailed",
    "StepTimeout",
    "Workflow",
    "step",
    "step_context",
    "workflow",
]
