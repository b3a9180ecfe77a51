"""The shape of a language model pipeline: split, complete side by side, complete once more.

A completion is slow, costs money, is refused when there are too many, and comes out differently
every time. So each is a step: recorded when it is there, and never paid for again in a replay.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field, HttpUrl

from everstep import Context, Retry, RetryAfter, step, workflow
from workflows.outgoing import HttpStatusError
from workflows.services import call

_PATIENT = Retry(max_attempts=8, initial_delay=2, max_delay=120)
_TOO_MANY = 429
_A_WHILE = 10


class Request(BaseModel):
    """Which document to summarise by which model, in parts of how many characters."""

    model: HttpUrl
    document: HttpUrl
    part: int = Field(default=12_000, ge=100)
    at_once: int = Field(default=3, ge=1)


class Completion(BaseModel):
    """What the model has written, and what it has counted."""

    text: str
    tokens: int


class Summary(BaseModel):
    """The summary of the whole, of how many parts, and what all completions took."""

    text: str
    parts: int
    tokens: int


@step(retry=_PATIENT, timeout=30)
def fetch(document: HttpUrl) -> str:
    """Read the document; a long one is kept in the bucket, and a reference to it in the table."""
    return str(call("GET", document)["text"])


@step(retry=_PATIENT, timeout=50)
def complete(model: HttpUrl, instruction: str, text: str) -> Completion:
    """Ask the model; when it has too many clients, ask again when it says."""
    body = {
        "model": "any",
        "messages": [
            {"role": "system", "content": instruction},
            {"role": "user", "content": text},
        ],
    }
    try:
        answer: dict[str, Any] = call("POST", model, "v1", "chat", "completions", body=body)
    except HttpStatusError as error:
        if error.status != _TOO_MANY:
            raise
        raise RetryAfter(error.retry_after or _A_WHILE, "the model is busy") from error
    written = answer["choices"][0]["message"]["content"]
    return Completion(text=written, tokens=answer["usage"]["total_tokens"])


@workflow(name="document-summary")
async def document_summary(ctx: Context, request: Request) -> Summary:
    """Summarise the parts of a document side by side, then their summaries."""
    text = await ctx.step(fetch, request.document)
    parts = split(text, request.part)

    async def summary_of(ctx: Context, part: str) -> Completion:
        return await ctx.step(complete, request.model, "Summarise this part.", part)

    batch = await ctx.map(summary_of, parts, max_concurrency=request.at_once, name="parts")
    batch.raise_for_failure()
    together = "\n".join(each.text for each in batch.results)
    whole = await ctx.step(complete, request.model, "Summarise these summaries.", together)
    tokens = whole.tokens + sum(each.tokens for each in batch.results)
    return Summary(text=whole.text, parts=len(parts), tokens=tokens)


def split(text: str, longest: int) -> list[str]:
    """Split a text between paragraphs; a paragraph that is longer than allowed stays whole."""
    parts: list[str] = []
    for paragraph in text.split("\n\n"):
        if parts and len(parts[-1]) + len(paragraph) + 2 <= longest:
            parts[-1] += f"\n\n{paragraph}"
        else:
            parts.append(paragraph)
    return parts
