"""Start runs and talk to them, from any Python program: ``from everstep import Client``.

* ``client`` is what people hold, ``run`` the handle of one run;
* ``transport`` is the one protocol between them and a deployment, with two implementations:
  ``over_http`` (with ``signing``) asks the API, ``direct`` (with ``on_aws``) does what the API
  would do, in this process;
* ``options`` and ``encoding`` write what goes out, ``answers`` and ``errors`` read what comes;
* ``testing`` is a client of a ``TestEngine``.
"""

from everstep.adapters.errors import AdapterError
from everstep.app.capacity import TooManyRunsError
from everstep.client.answers import (
    AuditBreak,
    AuditEntry,
    AuditVerdict,
    Diagnosis,
    ErrorDetails,
    LogLine,
    LogPage,
    RunCost,
    RunDetails,
    RunSummary,
    StepDetails,
    StepTaken,
    Taken,
    WorkflowInfo,
)
from everstep.client.client import Client
from everstep.client.errors import MissingExtraError, RunFailed, RunTimeout
from everstep.client.run import Run
from everstep.core.errors import (
    IdempotencyConflictError,
    IllegalStateError,
    InvalidInputError,
    InvalidOptionError,
    InvalidRequestError,
    ReferenceConflictError,
    RequestError,
    RunNotFoundError,
    UnavailableError,
    UnknownWorkflowError,
)

__all__ = [
    "AdapterError",
    "AuditBreak",
    "AuditEntry",
    "AuditVerdict",
    "Client",
    "Diagnosis",
    "ErrorDetails",
    "IdempotencyConflictError",
    "IllegalStateError",
    "InvalidInputError",
    "InvalidOptionError",
    "InvalidRequestError",
    "LogLine",
    "LogPage",
    "MissingExtraError",
    "ReferenceConflictError",
    "RequestError",
    "Run",
    "RunCost",
    "RunDetails",
    "RunFailed",
    "RunNotFoundError",
    "RunSummary",
    "RunTimeout",
    "StepDetails",
    "StepTaken",
    "Taken",
    "TooManyRunsError",
    "UnavailableError",
    "UnknownWorkflowError",
    "WorkflowInfo",
]
