"""A proxy in front of a server that counts what its clients send. Requests and answers take turns on each connection,
so each send of a client arrives as reads that no answer interrupts.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path


class CountingProxy:
    """Listens on a unix socket, passes everything on, counts the sends of all clients."""

    def __init__(self, socket_path: Path, server: Path) -> None:
        self.path = socket_path
        self._server = str(server)
        self._lock = threading.Lock()
        self._sent: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(socket_path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def take(self) -> list[bytes]:
        """What was sent since this was last asked, the beginning of each send."""
        with self._lock:
            sent, self._sent = self._sent, []
        return sent

    def close(self) -> None:
        """Take no new clients."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            server.connect(self._server)
            answered = threading.Event()
            answered.set()
            for source, target, is_client in ((client, server, True), (server, client, False)):
                arguments = (source, target, answered, is_client)
                threading.Thread(target=self._pass_on, args=arguments, daemon=True).start()

    def _pass_on(
        self, source: socket.socket, target: socket.socket, answered: threading.Event, is_client: bool
    ) -> None:
        with contextlib.suppress(OSError), source, target:
            while data := source.recv(1 << 20):
                if not is_client:
                    answered.set()
                elif answered.is_set():
                    answered.clear()
                    with self._lock:
                        self._sent.append(data[:200])
                target.sendall(data)
