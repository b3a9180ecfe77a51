"""Find out whether a port is free, and who holds it if not (Linux only)."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final

from everstep_localstack.processes import command_line

# 127.0.0.1, ::1 and ::ffff:127.0.0.1 as the kernel prints them on little-endian machines.
LOOPBACK: Final = frozenset(
    {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
)
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
    inodes = {f"socket:[{inode}]" for _, inode in _listeners(port)}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and inodes & _open_files(entry / "fd"):
            return f"process {entry.name} ({command_line(int(entry.name))})"
    return "a process of another user"


def is_private(port: int) -> bool:
    """Say whether everything that listens on a port listens on a loopback address."""
    return all(address in LOOPBACK for address, _ in _listeners(port))


def _listeners(port: int) -> list[tuple[str, str]]:
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            address, _, number = fields[_LOCAL_ADDRESS].rpartition(":")
            if int(number, 16) == port and fields[_STATE] == _LISTENING:
                found.append((address, fields[_INODE]))
    return found


def _open_files(folder: Path) -> set[str]:
    try:
        entries = list(folder.iterdir())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        # It has ended meanwhile, or belongs to somebody else.
        return set()
    return {target for entry in entries if (target := _target(entry)) is not None}


def _target(link: Path) -> str | None:
    try:
        return os.readlink(link)  # noqa: PTH115 - the target is no path
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        # Closed meanwhile, such as the file through which the folder was listed.
        return None
