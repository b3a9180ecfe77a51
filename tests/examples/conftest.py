"""The services that the examples talk to: over HTTP, or called directly where speed counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from examples.services.everything import Services
from examples.services.loopback import Loopback, request_of
from workflows import services as calling
from workflows.outgoing import HttpStatusError

if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECT: Final = "http://services.test"


@pytest.fixture
def services() -> Services:
    """Give services that nobody has called."""
    return Services()


@pytest.fixture
def url(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the services on loopback, which steps may call as on LocalStack."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    with Loopback(services) as server:
        yield server.url


class Direct:
    """The services without a network, for hundreds of runs; each may have new ones."""

    url: Final = DIRECT

    def __init__(self) -> None:
        """Begin with new services."""
        self.services = Services()

    def renew(self) -> None:
        """Put services that nobody has called in place of the old."""
        self.services = Services()

    def request_json(self, method: str, url: str, body: object = None, *, key: str) -> Any:  # noqa: ANN401 - JSON
        """Stand in for the function of the same name that makes HTTP requests."""
        answer = self.services.answer(request_of(method, url.removeprefix(DIRECT), key, body))
        if answer.status >= 300:
            after = answer.headers.get("Retry-After")
            raise HttpStatusError(method, "services", answer.status, int(after) if after else None)
        return answer.body


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> Direct:
    """Give services that are called without a network."""
    stand_in = Direct()
    monkeypatch.setattr(calling, "request_json", stand_in.request_json)
    return stand_in
