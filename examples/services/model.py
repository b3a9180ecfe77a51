"""A stand-in for a language model: it answers with the first sentence of what it is given.

It speaks as much of the chat completions format as the example needs, and limits its clients as
real ones do. It also holds a document that is long enough to be worth a summary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from examples.services.loopback import Answer, Request

PARAGRAPHS: Final = 120


def document() -> str:
    """Return a text of some 60 kB, in paragraphs."""
    return "\n\n".join(
        f"Finding {number} is that {'very ' * (number % 7)}durable work survives. "
        + "The evidence fills the rest of this paragraph. " * 9
        for number in range(1, PARAGRAPHS + 1)
    )


@dataclass(slots=True, kw_only=True)
class Model:
    """Gives ``GET /document``; completes with ``POST /v1/chat/completions``.

    Attributes:
        refusals: How many more requests are answered 429.
        retry_after: Seconds that it asks for then.
        completions: How many it has made, repeated ones included.
    """

    refusals: int = 0
    retry_after: int = 20
    completions: int = 0

    def answer(self, request: Request) -> Answer:
        """Give the document, or complete."""
        if request.path == ("document",):
            return Answer(body={"text": document()})
        if self.refusals:
            self.refusals -= 1
            headers = {"Retry-After": str(self.retry_after)}
            return Answer(status=429, body={"error": "slow down"}, headers=headers)
        text = request.body["messages"][-1]["content"]
        if not text.strip():
            return Answer(status=400, body={"error": "nothing to complete"})
        self.completions += 1
        return Answer(body=_completion(text))


def _completion(text: str) -> dict[str, Any]:
    summary = f"{text.partition('.')[0].strip()}."
    return {
        "choices": [{"message": {"role": "assistant", "content": summary}}],
        "usage": {"total_tokens": len(text.split()) + len(summary.split())},
    }
