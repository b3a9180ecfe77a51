"""The first API key of a stack on LocalStack, made at its table as `everstep keys create` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.adapters.dynamodb.api_keys import DynamoKeys
from everstep.adapters.system import SystemClock, SystemIds
from everstep.app.keys import KeyRequest, Keys, create_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from types_boto3_dynamodb.client import DynamoDBClient

    from everstep_localstack import LocalStack


def make_key(server: LocalStack, table: str, name: str, scopes: Iterable[str]) -> str:
    """Return a new key for the API of the stack that has this table."""
    dynamodb: DynamoDBClient = server.session().client("dynamodb", endpoint_url=server.endpoint_url)
    keys = Keys(store=DynamoKeys(dynamodb, table), clock=SystemClock(), ids=SystemIds())
    return create_key(keys, KeyRequest(name=name, scopes=scopes)).text
