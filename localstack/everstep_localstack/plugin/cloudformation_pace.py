"""Deploy without needless waiting.

LocalStack asks every 5 s whether a resource is ready. A function is ready in milliseconds, so a
stack of ten functions would take most of a minute.
"""

from __future__ import annotations

from functools import wraps
from typing import Any, Final

from localstack.services.cloudformation import resource_provider

PERIOD_SECONDS: Final = 0.05


def install() -> None:
    """Replace the period of LocalStack's deployment loop."""
    executor = resource_provider.ResourceProviderExecutor
    original = executor.deploy_loop

    @wraps(original)
    def deploy_loop(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on as they are
        return original(*args, **{"sleep_time": PERIOD_SECONDS} | kwargs)

    executor.deploy_loop = deploy_loop
