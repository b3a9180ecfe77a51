"""One suite over every way to reach a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from tests.contract.backends import Clients
from tests.unit.client.deployments import DEPLOYMENTS, deployed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep import Client
    from tests.unit.client.deployments import Deployment
    from tests.unit.http.world import World


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    with mock_aws():
        yield Clients(None)


@pytest.fixture(params=DEPLOYMENTS)
def deployment(request: pytest.FixtureRequest, clients: Clients) -> Iterator[Deployment]:
    with deployed(request.param, clients) as made:
        yield made


@pytest.fixture
def client(deployment: Deployment) -> Client:
    return deployment.client


@pytest.fixture
def world(deployment: Deployment) -> World:
    return deployment.world
