"""What the lifecycle side tells the plugin, through the environment of LocalStack's process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

# Every process of an instance carries this variable, function processes and theirs included: this
# is how what is left of a killed instance is found. Its value is the instance's folder.
INSTANCE_VARIABLE: Final = "EVERSTEP_LOCALSTACK_INSTANCE"
INTERPRETER_VARIABLE: Final = "EVERSTEP_LOCALSTACK_PYTHON"
POLLERS_VARIABLE: Final = "EVERSTEP_LOCALSTACK_POLLERS"
HEADROOM_VARIABLE: Final = "EVERSTEP_LOCALSTACK_MEMORY_HEADROOM_MB"
INIT_TIMEOUT_VARIABLE: Final = "EVERSTEP_LOCALSTACK_INIT_TIMEOUT_SECONDS"
DYNAMODB_LOCAL_VARIABLE: Final = "EVERSTEP_LOCALSTACK_DYNAMODB_LOCAL"

DEFAULT_POLLERS: Final = 8
DEFAULT_HEADROOM_MB: Final = 1024
# What AWS gives an execution environment to load its handler.
DEFAULT_INIT_TIMEOUT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSettings:
    """Settings of one LocalStack process.

    Attributes:
        interpreter: Python that runs functions; it has `awslambdaric` and the functions' libraries.
        instance: Folder of the instance, also the mark on its processes.
        pollers: Batches of one SQS event source mapping that are handled at the same time.
        headroom_mb: Private memory a function may reserve beyond its memory size.
        init_timeout_seconds: Time to load a handler before its first invocation.
        dynamodb_local: Folder of DynamoDBLocal.jar, or None: DynamoDB is served by moto.
    """

    interpreter: Path
    instance: str
    pollers: int = DEFAULT_POLLERS
    headroom_mb: int = DEFAULT_HEADROOM_MB
    init_timeout_seconds: float = DEFAULT_INIT_TIMEOUT_SECONDS
    dynamodb_local: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the settings, by default from this process's environment.

        Raises:
            KeyError: LocalStack was started by hand, without the interpreter's variable.
        """
        env = os.environ if environment is None else environment
        local = env.get(DYNAMODB_LOCAL_VARIABLE)
        return cls(
            interpreter=Path(env[INTERPRETER_VARIABLE]),
            instance=env.get(INSTANCE_VARIABLE, ""),
            pollers=int(env.get(POLLERS_VARIABLE, DEFAULT_POLLERS)),
            headroom_mb=int(env.get(HEADROOM_VARIABLE, DEFAULT_HEADROOM_MB)),
            init_timeout_seconds=float(
                env.get(INIT_TIMEOUT_VARIABLE, DEFAULT_INIT_TIMEOUT_SECONDS)
            ),
            dynamodb_local=Path(local) if local else None,
        )
