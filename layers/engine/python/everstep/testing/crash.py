"""The death of a process, as an exception."""

from __future__ import annotations


class Crash(BaseException):
    """Raise this in a step to make the process die there, as far as the engine can tell."""
