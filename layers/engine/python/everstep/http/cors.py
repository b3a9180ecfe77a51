"""Which pages of other origins a browser lets read the answers (CORS); none by default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

ANYBODY: Final = "*"
_MAX_AGE: Final = 600
_SENT: Final = (
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Traceparent, X-Api-Key, "
    "X-Amz-Content-Sha256, X-Amz-Date, X-Amz-Security-Token, X-Correlation-Id, "
    "Everstep-Actor, Everstep-At, Everstep-Budget, Everstep-Delay, Everstep-On-Conflict, "
    "Everstep-Reference-Id, Everstep-Retention, Everstep-Timeout, Everstep-Version"
)
_READ: Final = "Allow, ETag, Location, Retry-After, X-Request-Id"


@dataclass(frozen=True, slots=True)
class Cors:
    """The origins that may; cookies are never sent, because nothing here looks at any."""

    origins: tuple[str, ...] = ()

    def headers(self, request: Mapping[str, str], allow: str | None = None) -> dict[str, str]:
        """Return what is added to an answer.

        Args:
            request: Headers of the request, by lower-case name.
            allow: The methods of the path, for the answer to OPTIONS.
        """
        if not self.origins:
            return {}
        # Caches keep the answers of different origins apart.
        vary = {} if ANYBODY in self.origins else {"Vary": "Origin"}
        origin = request.get("origin")
        if origin is None or not {origin, ANYBODY} & set(self.origins):
            return vary
        allowed = ANYBODY if ANYBODY in self.origins else origin
        shown = {"Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": _READ}
        if allow is not None and "access-control-request-method" in request:
            shown |= {
                "Access-Control-Allow-Methods": allow,
                "Access-Control-Allow-Headers": _SENT,
                "Access-Control-Max-Age": str(_MAX_AGE),
            }
        return vary | shown


NO_CORS: Final = Cors()
