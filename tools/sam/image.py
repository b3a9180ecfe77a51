"""The image in which `sam local invoke` runs functions: pulled, else made of this machine's Python.

No registry is needed for the second: the image holds a Python with its standard library, the
libraries that both load, a shell, and what Lambda brings along. It is laid out as AWS's is, and
named as nobody else's, so that it is never taken for that.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tools.sam.cli import ARCHITECTURE, SamError
from tools.sam.runtime import lay_runtime

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tools.sam.engine import Engine
    from tools.sam.runtime import Interpreter

_PULL_SECONDS: Final = 60
# What compiled modules of a layer may load, beside what this Python does.
_SYSTEM: Final = (
    "rt",
    "pthread",
    "dl",
    "util",
    "m",
    "resolv",
    "nss_files",
    "nss_dns",
    "gcc_s",
    "stdc++",
)
_LIBRARY: Final = re.compile(r"/[^ ]+\.so[^ ]*")
# What SAM's own layers of the image call: mv and chmod, by a shell.
_TOOLS: Final = ("sh", "mv", "cp", "rm", "mkdir", "chmod", "cat", "env")
_FOLDERS: Final = (
    *("bin", "dev", "etc", "lib", "lib64", "opt", "proc", "root", "sys", "tmp", "usr/bin"),
    *("var/lang/bin", "var/lang/lib", "var/runtime", "var/task", "var/rapid"),
)
_LEFT_OUT: Final = ("test", "site-packages", "dist-packages", "__pycache__", "config-*", "*.a")
_BOOTSTRAP: Final = """#!/bin/sh
export LANG=C.UTF-8 TZ=":UTC" AWS_EXECUTION_ENV=AWS_Lambda_python{version}
export PYTHONPATH="/var/task:/opt/python/lib/python{version}/site-packages:/opt/python:/var/runtime"
exec /var/lang/bin/python{version} -s -m awslambdaric "$_HANDLER"
"""
_CHANGES: Final = (
    "WORKDIR /var/task",
    "ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
    "ENV LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/task/lib:/opt/lib",
    'ENTRYPOINT ["/var/runtime/bootstrap"]',
)


@contextmanager
def base_image(engine: Engine, interpreter: Interpreter, work: Path) -> Iterator[str]:
    """Give the name of an image to run functions in; one that was made here is removed again.

    Raises:
        SamError: It could be neither pulled nor made.
    """
    official = f"public.ecr.aws/lambda/python:{interpreter.version}-{ARCHITECTURE}"
    if _present(engine, official) or _pulled(engine, official):
        yield official
        return
    made = f"everstep/lambda-python:{interpreter.version}-{ARCHITECTURE}"
    _import(engine, lay_root(interpreter, work / "root"), made)
    try:
        yield made
    finally:
        engine.docker("image", "rm", "--force", made)


def lay_root(interpreter: Interpreter, root: Path) -> Path:
    """Lay out the files of the image in a folder, and return it."""
    shutil.rmtree(root, ignore_errors=True)
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    version = interpreter.version
    program = root / "var/lang/bin" / f"python{version}"
    shutil.copy(interpreter.program, program)
    shutil.copytree(
        interpreter.stdlib,
        root / "var/lang/lib" / f"python{version}",
        ignore=shutil.ignore_patterns(*_LEFT_OUT),
        symlinks=True,
        ignore_dangling_symlinks=True,
    )
    lay_runtime(interpreter, root / "var/runtime")
    tools = _lay_tools(root)
    _lay_libraries(root, [*tools, interpreter.program, *root.rglob("*.so")])
    _lay_settings(root, version)
    return root


def _lay_tools(root: Path) -> list[Path]:
    tools = [Path(found) for name in _TOOLS if (found := shutil.which(name))]
    for tool in tools:
        shutil.copy(tool, root / "bin" / tool.name)
    (root / "usr/bin/env").symlink_to("/bin/env")
    return tools


def _lay_libraries(root: Path, programs: Iterable[Path]) -> None:
    """Copy every shared library that the programs load, to the place where they look for it."""
    listed = subprocess.run(
        ["ldd", *map(str, programs)], capture_output=True, text=True, check=False
    )
    found = {Path(each) for each in _LIBRARY.findall(listed.stdout)}
    for folder in {each.parent for each in found if each.name == "libc.so.6"}:
        found.update(each for name in _SYSTEM for each in folder.glob(f"lib{name}.so.*"))
    for library in sorted(found):
        if library.is_relative_to(root) or not library.is_file():
            continue
        target = root / library.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)


def _lay_settings(root: Path, version: str) -> None:
    bootstrap = root / "var/runtime/bootstrap"
    bootstrap.write_text(_BOOTSTRAP.format(version=version), encoding="utf-8")
    bootstrap.chmod(0o755)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", encoding="utf-8")
    (root / "etc/group").write_text("root:x:0:\n", encoding="utf-8")
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n", encoding="utf-8")


def _present(engine: Engine, name: str) -> bool:
    return engine.docker("image", "inspect", name).returncode == 0


def _pulled(engine: Engine, name: str) -> bool:
    try:
        return engine.docker("pull", "--quiet", name, timeout=_PULL_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _import(engine: Engine, root: Path, name: str) -> None:
    changes = [part for each in _CHANGES for part in ("--change", each)]
    command = ["docker", "import", *changes, "-", name]
    environment = {**os.environ, **engine.variables}
    with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as packed:
        done = subprocess.run(
            command,
            stdin=packed.stdout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SamError(f"the image could not be made: {done.stderr}")
