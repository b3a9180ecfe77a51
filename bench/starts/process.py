"""One start of a function's process, as Lambda's init: its handler is imported, no more."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.starts.artifact import Artifact

ENVIRONMENT: Final = {
    "EVERSTEP_API_AUTHORIZATION": "KEY",
    "EVERSTEP_BUCKET": "everstep-payloads",
    "EVERSTEP_CORS_ORIGINS": "",
    "EVERSTEP_DEPLOYMENT": "everstep",
    "EVERSTEP_INLINE_LIMIT_BYTES": "32768",
    "EVERSTEP_LOG_LEVEL": "INFO",
    "EVERSTEP_MASK": "",
    "EVERSTEP_MAX_CONCURRENT_RUNS": "",
    "EVERSTEP_MAX_CONCURRENT_RUNS_OF": "",
    "EVERSTEP_MAX_PAYLOAD_BYTES": "5242880",
    "EVERSTEP_METRICS": "on",
    "EVERSTEP_PAYLOAD_CODEC": "plain",
    "EVERSTEP_PAYLOAD_KEY": "",
    "EVERSTEP_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/111122223333/everstep",
    "EVERSTEP_RETENTION_DAYS": "",
    "EVERSTEP_RUN_LOG_LEVEL": "INFO",
    "EVERSTEP_RUN_TIMEOUT_SECONDS": "",
    "EVERSTEP_START_GRACE_SECONDS": "420",
    "EVERSTEP_STEP_TIMEOUT_SECONDS": "",
    "EVERSTEP_STEPS_PER_MESSAGE": "",
    "EVERSTEP_TABLE": "everstep",
    "EVERSTEP_WATCHDOG_SECONDS": "21600",
    "EVERSTEP_WORKFLOWS": "flows",
    "POWERTOOLS_SERVICE_NAME": "everstep",
}
"""What the template tells every function, with its defaults."""

LAMBDA: Final = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_SESSION_TOKEN": "example",
    # Nobody's own configuration.
    "HOME": "/nonexistent",
    "PATH": "/usr/bin:/bin",
}
"""What Lambda tells every function; with credentials, or the SDK would look for some elsewhere."""

# `site` and what it loads belong to the bare interpreter, though -S is needed to keep it from
# adding the folder of packages that happens to be on this machine.
SDK: Final = "the SDK alone"
"""What any function pays that reads a table and sends messages: a yardstick."""

_SDK: Final = """
import botocore.session
session = botocore.session.Session()
for service in ("dynamodb", "sqs"):
    session.create_client(service)
"""
_PROGRAM: Final = """
import os, site, sys, time
sys.path[0:0] = {path!r}
before = set(sys.modules)
wall, cpu = time.perf_counter(), time.process_time()
{start}
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
import json
loaded = sorted(set(sys.modules) - before - {{"handler"}})
print(json.dumps({{"cpu_ms": cpu * 1000, "wall_ms": wall * 1000, "modules": loaded}}))
"""
# Python's own -X importtime tells wall clock, which says little where others are at work.
_TIMED: Final = """
import importlib.machinery as machinery, time
inner, own = [0.0], {{}}
def timed(loader):
    run = loader.exec_module
    def exec_module(self, module):
        inner.append(0.0)
        before = time.process_time()
        try:
            run(self, module)
        finally:
            took = time.process_time() - before
            own[module.__name__] = (took - inner.pop()) * 1000
            inner[-1] += took
    loader.exec_module = exec_module
timed(machinery.SourceFileLoader)
timed(machinery.ExtensionFileLoader)
"""
_PRINTED: Final = """
print(json.dumps(own))
"""
_OURS: Final = "everstep"


def start(artifact: Artifact, function: str) -> dict[str, Any]:
    """Start a process once; return its CPU and wall milliseconds and the modules it has loaded."""
    started: dict[str, Any] = json.loads(_printed(artifact, function, _PROGRAM))
    return started


def own_times(artifact: Artifact, function: str) -> dict[str, float]:
    """Return the processor time that each module took by itself, in milliseconds."""
    found: dict[str, float] = json.loads(_printed(artifact, function, _TIMED + _PROGRAM + _PRINTED))
    return found


def by_package(modules: Iterable[str]) -> dict[str, list[str]]:
    """Group modules by what they belong to: a package, or a part of the engine."""
    found: dict[str, list[str]] = {}
    for name in modules:
        parts = name.split(".")
        found.setdefault(".".join(parts[: 2 if parts[0] == _OURS else 1]), []).append(name)
    return found


def _printed(artifact: Artifact, function: str, program: str) -> str:
    """Return the last line of what a start prints."""
    path = artifact.path("step_executor" if function == SDK else function)
    text = program.format(path=path, start=_SDK if function == SDK else "import handler")
    ended = subprocess.run(
        # Nothing of this machine; and nothing is written: Lambda's file system is read-only.
        [artifact.interpreter, "-I", "-S", "-B", "-c", text],
        cwd=path[0],
        env={**LAMBDA, **ENVIRONMENT},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return ended.stdout.splitlines()[-1]
