"""Serve the examples' services until interrupted: ``python -m examples.services``."""

from __future__ import annotations

from typing import Final

from examples.services.everything import Services
from examples.services.loopback import Loopback

# The port that every example's input.json names.
_PORT: Final = 8099


def main() -> None:
    """Serve, and say where."""
    server = Loopback(Services(), _PORT)
    print(f"the examples' services listen at {server.url}; Ctrl-C ends them")
    try:
        server.serve()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
