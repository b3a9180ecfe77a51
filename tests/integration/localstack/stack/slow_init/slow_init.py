"""A function that takes too long to load."""

from __future__ import annotations

import time
from typing import Any

time.sleep(60)


def handler(_event: dict[str, Any], _context: object) -> None:
    """Never be reached."""
