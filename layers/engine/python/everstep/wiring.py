"""Settings from the environment → clients → adapters → engine, once per process.

What a call does not need is not loaded: the AWS SDK's clients are botocore's own (boto3 would
only wrap them, and takes longer to import), and S3's is made for the first large payload.
"""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from everstep.app.engine import Engine, Limits
from everstep.app.kept import Passes
from everstep.authoring.registry import Registry
from everstep.authoring.workflows import Workflow
from everstep.core.durations import SECOND
from everstep.core.errors import DefinitionError, EverstepError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import ModuleType

    from botocore.client import BaseClient
    from botocore.config import Config
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

    from everstep.app.keys import Keys
    from everstep.ports import BlobStore

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
API_AUTHORIZATIONS: Final = ("KEY", "IAM", "NONE")
_ATTEMPTS: Final = 4
_CONNECT_SECONDS: Final = 2
# Four attempts of a request must fit into the 29 seconds that API Gateway waits.
_READ_SECONDS: Final = 4
# A run's input and its result stand in one item, which holds 400 KB with all else.
_INLINE: Final = 131_072
_NO_QUEUE: Final = "none: read only"
# Every other call might change something.
_READS: Final = frozenset(
    {"BatchGetItem", "DescribeStacks", "DescribeTable", "GetItem", "GetObject", "Query", "Scan"}
)
_LOG: Final = logging.getLogger("everstep.wiring")


class SettingsError(EverstepError):
    """Say which environment variable is wrong, what it holds, and what is allowed."""


class ReadOnlyError(EverstepError):
    """Say that a call was refused, before it was sent, because it might have written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a deployment is told by its environment; the template sets every variable.

    Attributes:
        table: EVERSTEP_TABLE, name of the table.
        queue_url: EVERSTEP_QUEUE_URL, address of the step queue.
        bucket: EVERSTEP_BUCKET, name of the payload bucket.
        workflows: EVERSTEP_WORKFLOWS, packages that define workflows, separated by commas.
        log_level: EVERSTEP_LOG_LEVEL.
        start_grace_seconds: EVERSTEP_START_GRACE_SECONDS, see ``Limits.grace``.
        watchdog_seconds: EVERSTEP_WATCHDOG_SECONDS, see ``Limits.watchdog``.
        inline_limit_bytes: EVERSTEP_INLINE_LIMIT_BYTES, see ``Limits.inline``.
        max_payload_bytes: EVERSTEP_MAX_PAYLOAD_BYTES, see ``Limits.payload``.
        max_receives: EVERSTEP_MAX_RECEIVES, deliveries before a message is a dead letter.
        api_authorization: EVERSTEP_API_AUTHORIZATION, how callers of the HTTP API prove who they
            are: ``KEY`` (API keys), ``IAM`` (signed requests) or ``NONE`` (not at all).
    """

    table: str
    queue_url: str
    bucket: str
    workflows: tuple[str, ...] = ("workflows",)
    log_level: str = "INFO"
    start_grace_seconds: int = 420
    watchdog_seconds: int = 21_600
    inline_limit_bytes: int = 32_768
    max_payload_bytes: int = 5_242_880
    max_receives: int = 5
    api_authorization: str = "KEY"

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Return the settings of an environment.

        Raises:
            SettingsError: A variable is missing or wrong.
        """
        read = _Variables(environment)
        return cls(
            table=read.text("EVERSTEP_TABLE"),
            queue_url=read.text("EVERSTEP_QUEUE_URL"),
            bucket=read.text("EVERSTEP_BUCKET"),
            workflows=read.modules("EVERSTEP_WORKFLOWS", "workflows"),
            log_level=read.choice("EVERSTEP_LOG_LEVEL", LOG_LEVELS, "INFO"),
            start_grace_seconds=read.number("EVERSTEP_START_GRACE_SECONDS", 1, 420),
            watchdog_seconds=read.number("EVERSTEP_WATCHDOG_SECONDS", 60, 21_600),
            inline_limit_bytes=read.number("EVERSTEP_INLINE_LIMIT_BYTES", 1024, 32_768, _INLINE),
            max_payload_bytes=read.number("EVERSTEP_MAX_PAYLOAD_BYTES", 1024, 5_242_880),
            max_receives=read.number("EVERSTEP_MAX_RECEIVES", 1, 5, 1000),
            api_authorization=read.choice("EVERSTEP_API_AUTHORIZATION", API_AUTHORIZATIONS, "KEY"),
        )

    @classmethod
    def for_reading(cls, environment: Mapping[str, str]) -> Settings:
        """Return the settings of an engine that only reads, and so needs no queue.

        Raises:
            SettingsError: A variable is missing or wrong.
        """
        return cls.read({"EVERSTEP_QUEUE_URL": _NO_QUEUE, **environment})

    @property
    def limits(self) -> Limits:
        """Return the engine's limits."""
        return Limits(
            inline=self.inline_limit_bytes,
            payload=self.max_payload_bytes,
            grace=self.start_grace_seconds * SECOND,
            watchdog=self.watchdog_seconds * SECOND,
        )


