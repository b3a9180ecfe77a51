"""Lay the workload and the metering into a workflows layer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("bench.workload", "bench.metering")
"""To be named in the template's parameter `Workflows`."""


def add_to(layer: Path) -> None:
    """Add what `PACKAGES` names to the folder of a layer."""
    place = layer / "python" / "bench"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "bench/metering", place / "metering", ignore=ignored, dirs_exist_ok=True)
    shutil.copy(ROOT / "bench/workload.py", place)


def make(layer: Path) -> Path:
    """Make a layer of the examples, the workload and the metering; return its folder."""
    shutil.copytree(ROOT / "layers/workflows/python", layer / "python", dirs_exist_ok=True)
    add_to(layer)
    return layer
