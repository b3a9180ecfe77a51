"""The guard that keeps unit tests off the network."""

from __future__ import annotations

import os
import socket

import boto3
import pytest
from botocore.config import Config

from tests.network_guard import GUARD, NetworkAccessDeniedError

NOBODY = ("127.0.0.1", 9)


def test_a_unit_test_cannot_connect() -> None:
    with socket.socket() as client, pytest.raises(NetworkAccessDeniedError, match=r"127\.0\.0\.1"):
        client.connect(NOBODY)
    GUARD.denied.clear()


def test_a_unit_test_cannot_listen() -> None:
    with socket.socket() as server, pytest.raises(NetworkAccessDeniedError):
        server.bind(("127.0.0.1", 0))
    GUARD.denied.clear()


def test_a_unit_test_cannot_resolve_a_name() -> None:
    with pytest.raises(NetworkAccessDeniedError):
        socket.getaddrinfo("localhost", 80)
    GUARD.denied.clear()


def test_an_attempt_is_remembered_even_if_the_code_swallows_the_refusal() -> None:
    queue = boto3.client("sqs", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(Exception, match="no network in this test"):
        queue.list_queues()
    assert any("sqs.us-east-1" in attempt for attempt in GUARD.denied)
    GUARD.denied.clear()


def test_a_socket_pair_passes_because_event_loops_need_one() -> None:
    left, right = socket.socketpair()
    left.close()
    right.close()
    assert GUARD.denied == []


@pytest.mark.network
def test_a_marked_test_may_open_sockets() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()


def test_every_test_has_a_made_up_account() -> None:
    credentials = boto3.Session().get_credentials()
    assert credentials is not None
    assert credentials.access_key == "test"
    assert "AWS_PROFILE" not in os.environ
