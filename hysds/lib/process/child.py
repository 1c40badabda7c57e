"""The worker's side of one guarded command: its pid, its end, and the request to stop it."""

from __future__ import annotations

import select
import socket
import threading

from hysds.lib.process import ending
from hysds.lib.process.ending import Ending
from hysds.lib.process.guard import wire


class Child:
    """A command that was handed to a guardian. Any thread may call any method.

    Every child must come to its end, by `wait` or by `close`, which kills what still runs.
    """

    def __init__(self, control: socket.socket) -> None:
        """Take over the worker's end of the control socket, and wait for the keeper's first word.

        Raises:
            EOFError: the guardian died before the command was started.
        """
        self._control = control
        self._reading = threading.Lock()
        self._using = threading.Lock()
        self._started: wire.Started | None = None
        self._ending: Ending | None = None
        self._take(first=True)

    @property
    def pid(self) -> int | None:
        """The command's own pid, which is also its process group and session; None if it could not be
        started.
        """
        return None if self._started is None else self._started.pid

    def wait(self, timeout_s: float | None = None) -> Ending | None:
        """The end of the command, when nothing of it lives any more; None if that is not within the timeout.

        A timeout of None waits for ever. The answer stays the same however often it is asked for.
        """
        until = None if timeout_s is None else wire.boot_s() + timeout_s
        if not self._reading.acquire(timeout=-1 if timeout_s is None else max(timeout_s, 0)):
            return self._ending
        try:
            if self._ending is None and self._is_readable(until):
                self._take(first=False)
            return self._ending
        finally:
            self._reading.release()

    def stop(self, grace_s: float, reason: str) -> None:
        """SIGTERM to everything below the keeper, SIGKILL after the grace; `reason` becomes the ending's
        message.

        Returns at once; `wait` tells the end. A second stop can only shorten the grace. Of a command that has
        ended, or whose keeper is gone, there is nothing to stop.
        """
        with self._using:
            if self._control.fileno() >= 0:
                wire.send(self._control, wire.Stop(grace_s, reason[:4096]))

    def close(self) -> None:
        """Let go of the command: one that still runs is killed, and is gone when this returns."""
        with self._using:
            if self._control.fileno() >= 0:
                self._control.shutdown(socket.SHUT_WR)
        self.wait()

    def _is_readable(self, until: float | None) -> bool:
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        timeout_ms = None if until is None else max(until - wire.boot_s(), 0.0) * 1000
        return bool(poll.poll(timeout_ms))

    def _take(self, first: bool) -> None:
        """Read one message of the keeper's: `Started` is shorter than `Ended`."""
        message = wire.receive(self._control)
        if not message and first:
            self._hang_up()
            raise EOFError("the guardian died before it started the command")
        values = wire.fields(message) if message else []
        if first and len(values) == len(wire.Started._fields):
            self._started = wire.Started._make(values)
            return
        ended = wire.Ended._make(values) if message else None
        self._ending = ending.lost(self._started) if ended is None else ending.from_wire(ended, self._started)
        self._hang_up()

    def _hang_up(self) -> None:
        with self._using:
            self._control.close()
