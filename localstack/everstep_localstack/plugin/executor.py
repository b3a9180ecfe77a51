"""LocalStack's view of an execution environment: translate, and let `Sandbox` do the work."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

from localstack.services.lambda_.invocation.lambda_models import InvocationResult

from everstep_localstack.plugin.function_process import FunctionSpec
from everstep_localstack.plugin.memory_watch import MemoryWatch
from everstep_localstack.plugin.sandbox import Event, Sandbox
from everstep_localstack.plugin.settings import INSTANCE_VARIABLE, PluginSettings
from everstep_localstack.plugin.spawner import Spawner
from localstack import config

LOG: Final = logging.getLogger(__name__)
# Of LocalStack's own environment a function sees these alone: no proxies, no Python settings.
INHERITED: Final = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE")


@cache
def _spawner() -> Spawner:
    return Spawner()


@cache
def _memory_watch() -> MemoryWatch:
    return MemoryWatch()


@cache
def _settings() -> PluginSettings:
    return PluginSettings.from_environment()


class ProcessRuntimeExecutor:
    """One execution environment as a local process.

    LocalStack's types are not available to the type checker: what comes from them is `Any`, and
    goes no further than this class.
    """

    def __init__(self, id: str, function_version: Any) -> None:  # noqa: A002, ANN401 - LocalStack's names and types
        self.id = id
        self.function_version = function_version
        self._scratch = Path(tempfile.mkdtemp(prefix="function-"))
        self._sandbox: Sandbox | None = None

    def start(self, env_vars: dict[str, Any]) -> None:
        """Start the process and load the handler; failures show with the first invocation."""
        environment = {name: str(value) for name, value in env_vars.items()}
        spec = _specify(self.function_version, environment, self._scratch)
        self._sandbox = Sandbox(spec, _spawner(), _memory_watch())
        self._sandbox.start()

    def invoke(self, payload: dict[str, str]) -> Any:  # noqa: ANN401 - LocalStack's InvocationResult
        """Run one invocation. Every failure of the function is a result, never an exception."""
        if self._sandbox is None:
            raise AssertionError("LocalStack invokes only what it started")
        event = Event(
            request_id=payload["invoke-id"],
            function_arn=payload["invoked-function-arn"],
            trace_id=payload["trace-id"],
            payload=payload["payload"].encode(),
        )
        result = self._sandbox.invoke(event)
        return InvocationResult(
            event.request_id, result.payload, is_error=result.is_error, logs=result.log
        )

    def stop(self) -> None:
        """End the process and remove what it wrote to its temporary folder."""
        if self._sandbox is not None:
            self._sandbox.stop()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def get_address(self) -> str:
        """Return where the environment can be reached."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Return where the environment reaches LocalStack: part of `AWS_ENDPOINT_URL`."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Return the callback address, which only LocalStack's own runtime client would use."""
        port = config.GATEWAY_LISTEN[0].port
        return f"http://127.0.0.1:{port}/_localstack_lambda/{self.id}"

    def get_logs(self) -> str:
        """Return nothing: all output is reported with the invocations."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: Any) -> None:  # noqa: ANN401 - LocalStack's type
        """Unpack the code and the layers of a version."""
        for code in _codes(function_version):
            code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: Any) -> None:  # noqa: ANN401 - LocalStack's type
        """Keep what was unpacked: LocalStack removes code together with the function."""

    @classmethod
    def validate_environment(cls) -> bool:
        """Say whether functions can run here."""
        interpreter = _settings().interpreter
        if os.access(interpreter, os.X_OK):
            return True
        LOG.error("No interpreter for functions at %s", interpreter)
        return False


def _codes(function_version: Any) -> list[Any]:  # noqa: ANN401 - LocalStack's types
    settings = function_version.config
    layers = [layer.code for layer in settings.layers]
    return [settings.code, *layers] if settings.code else layers


def _specify(function_version: Any, environment: dict[str, str], scratch: Path) -> FunctionSpec:  # noqa: ANN401
    settings, plugin = function_version.config, _settings()
    runtime = str(settings.runtime)
    if not runtime.startswith("python"):
        raise ValueError(f"runtime {runtime} cannot run as a process: only Python functions can")
    folders = [Path(code.get_unzipped_code_location()) for code in _codes(function_version)]
    environment |= _own_environment(runtime, folders, scratch)
    environment |= _logging_environment(settings.logging_config)
    environment["PYTHONPATH"] = _python_path(folders, environment.get("PYTHONPATH"), runtime)
    return FunctionSpec(
        interpreter=plugin.interpreter,
        handler=settings.handler,
        code=folders[0],
        environment=environment,
        memory_mb=settings.memory_size,
        headroom_mb=plugin.headroom_mb,
        version=function_version.id.qualifier,
        timeout_seconds=float(settings.timeout),
        init_timeout_seconds=plugin.init_timeout_seconds,
    )


def _own_environment(runtime: str, folders: list[Path], scratch: Path) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return inherited | {
        INSTANCE_VARIABLE: _settings().instance,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "LAMBDA_TASK_ROOT": str(folders[0]),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONUNBUFFERED": "1",
    }


def _python_path(folders: list[Path], configured: str | None, runtime: str) -> str:
    """Return AWS's order: the function, then each layer's site-packages and `python` folder."""
    code, *layers = folders
    parts = [str(code)]
    for layer in layers:
        parts += [str(layer / "python/lib" / runtime / "site-packages"), str(layer / "python")]
    return os.pathsep.join([*parts, configured] if configured else parts)


def _logging_environment(logging_config: Any) -> dict[str, str]:  # noqa: ANN401 - LocalStack's type
    wanted = {
        "AWS_LAMBDA_LOG_FORMAT": logging_config.get("LogFormat"),
        "AWS_LAMBDA_LOG_LEVEL": logging_config.get("ApplicationLogLevel"),
    }
    return {name: str(value) for name, value in wanted.items() if value}
