"""Mails of the examples: one per step, however often the step is executed."""

from __future__ import annotations

from pydantic import HttpUrl  # noqa: TC002 - annotations of steps are looked up

from everstep import Retry, step
from workflows.services import call

_PATIENT = Retry(max_attempts=10, initial_delay=1)


@step(retry=_PATIENT, timeout=15)
def send_mail(server: HttpUrl, to: str, subject: str, token: str | None = None) -> str:
    """Send a mail; with a callback token, which its link holds, its reader can answer."""
    body = {"to": to, "subject": subject, "token": token}
    return str(call("POST", server, "messages", body=body)["id"])
