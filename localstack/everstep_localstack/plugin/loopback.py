"""Listen on the configured address only.

LocalStack reads the host of `GATEWAY_LISTEN` and then listens on every interface: anybody on the
network could run code here, as Lambda functions.
"""

from __future__ import annotations

from typing import Any, Final

from localstack.runtime.server import twisted as server

ADDRESS: Final = "127.0.0.1"
ENDPOINTS: Final = server.endpoints


class _Endpoints:
    """Stand-in for Twisted's module `endpoints`, as LocalStack's server sees it."""

    TCP6ServerEndpoint = ENDPOINTS.TCP6ServerEndpoint

    @staticmethod
    def TCP4ServerEndpoint(reactor: Any, port: int) -> Any:  # noqa: ANN401, N802 - Twisted's
        """Return an endpoint that this machine alone can reach."""
        return ENDPOINTS.TCP4ServerEndpoint(reactor, port, interface=ADDRESS)


def install() -> None:
    """Replace how LocalStack's server opens its port."""
    server.endpoints = _Endpoints
