"""Loggers that say where they log from, beside what the user adds."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import MutableMapping


_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has."""


def said_beside(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a record says beside its text: what was given as ``extra``."""
    return {name: value for name, value in vars(record).items() if name not in _OWN}


@cache
def named(name: str) -> logging.Logger:
    """Return the logger of a name, without the lock of ``logging`` from the second time on."""
    return logging.getLogger(name)


class ContextLogger(logging.LoggerAdapter[logging.Logger]):
    """Adds its own fields to every record and keeps those of the caller's ``extra``."""

    def process(
        self,
        msg: Any,  # noqa: ANN401 - as logging has it
        kwargs: MutableMapping[str, Any],
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Merge the fields; the logger's own win."""
        kwargs["extra"] = {**(kwargs.get("extra") or {}), **(self.extra or {})}
        return msg, kwargs
