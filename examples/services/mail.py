"""A mail server: one mail per idempotency key, however often it is asked to send it."""

from __future__ import annotations

from dataclasses import dataclass, field

from examples.services.loopback import Answer, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail, and the callback token that its link holds, if it has one."""

    to: str
    subject: str
    token: str | None


@dataclass(slots=True, kw_only=True)
class Mail:
    """Sends with ``POST /messages``.

    Attributes:
        letters: By idempotency key, in the order in which they were sent.
    """

    letters: dict[str, Letter] = field(default_factory=dict)

    def answer(self, request: Request) -> Answer:
        """Send, unless it was sent before."""
        body = request.body
        letter = Letter(to=body["to"], subject=body["subject"], token=body.get("token"))
        self.letters.setdefault(request.key, letter)
        return Answer(status=201, body={"id": f"mail-{list(self.letters).index(request.key) + 1}"})

    @property
    def subjects(self) -> list[str]:
        """Return the subjects, in order."""
        return [letter.subject for letter in self.letters.values()]

    def newest_token(self) -> str:
        """Return what the newest link holds.

        Raises:
            LookupError: No mail has a link.
        """
        tokens = [letter.token for letter in self.letters.values() if letter.token]
        return tokens[-1]
