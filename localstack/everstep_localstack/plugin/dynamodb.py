"""DynamoDB without a download: served by moto, or by a DynamoDB Local that is already there."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from localstack.services.dynamodb import packages, server
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service

if TYPE_CHECKING:
    from collections.abc import Callable

LAUNCHER: Final = Path(__file__).parents[1] / "LoopbackDynamoDb.java"


# Of tables and of their streams, which moto keeps together.
_ONE_AT_A_TIME: Final = Lock()


def moto_service(api: type) -> Any:  # noqa: ANN401 - LocalStack's Service
    """Return a service in which moto answers every operation of `api`, one at a time.

    DynamoDB's writes are atomic; moto's are not. Its transactions copy all tables and put the
    copies back when they are cancelled, so that a write in between would be lost.
    """
    provider = type(f"Moto{api.__name__}", (api,), {})()
    return Service.for_provider(provider, dispatch_table_factory=_one_at_a_time)


def _one_at_a_time(provider: object) -> dict[str, Any]:
    handlers = MotoFallbackDispatcher(provider)
    return {operation: _locked(handler) for operation, handler in handlers.items()}


def _locked(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def answer(context: Any, request: Any) -> Any:  # noqa: ANN401 - LocalStack's own types
        with _ONE_AT_A_TIME:
            return handler(context, request)

    return answer


def use_dynamodb_local(folder: Path) -> None:
    """Have LocalStack's provider run the DynamoDBLocal.jar in `folder` on the system's Java.

    LocalStack would download a jar, a Java and an agent (which allows more than 20 indexes). And it
    would start the jar's main class, which listens on every interface.
    """
    installer = packages.DynamoDBLocalPackageInstaller
    installer.install = lambda _self, *_args, **_kwargs: None
    installer.get_installed_dir = lambda _self, *_args, **_kwargs: str(folder)
    installer.get_java_env_vars = lambda _self: {"PATH": os.environ["PATH"]}

    def command(self: Any) -> list[str]:  # noqa: ANN401 - LocalStack's DynamodbServer
        return _command(folder, self.heap_size, self.port)

    server.DynamodbServer._create_shell_command = command  # noqa: SLF001 - the only place to amend


def _command(folder: Path, heap_size: str, port: int) -> list[str]:
    classes = os.pathsep.join(
        [str(folder / "DynamoDBLocal.jar"), str(folder / "DynamoDBLocal_lib/*")]
    )
    return [
        "java",
        f"-Xmx{heap_size}",
        f"-Djava.library.path={folder / 'DynamoDBLocal_lib'}",
        "-cp",
        classes,
        str(LAUNCHER),
        "-port",
        str(port),
        "-inMemory",
    ]
