"""One suite per port, run against every implementation of it.

LocalStack is the one that the tests start, or any endpoint in EVERSTEP_TEST_ENDPOINT_URL.
"""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.contract import backends

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.backends import Backend

ENDPOINT = os.environ.get("EVERSTEP_TEST_ENDPOINT_URL")


@pytest.fixture(
    scope="module",
    params=["memory", "moto", pytest.param("localstack", marks=pytest.mark.localstack)],
)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Give one implementation of all ports; tests of a module share it, so names are unique."""
    if request.param == "memory":
        with backends.memory() as made:
            yield made
    elif request.param == "moto":
        with backends.moto() as made:
            yield made
    else:
        # Asked for by name here only: the other implementations need no server.
        endpoint = ENDPOINT or request.getfixturevalue("localstack_server").endpoint_url
        with backends.localstack(endpoint) as made:
            yield made


@pytest.fixture
def run_id() -> str:
    """Give the id of a run that no other test has."""
    return f"run-{uuid.uuid4().hex}"


@pytest.fixture
def workflow() -> str:
    """Give the name of a workflow that no other test has."""
    return f"workflow-{uuid.uuid4().hex[:8]}"
