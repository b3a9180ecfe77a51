"""For every test: no network unless its marker says so, no account but a made-up one."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

import pytest

# Finds out once, when it is imported, whether there is IPv6, which the guard would take for a call.
import urllib3.util.connection  # noqa: F401

from everstep_localstack import LocalStack, Options
from tests.network_guard import GUARD

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

# For the tests of the plugin that users get.
pytest_plugins = ("pytester",)

# Tests under these folders talk to LocalStack, so nobody has to remember the marker.
LOCALSTACK_FOLDERS: Final = ("tests/integration", "tests/e2e")
NETWORK_MARKERS: Final = ("localstack", "network", "sam")

AWS_ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    # A person's own profile is never read, and no metadata service is asked.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    # Powertools: no tracing, and metrics and logs as in Lambda.
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "everstep-tests",
    "POWERTOOLS_SERVICE_NAME": "everstep-tests",
}
# Of a person's shell: these would redirect clients or choose a real account.
FOREIGN_VARIABLES: Final = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL")


def pytest_configure() -> None:
    """Set the environment before any test module, and so any AWS client, is imported."""
    os.environ.update(AWS_ENVIRONMENT)
    for name in FOREIGN_VARIABLES:
        os.environ.pop(name, None)
    GUARD.install()


def pytest_collection_modifyitems(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Mark the tests that need LocalStack by the folder they are in."""
    folders = [config.rootpath / name for name in LOCALSTACK_FOLDERS]
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in folders):
            item.add_marker("localstack")


@pytest.fixture(autouse=True)
def everstep_logger() -> Iterator[None]:
    """Put the engine's logger back as it was: handlers configure it for their whole process."""
    logger = logging.getLogger("everstep")
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


@pytest.fixture(scope="session")
def localstack_server() -> Iterator[LocalStack]:
    """Start a LocalStack for all tests that need one; stop it at the end, whatever happened."""
    server = LocalStack(Options(instance="tests", port=4599))
    server.stop()
    try:
        server.start()
        server.wait()
        yield server
    finally:
        server.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Open or close the network before the first fixture, of whatever scope, is made."""
    GUARD.allowed = any(item.get_closest_marker(name) for name in NETWORK_MARKERS)
    GUARD.denied.clear()
    yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Fail a test that tried to reach the network, even if its code swallowed the refusal."""
    yield
    if GUARD.denied:
        pytest.fail(f"the test tried to reach the network: {', '.join(GUARD.denied)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    """Let session fixtures stop their servers, whichever test happens to be the last."""
    if nextitem is None:
        GUARD.allowed = True
    yield
