"""Containers reach a server of this machine through the relay, and strangers do not."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import TYPE_CHECKING, Final

import pytest

from tools.sam.relay import relay

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.network
HERE: Final = "127.0.0.1"


@pytest.fixture
def shouting() -> Iterator[int]:
    """A server that answers one connection in capitals, once the client has said all."""
    with socket.create_server((HERE, 0)) as server:

        def answer() -> None:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                client.sendall(client.makefile("rb").read().upper())

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


def told(url: str, text: bytes) -> bytes:
    port = int(url.rpartition(":")[2])
    with socket.create_connection((HERE, port), timeout=5) as client:
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        return client.makefile("rb").read()


def test_what_is_said_arrives_and_so_does_the_answer(shouting: int) -> None:
    with relay(HERE, shouting) as url:
        assert told(url, b"hello") == b"HELLO"


def test_who_is_not_on_the_bridge_is_turned_away(
    shouting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = ipaddress.ip_network("172.17.0.0/16")
    monkeypatch.setattr("tools.sam.relay.ipaddress.ip_network", lambda *_, **__: bridge)
    with relay(HERE, shouting) as url:
        try:
            answer = told(url, b"hello")
        except OSError:  # closed while it was still speaking
            answer = b""
    assert answer == b""
