"""What goes wrong in adapters beside ``UnavailableError``.

::

    EverstepError
    └── AdapterError             configuration or programming fault     → mend it, then repeat
        ├── RunIdTakenError      the new run's id belongs to another run
        └── MissingBlobError     a recorded reference leads nowhere
"""

from __future__ import annotations

from everstep.core.errors import EverstepError


class AdapterError(EverstepError):
    """Say that a service refused a call, and repeating it would not help.

    Attributes:
        operation: The call, for example ``DynamoDB PutItem``.
        code: The service's own error code.
    """

    def __init__(self, operation: str, code: str, message: str) -> None:
        """Keep the parts; the text names all three."""
        self.operation = operation
        self.code = code
        super().__init__(f"{operation}: {code}: {message}")


class RunIdTakenError(AdapterError):
    """Say that a run cannot be created because another run has its id."""

    def __init__(self, run_id: str) -> None:
        """Name the run."""
        self.run_id = run_id
        super().__init__("create run", "RunIdTaken", f"another run has the id {run_id}")


class MissingBlobError(AdapterError):
    """Say that a record refers to text that the blob store does not have."""

    def __init__(self, ref: str) -> None:
        """Name the reference."""
        self.ref = ref
        super().__init__(
            "get blob", "MissingBlob", f"there is nothing under {ref}; was it deleted?"
        )
