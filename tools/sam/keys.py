"""An API key of a stack on LocalStack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from everstep.app.keys import KeyRequest, create_key
from everstep.settings import Settings
from everstep.wiring import Clients, build_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.client import BaseClient

    from everstep_localstack import LocalStack


class _LocalClients(Clients):
    """Makes clients of one LocalStack, whatever the environment says."""

    def __init__(self, server: LocalStack) -> None:
        self._server = server

    @override
    def make(self, service: str) -> BaseClient:
        client: BaseClient = self._server.session().client(
            service, endpoint_url=self._server.endpoint_url
        )
        return client


def api_key(server: LocalStack, outputs: Mapping[str, str]) -> str:
    """Make a key that may do everything, in the table of a deployed stack; return it."""
    settings = Settings.read(
        {
            "EVERSTEP_TABLE": outputs["TableName"],
            "EVERSTEP_QUEUE_URL": outputs["QueueUrl"],
            "EVERSTEP_BUCKET": outputs["BucketName"],
        }
    )
    request = KeyRequest(name="tools", scopes=("admin",))
    return create_key(build_keys(settings, _LocalClients(server)), request).text
