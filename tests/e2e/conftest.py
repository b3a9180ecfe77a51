"""One deployed stack for every test of this folder, and a server that counts effects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from examples.services.everything import Services
from examples.services.loopback import Loopback
from tests.e2e.stack import Stack, deploy
from tests.examples.effects import EffectServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep_localstack import LocalStack


@pytest.fixture(scope="session")
def stack(
    localstack_server: LocalStack,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[Stack]:
    """Deploy once for all tests of this folder."""
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    say = reporter.write_line if reporter is not None else print
    deployed = deploy(localstack_server, tmp_path_factory.mktemp("layer"), say)
    yield deployed
    deployed.http.close()


@pytest.fixture
def effects() -> Iterator[EffectServer]:
    """Count what steps do."""
    with EffectServer() as server:
        yield server


@pytest.fixture
def services() -> Services:
    """Give the services that the examples talk to, which nobody has called."""
    return Services()


@pytest.fixture
def url(services: Services) -> Iterator[str]:
    """Serve them on loopback, where functions on LocalStack reach them."""
    with Loopback(services) as server:
        yield server.url
