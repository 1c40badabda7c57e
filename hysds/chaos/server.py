"""A few commands to the run's own server, over its socket: what no part of HySDS would ever ask of a ledger.

RESP2, one connection a call: the server is killed all the time.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_TIMEOUT_S = 10.0

Reply = str | int | None | list["Reply"]


class ServerError(OSError):
    """The server refused a command."""


class Server:
    """The server behind a unix socket. Every method raises OSError when it does not answer."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def is_ready(self) -> bool:
        """Whether it takes commands; False also while it reads its files."""
        try:
            return self.send(0, "PING") == "PONG"
        except OSError:
            return False

    def send(self, database: int, *command: str) -> Reply:
        """One command in a database."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(self._path)
            with connection.makefile("rb") as answers:
                connection.sendall(_encoded("SELECT", str(database)) + _encoded(*command))
                _read(answers)
                return _read(answers)

    def keys(self, pattern: str) -> Iterator[str]:
        """The keys of database 0 that match."""
        cursor = "0"
        while True:
            page = self.send(0, "SCAN", cursor, "MATCH", pattern, "COUNT", "1000")
            assert isinstance(page, list)
            cursor, found = str(page[0]), page[1]
            assert isinstance(found, list)
            yield from map(str, found)
            if cursor == "0":
                return

    def version(self) -> str:
        """Its name and version."""
        told = dict(
            line.split(":", 1) for line in str(self.send(0, "INFO", "server")).split("\r\n") if ":" in line
        )
        name = told.get("server_name", "redis")
        return f"{name} {told.get(f'{name}_version', told.get('redis_version', '?'))}"

    def events_ever(self, stream: str) -> int:
        """How many entries were ever added to a stream; 0 where there is none."""
        try:
            info = self.send(0, "XINFO", "STREAM", stream)
        except ServerError:
            return 0
        assert isinstance(info, list)
        return int(str(dict(zip(map(str, info[::2]), info[1::2], strict=True))["entries-added"]))


def _encoded(*words: str) -> bytes:
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def _read(answers: BinaryIO) -> Reply:
    line = answers.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionResetError("the server closed the connection")
    kind, rest = line[:1], line[1:-2].decode()
    if kind == b"-":
        raise ServerError(rest)
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == "-1" else answers.read(int(rest) + 2)[:-2].decode(errors="replace")
    if kind == b"*":
        return [_read(answers) for _ in range(int(rest))]
    return rest
