"""Settings → clients → adapters → engine, once per process.

What a call does not need is not loaded: the AWS SDK's clients are botocore's own (boto3 would
only wrap them, and takes longer to import), and S3's is made for the first large payload.
"""

from __future__ import annotations

import os
import sys
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from everstep.app.engine import Engine, Limits
from everstep.app.kept import Passes
from everstep.app.payloads import Plain
from everstep.core.durations import DAY, SECOND
from everstep.core.errors import EverstepError
from everstep.core.masking import Masking
from everstep.core.retry import Retry
from everstep.core.run_logs import LogLimits
from everstep.core.spending import USUAL_MEMORY
from everstep.loading import load_registry
from everstep.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from botocore.client import BaseClient
    from botocore.config import Config
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

    from everstep.app.keys import Keys
    from everstep.ports import BlobStore, PayloadCodec

_ATTEMPTS: Final = 4
_CONNECT_SECONDS: Final = 2
# Four attempts of a request must fit into the 29 seconds that API Gateway waits.
_READ_SECONDS: Final = 4
# Every other call might change something.
_READS: Final = frozenset(
    {
        *("BatchGetItem", "Decrypt", "DescribeStacks", "DescribeTable", "GetItem", "GetObject"),
        *("Query", "Scan"),
    }
)


class ReadOnlyError(EverstepError):
    """Say that a call was refused, before it was sent, because it might have written."""


class LazyBlobs:
    """The blob store, made when it is first used: most runs have small payloads only."""

    def __init__(self, make: Callable[[], BlobStore]) -> None:
        """Keep how to make it."""
        self._make = make

    @cached_property
    def _blobs(self) -> BlobStore:
        return self._make()

    def put(self, run_id: str, text: str) -> str:
        """Keep a text of a run; return its reference."""
        return self._blobs.put(run_id, text)

    def get(self, ref: str) -> str:
        """Return the text of a reference."""
        return self._blobs.get(ref)

    def copy(self, ref: str, run_id: str) -> str:
        """Keep the text of a reference as another run's, too; return its reference there."""
        return self._blobs.copy(ref, run_id)

    def clear(self, run_id: str) -> bool:
        """Remove texts of a run; say whether none is left."""
        return self._blobs.clear(run_id)


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

        session = botocore.session.Session(profile=self._profile)
        loader = session.get_component("data_loader")
        loader.list_available_services = _services_of(loader.search_paths)
        return session

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


def _services_of(folders: Iterable[str]) -> Callable[[str], list[str]]:
    """Return what names the services that botocore has a folder for.

    Before each client it makes sure that it knows the service at all. Its own way looks into each
    of 400 folders, which takes a third of the time that the first client takes.
    """

    @cache
    def services(_type_name: str) -> list[str]:
        places = [place for place in map(Path, folders) if place.is_dir()]
        return [each.name for place in places for each in place.iterdir()]

    return services


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


def limits_of(settings: Settings) -> Limits:
    """Return the engine's limits."""
    return Limits(
        inline=settings.inline_limit_bytes,
        payload=settings.max_payload_bytes,
        grace=settings.start_grace_seconds * SECOND,
        watchdog=settings.watchdog_seconds * SECOND,
        runs=settings.max_concurrent_runs,
        runs_of=settings.max_concurrent_runs_of,
        run_timeout=settings.run_timeout_seconds * SECOND or None,
        retention=settings.retention_days * DAY or None,
        step_timeout=settings.step_timeout_seconds * SECOND or None,
        steps_per_message=settings.steps_per_message,
        retry=Retry(
            max_attempts=settings.retry_max_attempts,
            initial_delay=settings.retry_initial_delay_seconds,
            factor=settings.retry_factor,
            max_delay=settings.retry_max_delay_seconds,
            jitter=settings.retry_jitter,
        ),
        logs=LogLimits(
            level=None if settings.run_log_level == "OFF" else settings.run_log_level,
            inline=settings.run_log_inline_bytes,
        ),
    )


