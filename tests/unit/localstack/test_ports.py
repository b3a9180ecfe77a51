"""A port is free or taken, private or open, and its holder has a name."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from everstep_localstack import ports

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.network


@pytest.fixture
def server() -> Iterator[int]:
    """Listen on a free port, which is returned."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_is_taken_while_somebody_listens(server: int) -> None:
    assert not ports.is_free(server)


def test_a_port_is_free_when_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert ports.is_free(port)


def test_the_holder_of_a_port_is_named(server: int) -> None:
    assert ports.holder(server).startswith(f"process {os.getpid()} (")


def test_a_port_on_the_loopback_address_is_private(server: int) -> None:
    assert ports.is_private(server)


def test_a_port_on_another_address_is_not_private(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing may listen on another address here: the kernel's table is written by hand.
    monkeypatch.setattr(ports, "_listeners", lambda _: [("00000000", "1"), ("0100007F", "2")])

    assert not ports.is_private(4566)
