"""The SAM CLI of the project: where it is, and what it is called with."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from everstep_localstack.instance import PROJECT, home
from everstep_localstack.stacks import CREDENTIALS, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NOWHERE: Final = "http://127.0.0.1:9"
"""An address that nobody listens on."""
ARCHITECTURE: Final = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
"""Of this machine, in AWS's words."""
TEMPLATE: Final = PROJECT / "template.yaml"


class SamError(Exception):
    """The SAM CLI is missing or failed; the message holds what it said."""


def sam() -> Path:
    """Return the SAM CLI's program.

    Raises:
        SamError: It is not installed.
    """
    program = home() / "venvs/sam/bin/sam"
    if not program.exists():
        raise SamError(f"there is no {program}: run `make venv-sam` first")
    return program


def emulator() -> Path:
    """Return the runtime interface emulator that the SAM CLI brings along.

    Raises:
        SamError: It is not where this version of the SAM CLI has it.
    """
    name = f"samcli/local/rapid/aws-lambda-rie-{ARCHITECTURE}"
    for found in sam().parent.parent.glob(f"lib/python3*/site-packages/{name}"):
        return found
    raise SamError(f"the SAM CLI in {sam().parent} has no {name}")


def quiet(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment with which SAM asks nobody anything.

    A made-up account, and no look at STS, at the metadata service, at a person's profile, or for a
    newer version: each of them costs seconds or tells somebody.
    """
    return {
        **os.environ,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_CHECK_VERSION": "0",
        "AWS_ACCESS_KEY_ID": CREDENTIALS,
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_ENDPOINT_URL_STS": NOWHERE,
        **(variables or {}),
    }


def run(
    command: Sequence[str | Path], *, folder: Path = PROJECT, variables: Mapping[str, str]
) -> str:
    """Run a program to its end and return what it printed.

    Raises:
        SamError: It failed; with all that it printed.
    """
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        line = " ".join(map(str, command))
        raise SamError(f"{line} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(folder: Path, runtime: str, architecture: str = ARCHITECTURE) -> Path:
    """Run `sam build` for one Python and one processor, and return the built template.

    Raises:
        SamError: The build failed; with all that it printed.
    """
    variables = quiet({"RUNTIME": runtime, "ARCHITECTURE": architecture})
    overrides = (f"Runtime={runtime}", f"Architecture={architecture}")
    cache = home() / "cache" / "sam"
    run(
        (sam(), "build", "--template-file", TEMPLATE, "--build-dir", folder, "--cached",
         "--cache-dir", cache, "--parameter-overrides", *overrides),
        variables=variables,
    )  # fmt: skip
    return folder / "template.yaml"


def main_error(error: Exception) -> int:
    """Tell a person what went wrong, and return the exit code."""
    print(f"error: {error}", file=sys.stderr)
    return 1
