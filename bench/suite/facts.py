"""What the machine is, without saying which one, and texts without its names."""

from __future__ import annotations

import os
import platform
import re
import socket
from pathlib import Path
from typing import Any, Final

_PATH: Final = re.compile(r"(?<![\w.])(?:/[\w.@+-]+){2,}/?")
_ADDRESS: Final = re.compile(r"\b[a-z][a-z+]*://\S+")
_KB_PER_GB: Final = 1024 * 1024


def machine() -> dict[str, Any]:
    """Return what figures depend on."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _field("/proc/cpuinfo", "model name"),
        "memory_gb": round(int(_field("/proc/meminfo", "MemTotal").split()[0]) / _KB_PER_GB),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": load(),
    }


def load() -> float:
    """Return how many processes wanted to run, on average of the last minute."""
    return round(os.getloadavg()[0], 2)


def scrubbed(text: str) -> str:
    """Return a text on one line without paths, addresses and this machine's name."""
    shown = _PATH.sub("…", _ADDRESS.sub("…", " ".join(text.split())))
    return shown.replace(socket.gethostname(), "…")


def _field(path: str, name: str) -> str:
    """Return what the first line of that name says; 0 if there is none."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "0"
