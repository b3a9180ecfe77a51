"""One deployed stack for every test of this folder, and a server that counts effects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.stack import Stack, start
from tests.examples.effects import EffectServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Stack]:
    """Deploy once; stop LocalStack at the end, whatever happened."""
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    say = reporter.write_line if reporter is not None else print
    deployed: Stack | None = None
    try:
        deployed = start(tmp_path_factory.mktemp("layer"), say)
        yield deployed
    finally:
        if deployed is not None:
            deployed.http.close()
            deployed.server.stop()


@pytest.fixture
def effects() -> Iterator[EffectServer]:
    """Count what steps do."""
    with EffectServer() as server:
        yield server
