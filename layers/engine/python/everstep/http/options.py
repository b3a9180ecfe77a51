"""What a trigger is asked beside the input: query parameters or headers as options of a start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, TypeVar

from pydantic import Field
from typing_extensions import override

from everstep.app.options import LONGEST_REFERENCE_ID, LONGEST_WHO, MOST_TAGS, StartOptions
from everstep.core.errors import InvalidOptionError
from everstep.core.trace_context import LONGEST_CORRELATION_ID
from everstep.http.contract import DOLLARS, SECONDS, Asked, IdempotencyKey, Instant, header_name
from everstep.http.faults import wrong_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from everstep.core.errors import EverstepError, InvalidRequestError
    from everstep.http.requests import Request

TAG: Final = "tag"
_SHOWN: Final = 40
_PREFIX: Final = "everstep_"
_OF_REQUESTS: Final = frozenset({"idempotency_key", "everstep_actor"})
T = TypeVar("T")

Version = Annotated[str, Field(description="The version to start on; the highest if absent.")]
ReferenceId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_REFERENCE_ID,
        description="The caller's own name: one run that has not ended has it, or none.",
    ),
]
OnConflict = Annotated[
    Literal["error", "existing"],
    Field(description="If a run has the reference id: refuse, or answer with that run."),
]
Delay = Annotated[float, Field(ge=0, description="Begin so many seconds later."), SECONDS]
At = Annotated[Instant, Field(description="Begin at this time, ISO 8601 with its zone.")]
Timeout = Annotated[float, Field(gt=0, description="Seconds that the run may take."), SECONDS]
Retention = Annotated[
    float, Field(ge=3600, description="Seconds that the run is kept after its end."), SECONDS
]
Budget = Annotated[
    float,
    Field(gt=0, description="Dollars that the run may cost; as the workflow says if absent."),
    DOLLARS,
]
CorrelationId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_CORRELATION_ID,
        description="The caller's own mark on everything that belongs together.",
    ),
]
Traceparent = Annotated[
    str, Field(description="The trace that it belongs to, as W3C writes it; else it is ignored.")
]
Tags = Annotated[
    tuple[str, ...],
    Field(description="`name:value`: names up to 64, values up to 128 characters; repeatable."),
]


class _Options(Asked):
    @classmethod
    @override
    def refused(cls, name: str, said: str, errors: Sequence[Mapping[str, Any]]) -> EverstepError:
        if name in cls.model_fields and name not in _OF_REQUESTS:
            return InvalidOptionError(name.removeprefix(_PREFIX).removeprefix("x_"), said)
        return super().refused(name, said, errors)


class StartQuery(_Options):
    """Query of a start."""

    repeatable: ClassVar[frozenset[str]] = frozenset({TAG})

    version: Version | None = None
    reference_id: ReferenceId | None = None
    on_conflict: OnConflict | None = None
    delay: Delay | None = None
    at: At | None = None
    tag: Annotated[Tags, Field(max_length=MOST_TAGS)] = ()
    timeout: Timeout | None = None
    retention: Retention | None = None
    budget: Budget | None = None


class StartHeaders(_Options):
    """Headers of a start: the same options, where that is easier, and the idempotency key."""

    idempotency_key: IdempotencyKey | None = None
    everstep_version: Version | None = None
    everstep_reference_id: ReferenceId | None = None
    everstep_on_conflict: OnConflict | None = None
    everstep_delay: Delay | None = None
    everstep_at: At | None = None
    everstep_timeout: Timeout | None = None
    everstep_retention: Retention | None = None
    everstep_budget: Budget | None = None
    everstep_actor: str | None = Field(
        None, min_length=1, max_length=LONGEST_WHO, description="Who asks, for the audit."
    )
    x_correlation_id: CorrelationId | None = None
    traceparent: Traceparent | None = None


def start_options(request: Request) -> StartOptions:
    """Return the options of a request.

    Raises:
        InvalidOptionError: A text is no tag, or a name comes twice.
        InvalidRequestError: A header contradicts its query parameter.
    """
    query, headers = request.given(StartQuery), request.given(StartHeaders)

    def either(name: str, asked: T | None, told: T | None) -> T | None:
        if asked is not None and told is not None and asked != told:
            raise _contradiction(name)
        return told if asked is None else asked

    return StartOptions(
        version=either("version", query.version, headers.everstep_version),
        idempotency_key=headers.idempotency_key,
        reference_id=either("reference_id", query.reference_id, headers.everstep_reference_id),
        on_conflict=either("on_conflict", query.on_conflict, headers.everstep_on_conflict)
        or "error",
        delay=either("delay", query.delay, headers.everstep_delay),
        at=either("at", query.at, headers.everstep_at),
        tags=read_tags(query.tag),
        timeout=either("timeout", query.timeout, headers.everstep_timeout),
        retention=either("retention", query.retention, headers.everstep_retention),
        budget=either("budget", query.budget, headers.everstep_budget),
        correlation_id=headers.x_correlation_id,
        traceparent=headers.traceparent,
    )


def read_tags(texts: Iterable[str]) -> dict[str, str]:
    """Return the tags of texts such as ``customer:4711``.

    Raises:
        InvalidOptionError: A text is no tag, or a name comes twice.
    """
    tags: dict[str, str] = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon:
            raise InvalidOptionError(TAG, f"tag must be name:value, not {text[:_SHOWN]!r}")
        if tags.setdefault(name, value) != value:
            raise InvalidOptionError(TAG, f"tag {name[:_SHOWN]!r} was given two values")
    return tags


def _contradiction(name: str) -> InvalidRequestError:
    header = header_name(_PREFIX + name)
    what = "versions" if name == "version" else "values"
    said = f"the query parameter {name} and the header {header} name different {what}"
    mistakes = [{"loc": [place, name], "msg": said, "type": "differs"} for place in _PLACES]
    return wrong_request(said, mistakes)


_PLACES: Final = ("query", "header")
