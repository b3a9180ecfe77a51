"""Importing this module begins to record; only function processes on LocalStack import it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.client import BaseClient
from botocore.httpsession import URLLib3Session

from bench.metering.recorder import Recorder
from everstep.core import messages

if TYPE_CHECKING:
    from collections.abc import Callable

# LocalStack's folder, which every process of an instance is told; on AWS nothing is recorded.
_INSTANCE = os.environ.get("EVERSTEP_LOCALSTACK_INSTANCE")


def _install(instance: str) -> None:
    folder = Path(instance) / "metering"
    folder.mkdir(exist_ok=True)
    recorder = Recorder(folder / f"{os.getpid()}.jsonl")
    # On the classes: the engine makes its clients before it imports what defines workflows.
    _wrap(BaseClient, "_make_api_call", recorder.call)
    _wrap(URLLib3Session, "send", recorder.transfer)
    _wrap(messages, "decode", recorder.decoding)


def _wrap(holder: object, name: str, wrapper: Callable[[Any], Any]) -> None:
    setattr(holder, name, wrapper(getattr(holder, name)))


if _INSTANCE:
    _install(_INSTANCE)
