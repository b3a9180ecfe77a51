"""DynamoDB without a download: served by moto, or by a DynamoDB Local that is already there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from localstack.services.dynamodb import packages, server
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service

if TYPE_CHECKING:
    from pathlib import Path


def moto_service(api: type) -> Any:  # noqa: ANN401 - LocalStack's Service
    """Return a service in which moto answers every operation of `api`."""
    provider = type(f"Moto{api.__name__}", (api,), {})()
    return Service.for_provider(provider, dispatch_table_factory=MotoFallbackDispatcher)


def use_dynamodb_local(folder: Path) -> None:
    """Have LocalStack's provider run the DynamoDBLocal.jar in `folder` on the system's Java.

    LocalStack would download a jar, a Java and an agent (which allows more than 20 indexes).
    """
    installer = packages.DynamoDBLocalPackageInstaller
    installer.install = lambda _self, *_args, **_kwargs: None
    installer.get_installed_dir = lambda _self, *_args, **_kwargs: str(folder)
    installer.get_java_env_vars = lambda _self: {"PATH": os.environ["PATH"]}
    original = server.DynamodbServer._create_shell_command  # noqa: SLF001 - the only place to amend

    def without_agent(self: Any) -> list[str]:  # noqa: ANN401 - LocalStack's DynamodbServer
        return [part for part in original(self) if not part.startswith("-javaagent:")]

    server.DynamodbServer._create_shell_command = without_agent  # noqa: SLF001
