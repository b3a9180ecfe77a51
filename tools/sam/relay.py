"""Let containers reach a server of this machine that listens on 127.0.0.1 only.

It listens on this machine's end of the containers' bridge, talks to nobody but containers there,
and passes on what they send to one port.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTES: Final = 65_536
_BRIDGE_PREFIX: Final = 16
"""Docker's bridge is a network of 16 bits."""


@contextmanager
def relay(address: str, port: int) -> Iterator[str]:
    """Pass on connections from the bridge with this address to a port of 127.0.0.1.

    Gives the URL for containers.
    """
    peers = ipaddress.ip_network(f"{address}/{_BRIDGE_PREFIX}", strict=False)
    with socket.create_server((address, 0)) as server:
        thread = threading.Thread(target=_accept, args=(server, peers, port), daemon=True)
        thread.start()
        try:
            yield f"http://{address}:{server.getsockname()[1]}"
        finally:
            # Wakes accept(), which closing alone does not.
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(
    server: socket.socket, peers: ipaddress.IPv4Network | ipaddress.IPv6Network, port: int
) -> None:
    while True:
        try:
            client, (peer, *_) = server.accept()
        except OSError:
            return
        if ipaddress.ip_address(peer) not in peers:
            client.close()
            continue
        try:
            target = socket.create_connection(("127.0.0.1", port))
        except OSError:
            client.close()
            continue
        threading.Thread(target=_serve, args=(client, target), daemon=True).start()


def _serve(client: socket.socket, target: socket.socket) -> None:
    with client, target:
        answers = threading.Thread(target=_pass_on, args=(target, client), daemon=True)
        answers.start()
        _pass_on(client, target)
        answers.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Pass on bytes until the source ends; then tell the target, which may still answer."""
    with suppress(OSError):
        while received := source.recv(_BYTES):
            target.sendall(received)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
