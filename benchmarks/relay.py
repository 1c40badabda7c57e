"""A relay before a server's unix socket that counts what clients send: each send is a round trip that they wait for.

One thread, all connections. A message that comes in pieces is counted once: a client that waits for its answer sends
nothing more until the server has spoken, so only the first piece after an answer (or after connecting) counts.
"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_PIECE_BYTES = 1 << 18
_SELECT = re.compile(rb"\*2\r\n\$6\r\nSELECT\r\n\$\d+\r\n(\d+)\r\n")


@dataclass(slots=True)
class _Line:
    """One client's connection and its counterpart at the server."""

    client: socket.socket
    server: socket.socket
    database: int = 0
    is_answered: bool = True


@dataclass(slots=True)
class Counts:
    """How many sends, by (database, the send's first 400 bytes as text)."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sends: Counter[tuple[int, str]] = field(default_factory=Counter)

    def add(self, database: int, piece: bytes) -> None:
        """One more."""
        with self._lock:
            self._sends[database, piece[:400].decode("latin-1")] += 1

    def take(self) -> Counter[tuple[int, str]]:
        """All since the last call."""
        with self._lock:
            taken, self._sends = self._sends, Counter()
            return taken


@contextlib.contextmanager
def relay(path: Path, target: Path) -> Iterator[Counts]:
    """Listen at `path` for as long as the block runs, and pass everything on to `target` and back."""
    counts = Counts()
    waking, woken = socket.socketpair()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, waking, woken:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=_pass_on, args=(listener, woken, target, counts), name="relay")
        thread.start()
        try:
            yield counts
        finally:
            waking.send(b".")
            thread.join()


def _pass_on(listener: socket.socket, stop: socket.socket, target: Path, counts: Counts) -> None:
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as opened:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(stop, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is stop:
                    return
                if key.fileobj is listener:
                    _connect(listener, target, selector, opened)
                else:
                    _move(key, selector, counts)


def _connect(
    listener: socket.socket, target: Path, selector: selectors.BaseSelector, opened: contextlib.ExitStack
) -> None:
    client = opened.enter_context(listener.accept()[0])
    server = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    server.connect(str(target))
    line = _Line(client, server)
    selector.register(client, selectors.EVENT_READ, line)
    selector.register(server, selectors.EVENT_READ, line)


def _move(key: selectors.SelectorKey, selector: selectors.BaseSelector, counts: Counts) -> None:
    line: _Line = key.data
    is_send = key.fileobj is line.client
    source, sink = (line.client, line.server) if is_send else (line.server, line.client)
    try:
        piece = source.recv(_PIECE_BYTES)
        if piece and is_send:
            _count(line, piece, counts)
        elif piece:
            line.is_answered = True
        sink.sendall(piece)
    except OSError:
        piece = b""
    if not piece:
        for end in (line.client, line.server):
            selector.unregister(end)
            end.close()


def _count(line: _Line, piece: bytes, counts: Counts) -> None:
    if line.is_answered:
        counts.add(line.database, piece)
    line.is_answered = False
    selected = _SELECT.search(piece)
    if selected is not None:
        line.database = int(selected[1])
