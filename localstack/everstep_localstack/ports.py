"""Find out whether a port is free, and who holds it if not (Linux only)."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final

from everstep_localstack.processes import command_line

_LISTENING: Final = "0A"
_LOCAL_ADDRESS: Final = 1
_STATE: Final = 3
_INODE: Final = 9


def is_free(port: int) -> bool:
    """Say whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as candidate:
        # As servers do: a port whose connections were closed a moment ago is free.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Describe who listens on a port: process id and command, as far as this user may see."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and inodes & _open_files(entry / "fd"):
            return f"process {entry.name} ({command_line(int(entry.name))})"
    return "a process of another user"


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            here = int(fields[_LOCAL_ADDRESS].rpartition(":")[2], 16)
            if here == port and fields[_STATE] == _LISTENING:
                found.add(fields[_INODE])
    return found


def _open_files(folder: Path) -> set[str]:
    try:
        return {os.readlink(entry) for entry in folder.iterdir()}  # noqa: PTH115 - no path
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        # It has ended, or closed a file, meanwhile, or belongs to somebody else.
        return set()