@dataclass(frozen=True, slots=True)
class _Variables:
    environment: Mapping[str, str]

    def text(self, name: str) -> str:
        value = self.environment.get(name, "").strip()
        if not value:
            raise SettingsError(f"the environment variable {name} must be set and not empty")
        return value

    def modules(self, name: str, default: str) -> tuple[str, ...]:
        value = self.environment.get(name, default)
        found = tuple(part.strip() for part in value.split(","))
        if not all(part.isidentifier() for module in found for part in module.split(".")):
            raise SettingsError(
                f"{name} must name Python packages, separated by commas, not {value!r}"
            )
        return found

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.environment.get(name, default)
        if value not in allowed:
            raise SettingsError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def number(self, name: str, lowest: int, default: int, highest: int | None = None) -> int:
        value = self.environment.get(name, str(default))
        fits = value.isascii() and value.isdigit() and lowest <= int(value)
        if not fits or (highest is not None and int(value) > highest):
            allowed = f"from {lowest}" if highest is None else f"from {lowest} to {highest}"
            raise SettingsError(f"{name} must be a whole number {allowed}, not {value!r}")
        return int(value)


def load_registry(module_names: Iterable[str]) -> Registry:
    """Import packages with everything below them, and collect the workflows that they define.

    A module that cannot be imported is remembered as a fault and does not stop the others. Of
    two workflows with the same name and version neither is used: nobody could say which one a
    run continues on.
    """
    faults: dict[str, Exception] = {}
    by_version: dict[tuple[str, str], dict[int, Workflow[Any, Any]]] = {}
    for module in _modules(module_names, faults):
        for item in vars(module).values():
            if isinstance(item, Workflow):
                same = by_version.setdefault((item.name, item.version), {})
                same[id(item)] = item
                if len(same) > 1:
                    faults[module.__name__] = DefinitionError(
                        f"two workflows are called {item.name} version {item.version}; "
                        "neither is used"
                    )
    for name, error in faults.items():
        _LOG.error("workflows left out", extra={"workflows": name, "error": type(error).__name__})
    only = [next(iter(same.values())) for same in by_version.values() if len(same) == 1]
    return Registry(only, faults)


def _modules(names: Iterable[str], faults: dict[str, Exception]) -> Iterator[ModuleType]:
    for name in names:
        module = _imported(name, faults)
        if module is not None:
            yield module
            inner = pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}.")
            yield from _modules(sorted(each.name for each in inner), faults)


def _imported(name: str, faults: dict[str, Exception]) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - a user's module may raise anything
        faults[name] = error
    except SystemExit as error:
        faults[name] = ImportError(f"it exits when it is imported, with {error.code!r}")
    return None


class LazyBlobs:
    """The blob store, made when it is first used: most runs have small payloads only."""

    def __init__(self, make: Callable[[], BlobStore]) -> None:
        """Keep how to make it."""
        self._make = make

    @cached_property
    def _blobs(self) -> BlobStore:
        return self._make()

    def put(self, text: str) -> str:
        """Keep the text; return its reference."""
        return self._blobs.put(text)

    def get(self, ref: str) -> str:
        """Return the text of a reference."""
        return self._blobs.get(ref)


