"""Every setting of a deployment, in one table: the fields of ``Settings``.

A field's name is the key in a file; its environment variable is that in capitals, with the prefix
``EVERSTEP_``. To add a setting, add a field here with its kind, its meaning and, where the
template has one, its parameter; then ``make configuration`` writes the page of the documentation.
"""

from __future__ import annotations

from dataclasses import MISSING, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from everstep.configuration import Setting, SettingsError, find_file, look_up
from everstep.core.masking import DEFAULT_PATTERNS
from everstep.core.records import dataclass
from everstep.setting_kinds import (
    Choice,
    Codec,
    Flag,
    Number,
    Numbers,
    Origins,
    Packages,
    Patterns,
    Text,
    Whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from everstep.setting_kinds import Kind

__all__ = ["LOG_LEVELS", "SETTINGS", "Settings", "SettingsError"]

METRICS: Final = ("off", "on", "by-workflow")
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
API_AUTHORIZATIONS: Final = ("KEY", "IAM", "NONE")
_NO_QUEUE: Final = "none: read only"
_KEY: Final = "setting"
_OFF: Final = "OFF"
# A run's input and its result stand in one item, which holds 400 KB with all else.
_INLINE: Final = 131_072
_YEARS: Final = 36_500
"""A hundred years in days."""
_YEAR: Final = 31_536_000
"""A year in seconds."""


def _said(
    kind: Kind, meaning: str, *, parameter: str | None = None, secret: bool = False
) -> Mapping[str, object]:
    """Return what else there is to say of a field than its name and its default."""
    return {_KEY: (kind, meaning, parameter, secret)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a deployment is told by its environment and its file, by name.

    Each field says what it can be, what it decides, and the template's parameter for it.
    """

    # --- Where the deployment's things are
    table: str = field(
        metadata=_said(Text("the name of the table"), "name of the table", parameter="Table")
    )
    queue_url: str = field(
        metadata=_said(
            Text("the address of the step queue"),
            "address of the step queue",
            parameter="StepQueue",
        )
    )
    bucket: str = field(
        metadata=_said(
            Text("the name of the payload bucket"),
            "name of the payload bucket",
            parameter="PayloadBucket",
        )
    )
    workflows: tuple[str, ...] = field(
        default=("workflows",),
        metadata=_said(Packages(), "packages that define workflows", parameter="Workflows"),
    )

    # --- Logs
    log_level: str = field(
        default="INFO",
        metadata=_said(
            Choice(LOG_LEVELS), "what the engine logs from this level on", parameter="LogLevel"
        ),
    )

    run_log_level: str = field(
        default="INFO",
        metadata=_said(
            Choice((*LOG_LEVELS, _OFF)),
            "what code says from this level on is kept with its run; OFF for nothing",
            parameter="RunLogLevel",
        ),
    )
    run_log_inline_bytes: int = field(
        default=1024,
        metadata=_said(
            Whole(0, _INLINE), "what an operation says beyond this goes to S3", parameter=None
        ),
    )

    # --- Metrics
    metrics: str = field(
        default="off",
        metadata=_said(
            Choice(METRICS),
            "metrics as log lines; by-workflow has those of runs once more for every workflow",
            parameter="Metrics",
        ),
    )
    deployment: str = field(
        default="everstep",
        metadata=_said(
            Text("a name"), "what metrics call this deployment", parameter="AWS::StackName"
        ),
    )

    # --- Secrets
    mask: tuple[str, ...] = field(
        default=DEFAULT_PATTERNS,
        metadata=_said(
            Patterns(),
            "names whose values are not shown, in any case; `none` to show everything but what is "
            "typed or registered as secret",
            parameter="Mask",
        ),
    )

    payload_codec: str = field(
        default="plain",
        metadata=_said(
            Codec(("plain", "kms")),
            "what makes of inputs, results, events, secrets and lines what is recorded",
            parameter="PayloadKeyArn",
        ),
    )
    payload_key: str = field(
        default="",
        metadata=_said(
            Text("the ARN, id or alias of a key of KMS"),
            "the key of the codec `kms`",
            parameter="PayloadKeyArn",
        ),
    )

    # --- HTTP API
    api_authorization: str = field(
        default="KEY",
        metadata=_said(
            Choice(API_AUTHORIZATIONS),
            "what callers prove who they are with: API keys, signed requests, or nothing",
            parameter="ApiAuthorization",
        ),
    )
    cors_origins: tuple[str, ...] = field(
        default=(),
        metadata=_said(
            Origins(),
            "whose pages may use the API from a browser, for example `https://app.example.org`; "
            "`*` for all",
            parameter="CorsOrigins",
        ),
    )

    # --- Recovery
    start_grace_seconds: int = field(
        default=420,
        metadata=_said(
            Whole(1),
            "how long a message may take to leave a trace before the sweeper sends it again; "
            "longer than the queue's visibility time-out",
            parameter="ExecutorTimeout",
        ),
    )
    watchdog_seconds: int = field(
        default=21_600,
        metadata=_said(
            Whole(60),
            "how long a run may show no progress before the sweeper takes it over",
            parameter="WatchdogSeconds",
        ),
    )
    max_receives: int = field(
        default=5,
        metadata=_said(
            Whole(1, 1000),
            "deliveries of a message before it is a dead letter",
            parameter="MaxReceiveCount",
        ),
    )

    # --- Sizes of payloads
    inline_limit_bytes: int = field(
        default=32_768,
        metadata=_said(
            Whole(1024, _INLINE), "larger payloads go to S3", parameter="InlineLimitBytes"
        ),
    )
    max_payload_bytes: int = field(
        default=5_242_880,
        metadata=_said(Whole(1024), "larger payloads are refused", parameter="MaxPayloadBytes"),
    )

    # --- How many at once
    max_concurrent_runs: int = field(
        default=0,
        metadata=_said(
            Whole(1, zero="no limit"),
            "most runs that have not ended; a start beyond it is refused",
            parameter="MaxConcurrentRuns",
        ),
    )
    max_concurrent_runs_of: Mapping[str, int] = field(
        default_factory=dict,
        metadata=_said(
            Numbers(Whole(1)),
            "the same for single workflows, by name",
            parameter="MaxConcurrentRunsOf",
        ),
    )

    # --- What holds where workflows and steps say nothing
    run_timeout_seconds: int = field(
        default=0,
        metadata=_said(
            Whole(1, _YEARS * 86_400, zero="none"),
            "time-out of runs whose workflow and start say none",
            parameter="RunTimeoutSeconds",
        ),
    )
    step_timeout_seconds: int = field(
        default=0,
        metadata=_said(
            Whole(1, 900, zero="what the function has left"),
            "time-out of an attempt of a step that says none",
            parameter="StepTimeoutSeconds",
        ),
    )
    steps_per_message: int = field(
        default=1,
        metadata=_said(
            Whole(1, 1000),
            "steps that one invocation may carry out, one after another, for a message; of a "
            "workflow that says none",
            parameter="StepsPerMessage",
        ),
    )
    retry_max_attempts: int = field(
        default=3,
        metadata=_said(Whole(1), "attempts of a step that says no `Retry`, the first included"),
    )
    retry_initial_delay_seconds: float = field(
        default=1.0,
        metadata=_said(Number(0, _YEAR), "delay after its first attempt"),
    )
    retry_factor: float = field(
        default=2.0,
        metadata=_said(Number(1, 1000), "growth of its delay from attempt to attempt"),
    )
    retry_max_delay_seconds: float = field(
        default=300.0,
        metadata=_said(Number(0, _YEAR), "its longest delay"),
    )
    retry_jitter: bool = field(
        default=True,
        metadata=_said(Flag(), "whether its delays are spread, each shortened by up to a half"),
    )

    # --- Retention
    retention_days: int = field(
        default=0,
        metadata=_said(
            Whole(1, _YEARS, zero="ever"),
            "how long runs are kept after their end whose workflow and start do not say it",
            parameter="RetentionDays",
        ),
    )

    @classmethod
    def read(cls, environment: Mapping[str, str], folders: Iterable[str | Path] = ()) -> Settings:
        """Return the settings of an environment and of the file that it names.

        Args:
            environment: The variables.
            folders: Where to look for ``everstep.toml`` if ``EVERSTEP_CONFIG_FILE`` names none.

        Raises:
            SettingsError: Settings are missing or wrong; it names all of them.
        """
        return cls._from(SETTINGS, environment, folders)

    @classmethod
    def for_reading(
        cls, environment: Mapping[str, str], folders: Iterable[str | Path] = ()
    ) -> Settings:
        """Return the settings of an engine that only reads, and so needs no queue.

        Raises:
            SettingsError: Settings are missing or wrong; it names all of them.
        """
        return cls._from(_READING, environment, folders)

    @classmethod
    def _from(
        cls,
        table: Mapping[str, Setting],
        environment: Mapping[str, str],
        folders: Iterable[str | Path],
    ) -> Settings:
        found = look_up(table, environment, find_file(environment, folders))
        return cls(**{name: each.value for name, each in found.items()})


def _table(defaults: Mapping[str, object]) -> Mapping[str, Setting]:
    made: dict[str, Setting] = {}
    for each in fields(Settings):
        kind, meaning, parameter, secret = each.metadata[_KEY]
        default = each.default if each.default_factory is MISSING else each.default_factory()
        made[each.name] = Setting(
            name=each.name,
            kind=kind,
            meaning=meaning,
            default=defaults.get(each.name, default),
            parameter=parameter,
            secret=secret,
        )
    return MappingProxyType(made)


SETTINGS: Final = _table({})
"""The table, by name and in the order of the documentation."""

_READING: Final = _table({"queue_url": _NO_QUEUE})
