"""Loopback ports that stay ours while a server is down.

A free port found by bind and close can be taken before the server binds it. Here the port stays bound,
without listening, for as long as the reservation lives. With SO_REUSEADDR on both sides Linux lets one more
socket bind and listen, and hands the port to nobody who asks for any free one.
"""

from __future__ import annotations

import socket
from types import TracebackType


class Reservation:
    """A TCP port on 127.0.0.1, ours until `close`."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def __enter__(self) -> Reservation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
