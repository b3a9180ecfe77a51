"""The API over the network: what can be repeated harmlessly is repeated until it is answered."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from everstep.app.capacity import TooManyRunsError
from everstep.client.errors import MissingExtraError, NoAnswerError, of_problem
from everstep.client.transport import Answer, shown
from everstep.core.codec import dumps
from everstep.core.errors import InvalidRequestError
from everstep.http.problems import TABLE, TYPE

try:
    import httpx
    import tenacity
except ImportError as error:
    raise MissingExtraError(
        f"a client over HTTP needs {error.name}: pip install 'everstep[client]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from everstep.client.transport import Call

ATTEMPTS: Final = 6
_CONNECT_SECONDS: Final = 5
_PAUSE: Final = tenacity.wait_random_exponential(multiplier=0.5, max=10)
_LONGEST_PAUSE: Final = 60
_REFUSED_UNREAD: Final = 429
_UNAVAILABLE: Final = frozenset({_REFUSED_UNREAD, 502, 503, 504})
_ERRORS: Final = 400
_TOO_MANY_RUNS: Final = TYPE + TABLE[TooManyRunsError].name
# The request was not sent, so nothing can have come of it.
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class HttpTransport:
    """Send calls to a deployment's API."""

    def __init__(  # noqa: PLR0913 - each by name
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        timeout: float,
        attempts: int = ATTEMPTS,
        auth: httpx.Auth | None = None,
        network: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare for calls; nothing is sent yet.

        Args:
            url: Where the API is, its stage included.
            headers: What every call says.
            timeout: Seconds to wait for an answer, beside what a call's patience adds.
            attempts: How often a call is sent at most.
            auth: Signs requests.
            network: What to send with, in place of sockets.
            sleep: Waits for so many seconds.

        Raises:
            InvalidRequestError: The address is none of HTTP.
        """
        if not url.startswith(("http://", "https://")):
            raise InvalidRequestError(f"the url must begin with http:// or https://, not {url!r}")
        self._timeout = timeout
        self._http = httpx.Client(base_url=url, headers=dict(headers), auth=auth, transport=network)
        self._repeat = tenacity.Retrying(
            sleep=sleep,
            wait=_pause,
            stop=tenacity.stop_after_attempt(attempts),
            reraise=True,
        )

    def send(self, call: Call) -> Answer:
        """Return the answer to a call, see ``Transport``."""
        again = tenacity.retry_if_exception(lambda error: _may_repeat(call, error))
        return self._repeat.copy(retry=again)(self._once, call)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _once(self, call: Call) -> Answer:
        operation = f"{call.method} {shown(call.path)}"
        try:
            answer = self._http.send(self._request(call))
        except httpx.TransportError as error:
            raise NoAnswerError(
                f"{operation}: {type(error).__name__}: {error}",
                carried_out=not isinstance(error, _NOT_SENT),
                retry_after=None,
            ) from error
        return _read(operation, answer)

    def _request(self, call: Call) -> httpx.Request:
        content = None if call.body is None else dumps(call.body).encode()
        sent = {} if content is None else {"Content-Type": "application/json"}
        timeout = httpx.Timeout(self._timeout + call.patience, connect=_CONNECT_SECONDS)
        return self._http.build_request(
            call.method,
            call.path,
            params=list(call.query),
            headers=sent | dict(call.headers),
            content=content,
            timeout=timeout,
        )


def _read(operation: str, answer: httpx.Response) -> Answer:
    body = _data(answer)
    # What a gateway refuses, it lets through a moment later; room for a run may take hours.
    full = body.get("type") == _TOO_MANY_RUNS
    if answer.status_code in _UNAVAILABLE and not full:
        said = body.get("detail") or body.get("message") or answer.reason_phrase
        raise NoAnswerError(
            f"{operation}: {answer.status_code}: {said}",
            carried_out=answer.status_code != _REFUSED_UNREAD,
            retry_after=_retry_after(answer.headers.get("Retry-After")),
        )
    if answer.status_code >= _ERRORS:
        raise of_problem(operation, answer.status_code, body)
    return Answer(status=answer.status_code, body=body)


def _data(answer: httpx.Response) -> Mapping[str, Any]:
    """Return the object that the body is; what is none says nothing."""
    try:
        data = answer.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _may_repeat(call: Call, error: BaseException) -> bool:
    return isinstance(error, NoAnswerError) and (call.repeatable or not error.carried_out)


def _pause(state: tenacity.RetryCallState) -> float:
    """Return how long to wait: a growing time of chance, and not less than was asked for."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, NoAnswerError) else None
    return max(_PAUSE(state), min(asked or 0, _LONGEST_PAUSE))


def _retry_after(header: str | None) -> float | None:
    """Return the seconds that the header means, which may also be a date."""
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max((when.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0)
