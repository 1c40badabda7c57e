"""Who talks with the warden: the process that started it, and whoever connects to its socket.

One JSON object a line, both ways. To the warden:
- `{"stop": true}`, with `"hurry": true` to make it short; whoever asks is told all that happens from then on.
- `{"tell": "state"}`; the answer is `{"state": {…}}` (`posts.Posts.state`, `warden.Warden`).
- `{"stand": true, "detached": …}`, from who started it: children that end by themselves are started again from now on;
  detached, the end of the connection is the end of nothing.

From it: `{"started": name, "pid": n}`, `{"ready": name}`, `{"ended": name, "code": n, "killed": …, "reason": …,
"again_s": …}` (null: not started again), `{"standing": true}`, `{"lost": why}` (the home is not ours any more),
`{"stopping": true}`, at last `{"gone": true}` when nothing lives any more.

Nobody who does not read can hold the warden up: what does not go out at once waits, and with too much of that the peer
is let go.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import time
from collections.abc import Mapping
from typing import Any

from hysds.embedded.warden.plan import line

_READ_BYTES = 65536
_MOST_WAITING_BYTES = 1_000_000
_MOST_PEERS = 64


class Peer:
    """One connection. `is_listener`: is told what happens."""

    def __init__(self, connection: socket.socket, is_listener: bool) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._heard = b""
        self._unsent = b""
        self.is_listener = is_listener
        self.is_over = False

    @property
    def fd(self) -> int:
        return self._connection.fileno()

    @property
    def events(self) -> int:
        """What to poll for."""
        return select.POLLIN | (select.POLLOUT if self._unsent else 0)

    def say(self, message: Mapping[str, Any]) -> None:
        """Send it, now or when the other side has room."""
        self._unsent += line(message)
        self.send()

    def send(self) -> None:
        """As much as goes out at once."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self._connection.send(self._unsent) :]
        except BlockingIOError:
            if len(self._unsent) > _MOST_WAITING_BYTES:
                self.let_go()
        except OSError:
            self._unsent = b""  # it has gone; its reading side will say so

    def hear(self) -> list[Mapping[str, Any]]:
        """What was said; afterwards `is_over` is True if no more comes. One that talks nonsense is let go."""
        try:
            data = self._connection.recv(_READ_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.let_go()
            return []
        *lines, self._heard = (self._heard + data).split(b"\n")
        messages = []
        with contextlib.suppress(ValueError):
            messages = [json.loads(one) for one in lines]
            if all(isinstance(message, dict) for message in messages) and len(self._heard) < _READ_BYTES:
                return messages
        self.let_go()
        return []

    def finish(self, until_s: float) -> None:
        """Send the rest, no longer than until then (monotonic), and close."""
        poll = select.poll()
        while self._unsent and not self.is_over and (left_s := until_s - time.monotonic()) > 0:
            poll.register(self.fd, select.POLLOUT)
            poll.poll(left_s * 1000)
            self.send()
        self.let_go()

    def let_go(self) -> None:
        """Close; what was not sent never will be."""
        self.is_over = True
        self._unsent = b""
        self._connection.close()


class Door:
    """The socket on which others ask. Its directory is open to its owner alone."""

    def __init__(self, path: str) -> None:
        """Raises: OSError where it can't be made."""
        self._path = path
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.setblocking(False)
        before = os.umask(0o077)
        try:
            self._listening.bind(path)
        finally:
            os.umask(before)
        self._listening.listen(_MOST_PEERS)

    @property
    def fd(self) -> int:
        return self._listening.fileno()

    def admit(self, present: int) -> Peer | None:
        """Who has come, if there is one and room for one more."""
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return None
        if present >= _MOST_PEERS:
            connection.close()
            return None
        return Peer(connection, is_listener=False)

    def close(self, is_ours: bool = True) -> None:
        """Nobody can come any more. `is_ours`: the path still leads here."""
        self._listening.close()
        if is_ours:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
