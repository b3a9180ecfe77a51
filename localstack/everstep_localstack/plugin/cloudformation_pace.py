"""Deploy without needless waiting.

LocalStack asks every 5 s whether a new resource is ready, and every second whether a function has
been updated. Both are ready in milliseconds: a stack of ten functions would take most of a minute.
"""

from __future__ import annotations

from functools import wraps
from typing import Any, Final

from botocore.waiter import Waiter
from localstack.services.cloudformation import resource_provider

PERIOD_SECONDS: Final = 0.05
ATTEMPTS: Final = 6000


def install() -> None:
    """Shorten the periods."""
    _hasten_resources()
    _hasten_waiters()


def _hasten_resources() -> None:
    executor = resource_provider.ResourceProviderExecutor
    original = executor.deploy_loop

    @wraps(original)
    def deploy_loop(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on as they are
        return original(*args, **{"sleep_time": PERIOD_SECONDS} | kwargs)

    executor.deploy_loop = deploy_loop


def _hasten_waiters() -> None:
    # In LocalStack's process every waiter waits for LocalStack itself.
    original: Any = Waiter.wait
    pace = {"Delay": PERIOD_SECONDS, "MaxAttempts": ATTEMPTS}

    @wraps(original)
    def wait(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on as they are
        return original(*args, **{"WaiterConfig": pace} | kwargs)

    setattr(Waiter, "wait", wait)  # noqa: B010 - a plain assignment to a method is a type error