def build_engine(settings: Settings, clients: Clients) -> Engine:
    """Return the engine on AWS."""
    from everstep.adapters.dynamodb.dead_letters import DynamoDeadLetters
    from everstep.adapters.dynamodb.indexes import DynamoRunList, DynamoTimers
    from everstep.adapters.dynamodb.store import DynamoRuns
    from everstep.adapters.sqs import SqsQueue
    from everstep.adapters.system import SystemClock, SystemIds
    from everstep.telemetry import xray_header

    dynamodb = cast("DynamoDBClient", clients.make("dynamodb"))
    sqs = cast("SQSClient", clients.make("sqs"))
    return Engine(
        runs=DynamoRuns(dynamodb, settings.table),
        timers=DynamoTimers(dynamodb, settings.table),
        lists=DynamoRunList(dynamodb, settings.table),
        dead_letters=DynamoDeadLetters(dynamodb, settings.table),
        queue=SqsQueue(sqs, settings.queue_url, xray_header),
        blobs=LazyBlobs(lambda: _s3_blobs(clients, settings.bucket)),
        clock=SystemClock(),
        ids=SystemIds(),
        registry=load_registry(settings.workflows),
        limits=limits_of(settings),
        kept=Passes(),
        masking=Masking(patterns=settings.mask),
        codec=payload_codec(settings, clients),
        architecture=_architecture(),
        memory=int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", USUAL_MEMORY)),
    )


def _architecture() -> str:
    """Return the processor that is paid for: a function's own, elsewhere the template's."""
    here = "AWS_LAMBDA_FUNCTION_NAME" in os.environ and os.uname().machine == "x86_64"
    return "x86_64" if here else "arm64"


def payload_codec(settings: Settings, clients: Clients) -> PayloadCodec:
    """Return the payload codec that the settings ask for; no key is asked for yet.

    Raises:
        SettingsError: It needs a key and has none, or its factory cannot be loaded.
    """
    if settings.payload_codec == "plain":
        return Plain(lambda: _kms_codec(settings, clients))
    if settings.payload_codec != "kms":
        return _made_codec(settings)
    if not settings.payload_key:
        raise SettingsError("EVERSTEP_PAYLOAD_KEY must be set where EVERSTEP_PAYLOAD_CODEC is kms")
    return _kms_codec(settings, clients)


def _made_codec(settings: Settings) -> PayloadCodec:
    from importlib import import_module

    module, _, name = settings.payload_codec.partition(":")
    try:
        factory = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        what = f"EVERSTEP_PAYLOAD_CODEC names {settings.payload_codec!r}, which cannot be loaded"
        raise SettingsError(f"{what}: {error}") from error
    return cast("PayloadCodec", factory(settings))


def _kms_codec(settings: Settings, clients: Clients) -> PayloadCodec:
    from everstep.adapters.kms import KeyService, KmsCodec

    return KmsCodec(
        lambda: cast("KeyService", clients.make("kms")), settings.payload_key, settings.table
    )


def build_keys(table: str, clients: Clients) -> Keys:
    """Return what the use cases of API keys need, on AWS."""
    from everstep.adapters.dynamodb.api_keys import DynamoKeys
    from everstep.adapters.system import SystemClock, SystemIds
    from everstep.app.keys import Keys

    dynamodb = cast("DynamoDBClient", clients.make("dynamodb"))
    store = DynamoKeys(dynamodb, table)
    return Keys(store=store, clock=SystemClock(), ids=SystemIds())


def _s3_blobs(clients: Clients, bucket: str) -> BlobStore:
    from everstep.adapters.s3 import S3Blobs

    return S3Blobs(cast("S3Client", clients.make("s3")), bucket)


@cache
def settings_from_env() -> Settings:
    """Return this process's settings, read once.

    A file lies in the current folder, or beside the workflows: where Python imports from.

    Raises:
        SettingsError: Settings are missing or wrong.
    """
    return Settings.read(os.environ, [os.curdir, *sys.path])


@cache
def engine_from_env() -> Engine:
    """Return this process's engine, made once, and set up its logs.

    Raises:
        SettingsError: Settings are missing or wrong.
    """
    from everstep import logs, telemetry
    from everstep.authoring import capture

    settings = settings_from_env()
    logs.configure(settings.log_level, masking=Masking(patterns=settings.mask))
    capture.install(limits_of(settings).logs, as_json=True)
    told = telemetry.configure(settings.metrics, settings.deployment)
    return told.watching(build_engine(settings, Clients()))


@cache
def keys_from_env() -> Keys:
    """Return what this process needs for API keys, made once, and set up its logs.

    Raises:
        SettingsError: A variable is missing or wrong.
    """
    from everstep import logs

    settings = settings_from_env()
    logs.configure(settings.log_level)
    return build_keys(settings.table, Clients())
