"""A proxy in front of a server that slows it down, or lets its clients' connections hang as a vanished peer does."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path


class FaultyProxy:
    """Listens on 127.0.0.1 (or `host`) and passes everything on to the unix socket or port at `target`."""

    def __init__(self, target: Path | int, host: str = "127.0.0.1") -> None:
        self._target = target
        self._lock = threading.Lock()
        self._delay_s = 0.0
        self._swallows = self._is_closed = False
        self._connections: set[_Connection] = set()
        self._listener = socket.create_server((host, 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where clients connect."""
        port: int = self._listener.getsockname()[1]
        return port

    def delay(self, seconds: float) -> None:
        """From now on each answer of the server comes so much later."""
        with self._lock:
            self._delay_s = seconds

    def swallow(self) -> None:
        """From now on nothing passes, and nobody is told: no end, no reset. New connections are taken, and hang."""
        with self._lock:
            self._swallows = True
            for connection in self._connections:
                connection.is_dead = True

    def heal(self) -> None:
        """Connections from now on work, at once; those that hang hang for ever."""
        with self._lock:
            self._swallows = False
            self._delay_s = 0.0

    def close(self) -> None:
        """End all connections and take no more."""
        with self._lock:
            self._is_closed = True
            for connection in self._connections:
                connection.end()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._take(client)

    def _take(self, client: socket.socket) -> None:
        try:
            server = None if self._swallows else self._reached()
        except OSError:
            client.close()
            return
        connection = _Connection(client, server, self._swallows)
        if self._is_closed:
            connection.end()
            return
        self._connections.add(connection)
        if server is not None:
            for source, target, is_answer in ((client, server, False), (server, client, True)):
                arguments = (connection, source, target, is_answer)
                threading.Thread(target=self._pass_on, args=arguments, daemon=True).start()

    def _reached(self) -> socket.socket:
        if isinstance(self._target, int):
            return socket.create_connection(("127.0.0.1", self._target))
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            server.connect(str(self._target))
        except OSError:
            server.close()
            raise
        return server

    def _pass_on(
        self, connection: _Connection, source: socket.socket, target: socket.socket, is_answer: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 20):
                if is_answer and self._delay_s:
                    time.sleep(self._delay_s)
                if not connection.is_dead:
                    target.sendall(data)
        if not connection.is_dead:
            connection.end()


class _Connection:
    """One client's; whoever `is_dead` hears nothing more of it, not even its end."""

    def __init__(self, client: socket.socket, server: socket.socket | None, is_dead: bool) -> None:
        self._ends = [client] if server is None else [client, server]
        self.is_dead = is_dead

    def end(self) -> None:
        for one in self._ends:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