class Clients:
    """Makes low-level AWS clients that give up in time to say so."""

    def __init__(
        self,
        *,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
    ) -> None:
        """Remember what to use instead of what the environment says, None for nothing.

        Args:
            profile: Name of a profile of the AWS configuration.
            region: The region of every client.
            endpoint_url: The address of every service, for example LocalStack's.
        """
        self._profile = profile
        self._place = {"region_name": region, "endpoint_url": endpoint_url}

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401 - botocore's own is not typed
        import botocore.session

        return botocore.session.Session(profile=self._profile)

    def make(self, service: str) -> BaseClient:
        """Return a new client; what was not given is the environment's.

        Raises:
            AdapterError: No region, or no such profile.
        """
        from botocore.config import Config

        from everstep.adapters.aws_errors import translated

        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "max_attempts": _ATTEMPTS},
            tcp_keepalive=True,
        )
        with translated(f"AWS client for {service}"):
            return self._create(service, config)

    def _create(self, service: str, config: Config) -> BaseClient:
        made = self._session.create_client(service, config=config, **self._place)
        return cast("BaseClient", made)


class SessionClients(Clients):
    """Makes clients of a ``boto3.Session`` that somebody has made already."""

    def __init__(self, session: Any, endpoint_url: str | None = None) -> None:  # noqa: ANN401
        """Keep the session."""
        super().__init__(endpoint_url=endpoint_url)
        self._given = session

    def _create(self, service: str, config: Config) -> BaseClient:
        made = self._given.client(service, config=config, **self._place)
        return cast("BaseClient", made)


class ReadOnlyClients(Clients):
    """Makes clients that refuse every call that might write, before it is sent."""

    def make(self, service: str) -> BaseClient:
        """Return a new client whose writes raise ``ReadOnlyError``."""
        client = super().make(service)
        client.meta.events.register("before-call", _only_reads)
        return client


def _only_reads(model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's own is not typed
    if model.name not in _READS:
        raise ReadOnlyError(f"{model.name} is refused: nothing may be written here")


def build_engine(settings: Settings, clients: Clients) -> Engine:
    """Return the engine on AWS."""
    from everstep.adapters.dynamodb.dead_letters import DynamoDeadLetters
    from everstep.adapters.dynamodb.indexes import DynamoRunList, DynamoTimers
    from everstep.adapters.dynamodb.store import DynamoRuns
    from everstep.adapters.sqs import SqsQueue
    from everstep.adapters.system import SystemClock, SystemIds

    dynamodb = cast("DynamoDBClient", clients.make("dynamodb"))
    sqs = cast("SQSClient", clients.make("sqs"))
    return Engine(
        runs=DynamoRuns(dynamodb, settings.table),
        timers=DynamoTimers(dynamodb, settings.table),
        lists=DynamoRunList(dynamodb, settings.table),
        dead_letters=DynamoDeadLetters(dynamodb, settings.table),
        queue=SqsQueue(sqs, settings.queue_url),
        blobs=LazyBlobs(lambda: _s3_blobs(clients, settings.bucket)),
        clock=SystemClock(),
        ids=SystemIds(),
        registry=load_registry(settings.workflows),
        limits=settings.limits,
        kept=Passes(),
    )


def build_keys(settings: Settings, clients: Clients) -> Keys:
    """Return what the use cases of API keys need, on AWS."""
    from everstep.adapters.dynamodb.api_keys import DynamoKeys
    from everstep.adapters.system import SystemClock, SystemIds
    from everstep.app.keys import Keys

    dynamodb = cast("DynamoDBClient", clients.make("dynamodb"))
    store = DynamoKeys(dynamodb, settings.table)
    return Keys(store=store, clock=SystemClock(), ids=SystemIds())


def _s3_blobs(clients: Clients, bucket: str) -> BlobStore:
    from everstep.adapters.s3 import S3Blobs

    return S3Blobs(cast("S3Client", clients.make("s3")), bucket)


@cache
def settings_from_env() -> Settings:
    """Return this process's settings, read once.

    Raises:
        SettingsError: A variable is missing or wrong.
    """
    return Settings.read(os.environ)


@cache
def engine_from_env() -> Engine:
    """Return this process's engine, made once, and set up its logs.

    Raises:
        SettingsError: A variable is missing or wrong.
    """
    from everstep import logs

    settings = settings_from_env()
    logs.configure(settings.log_level)
    return build_engine(settings, Clients())


@cache
def keys_from_env() -> Keys:
    """Return what this process needs for API keys, made once, and set up its logs.

    Raises:
        SettingsError: A variable is missing or wrong.
    """
    from everstep import logs

    settings = settings_from_env()
    logs.configure(settings.log_level)
    return build_keys(settings, Clients())
