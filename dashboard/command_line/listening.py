"""The address on which the server listens."""

from __future__ import annotations

import socket

from dashboard.errors import AddressTakenError


def listen(host: str, port: int) -> socket.socket:
    """Bind an address before any work, so that an occupied one fails at once.

    Raises:
        AddressTakenError: It cannot be bound.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, UnicodeError) as failure:
        reason = getattr(failure, "strerror", None) or "no such address"
        raise AddressTakenError(host, port, reason) from None
    return listener
