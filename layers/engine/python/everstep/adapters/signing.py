"""Requests to API Gateway signed with AWS credentials (Signature Version 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from everstep.adapters.aws_errors import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVICE: Final = "execute-api"


class AwsIdentity:
    """Who the AWS configuration says one is, as a ``boto3.Session`` tells it."""

    def __init__(self, profile: str | None, region: str | None) -> None:
        """Read the configuration; None for what it says by itself.

        Raises:
            AdapterError: There is no such profile.
        """
        import botocore.session

        with translated("AWS credentials"):
            self._session: Any = botocore.session.Session(profile=profile)
            self.region_name: str | None = region or self._session.get_config_variable("region")

    def get_credentials(self) -> Any:  # noqa: ANN401 - botocore's own are not typed
        """Return the credentials; None if there are none."""
        with translated("AWS credentials"):
            return self._session.get_credentials()


def signed_headers(
    credentials: Any,  # noqa: ANN401 - botocore's own are not typed
    region: str,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
) -> dict[str, str]:
    """Return the headers of a request with its signature among them.

    Args:
        credentials: Botocore's; they renew themselves as they expire.
        region: The region of the API.
        method: The request's.
        url: The request's, query included.
        headers: Those to be signed; others may change on the way.
        body: The request's.
    """
    request = AWSRequest(method, url, data=body, headers=dict(headers))
    SigV4Auth(credentials.get_frozen_credentials(), _SERVICE, region).add_auth(request)
    return dict(request.headers.items())
