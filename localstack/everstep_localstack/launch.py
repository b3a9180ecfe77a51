"""The environment in which LocalStack runs in host mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep_localstack.dynamodb_local import jar_folder
from everstep_localstack.instance import DynamoDb, Folders, Options
from everstep_localstack.plugin import settings

if TYPE_CHECKING:
    from collections.abc import Mapping

# A person's own account, proxies and Python settings stay out of LocalStack and its functions.
DROPPED_PREFIXES: Final = ("AWS_", "PYTHON", "VIRTUAL_ENV", "LAMBDA_", "PROVIDER_OVERRIDE_")
DROPPED_SUFFIXES: Final = ("_PROXY", "_proxy")
# Instances whose ports differ by less than this number get different ranges.
EXTERNAL_PORT_RANGES: Final = 1000
EXTERNAL_PORTS_EACH: Final = 50
EXTERNAL_PORTS_START: Final = 10_000


def environment(options: Options, folders: Folders, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return LocalStack's whole environment.

    `LS_LOG`, `DEBUG` and whatever else LocalStack reads pass through, unless set here.
    """
    kept = {name: value for name, value in inherited.items() if not _is_foreign(name)}
    return (
        kept
        | _host_mode(options, folders, inherited)
        | _functions(options, folders)
        | _dynamodb(options)
    )


def external_ports(port: int) -> tuple[int, int]:
    """Return the range of ports for further servers of the instance that listens on `port`."""
    start = EXTERNAL_PORTS_START + port % EXTERNAL_PORT_RANGES * EXTERNAL_PORTS_EACH
    return start, start + EXTERNAL_PORTS_EACH


def _is_foreign(name: str) -> bool:
    return name.startswith(DROPPED_PREFIXES) or name.endswith(DROPPED_SUFFIXES)


def _host_mode(options: Options, folders: Folders, inherited: Mapping[str, str]) -> dict[str, str]:
    first, last = external_ports(options.port)
    return {
        "GATEWAY_LISTEN": f"127.0.0.1:{options.port}",
        # Addresses in answers (queue URLs and so on) must work without a name server.
        "LOCALSTACK_HOST": f"127.0.0.1:{options.port}",
        "SQS_ENDPOINT_STRATEGY": "path",
        "EXTERNAL_SERVICE_PORTS_START": str(first),
        "EXTERNAL_SERVICE_PORTS_END": str(last),
        # Nothing is fetched and nothing is reported.
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        # Inside a container it would otherwise write to /var/lib and /etc.
        "OVERRIDE_IN_DOCKER": "0",
        "FILESYSTEM_ROOT": str(folders.volume),
        "TMPDIR": str(folders.scratch),
        # Where LocalStack remembers its plugins: per instance, so that none sees an old list.
        "XDG_CACHE_HOME": str(folders.volume / "cache"),
        "LS_LOG": inherited.get("LS_LOG", "warn"),
        "PYTHONUNBUFFERED": "1",
    }


def _functions(options: Options, folders: Folders) -> dict[str, str]:
    return {
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.01",
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "0.01",
        settings.INSTANCE_VARIABLE: str(folders.root),
        settings.INTERPRETER_VARIABLE: str(options.python),
        settings.POLLERS_VARIABLE: str(options.pollers),
    }


def _dynamodb(options: Options) -> dict[str, str]:
    match options.dynamodb:
        case DynamoDb.MOTO:
            return {
                "PROVIDER_OVERRIDE_DYNAMODB": "moto",
                "PROVIDER_OVERRIDE_DYNAMODBSTREAMS": "moto",
            }
        case DynamoDb.LOCAL:
            return {settings.DYNAMODB_LOCAL_VARIABLE: str(jar_folder())}
