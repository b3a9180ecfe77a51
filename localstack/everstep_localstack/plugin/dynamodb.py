"""DynamoDB without a download: served by moto, or by a DynamoDB Local that is already there."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from localstack.services.dynamodb import packages, server
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service
from moto.dynamodb import models
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LAUNCHER: Final = Path(__file__).parents[1] / "LoopbackDynamoDb.java"


# Of tables and of their streams, which moto keeps together.
_ONE_AT_A_TIME: Final = Lock()


def moto_service(api: type) -> Any:  # noqa: ANN401 - LocalStack's Service
    """Return a service in which moto answers every operation of `api`, one at a time.

    DynamoDB's writes are atomic; moto's are not. A transaction that is cancelled puts back what
    was there before it, so that a write in between would be lost.
    """
    _let_transactions_copy_little()
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


# --- Transactions

_TRANSACT: Final = models.DynamoDBBackend.transact_write_items


def _let_transactions_copy_little() -> None:
    """Have a transaction keep the items that it touches, instead of a copy of all tables.

    Copying everything takes the longer the more there is: with some thousand items a second, in
    which nobody else is answered.
    """
    models.copy = _Copies  # type: ignore[attr-defined,assignment]  # what its methods call
    models.DynamoDBBackend.transact_write_items = _transact  # type: ignore[method-assign]


class _Copies:
    """Stands for ``copy`` in moto's module: tables are not copied, everything else is."""

    @staticmethod
    def deepcopy(value: Any) -> Any:  # noqa: ANN401 - whatever moto copies
        whole = isinstance(value, dict) and any(isinstance(each, Table) for each in value.values())
        return value if whole else copy.deepcopy(value)


def _transact(self: Any, transact_items: list[dict[str, Any]]) -> None:  # noqa: ANN401 - moto's
    before = [
        (table.items[hash_key], range_key, copy.deepcopy(table.items[hash_key].get(range_key)))
        for table, hash_key, range_key in _touched(self.tables, transact_items)
    ]
    try:
        _TRANSACT(self, transact_items)
    except Exception:
        for partition, range_key, item in before:
            partition.pop(range_key, None)
            if item is not None:
                partition[range_key] = item
        raise


def _touched(
    tables: dict[str, Any], transact_items: Iterable[dict[str, Any]]
) -> Iterable[tuple[Any, Any, Any]]:
    """Yield the places of the items that a transaction may change; tables here have sort keys."""
    for action in transact_items:
        for request in action.values():
            table = tables.get(request["TableName"])
            key = request.get("Key") or request.get("Item")
            if table is not None and key is not None and table.range_key_attr in key:
                hash_key = DynamoType(key[table.hash_key_attr])
                yield table, hash_key, DynamoType(key[table.range_key_attr])


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
