"""A web server that says, byte for byte, what a test gives it; and remembers what it was asked."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable

from services.loopback import LoopbackServer

Say = Callable[[bytes], Iterable[bytes]]
"""From the head and body of a request to the parts of an answer."""


def answer(status: str = "200 OK", body: bytes = b"", **headers: str) -> list[bytes]:
    """An ordinary answer; `_` in a header's name stands for `-`."""
    told = {
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    lines = "".join(f"{name}: {text}\r\n" for name, text in told.items())
    return [f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body]


class WebServer(LoopbackServer):
    """What it was asked stands in `requests`."""

    def __init__(self, say: Say, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self._say = say
        self._tls = tls
        self.requests: list[bytes] = []

    def talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(connection):
            self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        wire = connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)
        with wire:
            request = _request(wire)
            self.requests.append(request)
            for part in self._say(request):
                wire.sendall(part)


def _request(wire: socket.socket) -> bytes:
    """Head and body, as long as Content-Length says."""
    found = b""
    while b"\r\n\r\n" not in found:
        if not (part := wire.recv(65536)):
            return found
        found += part
    head, _, body = found.partition(b"\r\n\r\n")
    lengths = [
        line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    ]
    while lengths and len(body) < int(lengths[0]) and (part := wire.recv(65536)):
        body += part
    return head + b"\r\n\r\n" + body
