"""What the warden says to the server itself: are you there, and shut down."""

from __future__ import annotations

import socket
import time

_TIMEOUT_S = 2.0
_FIRST_WAIT_S = 0.002
_LONGEST_WAIT_S = 0.05
_GROWTH = 1.2


class Pings:
    """Asks a server that has been started until it takes commands: often at first, seldom while it reads its files."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._wait_s = _FIRST_WAIT_S
        self._next_s = 0.0

    def again_s(self) -> float:
        """How long until it is asked again."""
        return max(self._next_s - time.monotonic(), 0.0)

    def answers(self) -> bool:
        """Whether the server takes commands, if it is time to ask. While it reads its files it answers with an
        error."""
        if time.monotonic() < self._next_s:
            return False
        if _said(self._path, b"PING\r\n").startswith(b"+PONG"):
            self._wait_s = _FIRST_WAIT_S
            return True
        self._next_s = time.monotonic() + self._wait_s
        self._wait_s = min(self._wait_s * _GROWTH, _LONGEST_WAIT_S)
        return False


def shut_down(path: str) -> bool:
    """By command: at once, where a signal would wait for the server's next tenth of a second. False: not heard."""
    return _said(path, b"SHUTDOWN NOSAVE\r\n") == b""


def _said(path: str, command: bytes) -> bytes:
    """The beginning of the answer; b"" where the server closed without one, b"-" where nobody answered."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.connect(path)
            connection.sendall(command)
            return connection.recv(64)
    except ConnectionResetError:
        return b""
    except OSError:
        return b"-"
