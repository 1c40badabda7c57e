"""A web server that says, byte for byte, what a test gives it; and remembers what it was asked."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from types import TracebackType

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


class WebServer:
    """Serves one connection after the other on a thread of its own, on loopback alone."""

    def __init__(self, say: Say, tls: ssl.SSLContext | None = None) -> None:
        self._say = say
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> WebServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), contextlib.closing(connection):
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
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
