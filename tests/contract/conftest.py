"""One suite per port, run against every implementation of it.

LocalStack takes part where one runs: its address is taken from AWS_ENDPOINT_URL (when the tests
of this folder are named on the command line) or from EVERSTEP_TEST_ENDPOINT_URL.
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

# Read now: for tests without a server, AWS_ENDPOINT_URL is taken out of the environment.
ENDPOINT = os.environ.get("EVERSTEP_TEST_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL")


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
    elif ENDPOINT is None:
        pytest.skip("no LocalStack: set EVERSTEP_TEST_ENDPOINT_URL")
    else:
        with backends.localstack(ENDPOINT) as made:
            yield made


@pytest.fixture
def run_id() -> str:
    """Give the id of a run that no other test has."""
    return f"run-{uuid.uuid4().hex}"


@pytest.fixture
def workflow() -> str:
    """Give the name of a workflow that no other test has."""
    return f"workflow-{uuid.uuid4().hex[:8]}"
