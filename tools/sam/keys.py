"""An API key of a stack on LocalStack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.local_key import make_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep_localstack import LocalStack


def api_key(server: LocalStack, outputs: Mapping[str, str]) -> str:
    """Make a key that may do everything, in the table of a deployed stack; return it."""
    return make_key(server, outputs["TableName"], "tools", ["admin"])
