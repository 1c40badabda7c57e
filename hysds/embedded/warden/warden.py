"""Starts a server and, when it answers, the roles; watches all; ends them in order, whoever asks for it or dies.

A stop is asked by the control socket, by SIGTERM to the warden, or by the end of the process at the socket's other
side. Stage by stage: SIGTERM, after the grace SIGTERM again (it asks roles to end at once), then SIGKILL; then whatever
is left below. If the warden itself is killed, the kernel kills its children.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterable

from hysds.embedded.warden.children import Child, Spawner, reap, strangers
from hysds.embedded.warden.plan import SERVER, Plan, Start, line
from hysds.lib.process.guard import tree

_PING_EVERY_S = 0.002
_LOOK_EVERY_S = 0.02


class Warden:
    """One run, from the plan to the last process."""

    def __init__(self, control: socket.socket, plan: Plan) -> None:
        self._control = control
        self._plan = plan
        self._spawner = Spawner(plan.directory, plan.ready_variable)
        self._children: list[Child] = []
        self._stopping = False
        self._orphaned = False
        self._wake = tree.Wake()
        signal.signal(signal.SIGTERM, self._asked)

    def run(self) -> None:
        """Returns when nothing of the system lives any more."""
        try:
            self._start()
            while not self._stopping:
                self._turn(None)
        finally:
            self._end_all()
            self._say({"gone": True})

    def _start(self) -> None:
        server = self._spawn(self._plan.server)
        while server is not None and server.is_alive and not self._stopping:
            if _answers(self._plan.socket):
                self._say({"ready": SERVER})
                for role in self._plan.roles:
                    self._spawn(role)
                return
            self._turn(_PING_EVERY_S)

    def _spawn(self, start: Start) -> Child | None:
        try:
            child = self._spawner.spawn(start)
        except OSError as error:
            reason = f"{start.argv[0]}: {error.strerror}"
            self._say({"ended": start.name, "code": 127, "killed": False, "reason": reason})
            return None
        self._children.append(child)
        self._say({"started": start.name, "pid": child.process.pid})
        return child

    def _turn(self, timeout_s: float | None) -> None:
        """Wait for whatever happens next, and take note of it."""
        poll = select.poll()
        watched: dict[int, Callable[[], None]] = {self._wake.fd: self._reap}
        if not self._orphaned:
            watched[self._control.fileno()] = self._hear
        for child in self._children:
            if child.is_alive:
                watched[child.ended] = lambda child=child: self._note_end(child)  # type: ignore[misc]
            if child.ready is not None:
                watched[child.ready] = lambda child=child: self._note_ready(child)  # type: ignore[misc]
        for fd in watched:
            poll.register(fd, select.POLLIN)
        for fd, _ in poll.poll(None if timeout_s is None else max(timeout_s, 0) * 1000):
            watched[fd]()

    def _hear(self) -> None:
        """Anything said is `stop`; the end of the connection is the end of whoever wanted all this."""
        self._stopping = True
        if not self._control.recv(4096):
            self._orphaned = True

    def _asked(self, number: int, frame: object) -> None:
        self._stopping = True

    def _note_end(self, child: Child) -> None:
        code = child.take_end()
        self._say({"ended": child.start.name, "code": code, "killed": child.killed, "reason": ""})

    def _note_ready(self, child: Child) -> None:
        if child.take_ready():
            self._say({"ready": child.start.name})

    def _reap(self) -> None:
        self._wake.clear()
        reap(self._strangers())

    def _strangers(self) -> list[int]:
        return strangers({child.process.pid for child in self._children if child.is_alive})

    def _end_all(self) -> None:
        self._stopping = True
        roles = [child for child in self._children if child.start.name != SERVER]
        for stage in sorted({child.start.stage for child in roles}):
            self._end([child for child in roles if child.start.stage == stage], Child.ask)
        self._end([child for child in self._children if child.start.name == SERVER], self._shut_down)
        self._sweep()

    def _end(self, children: Iterable[Child], ask: Callable[[Child], None]) -> None:
        alive = [child for child in children if child.is_alive]
        for child in alive:
            ask(child)
        began_s = time.monotonic()
        self._await(alive, lambda: began_s + max((self._grace_s(child) for child in alive), default=0.0))
        for step in (Child.ask, Child.kill):
            for child in alive:
                if child.is_alive:
                    step(child)
            until_s = time.monotonic() + self._plan.hurry_s
            self._await(alive, lambda until_s=until_s: until_s)  # type: ignore[misc]
        self._end_leftovers()

    def _grace_s(self, child: Child) -> float:
        grace_s = child.start.grace_s
        return min(grace_s, self._plan.orphaned_grace_s) if self._orphaned else grace_s

    def _await(self, children: list[Child], until_s: Callable[[], float]) -> None:
        """Until all have ended, no longer than until then; that time may come closer meanwhile."""
        while any(child.is_alive for child in children):
            left_s = until_s() - time.monotonic()
            if left_s <= 0:
                return
            self._turn(left_s)

    def _end_leftovers(self) -> None:
        """What an ended role left behind may finish its own work (its guardian ends jobs and tells the ledger), for so
        long as a role may hurry; then it is killed."""
        until_s = time.monotonic() + self._plan.hurry_s
        while left := [pid for pid in self._strangers() if tree.is_alive(pid)]:
            if time.monotonic() >= until_s:
                for pid in tree.below(left):
                    tree.tell(pid, signal.SIGKILL)
            self._turn(_LOOK_EVERY_S)

    def _shut_down(self, server: Child) -> None:
        """By command: at once, where a signal would wait for the server's next tenth of a second."""
        try:
            with _connected(self._plan.socket) as connection:
                connection.sendall(b"SHUTDOWN NOSAVE\r\n")
                connection.recv(64)
        except OSError:
            server.ask()

    def _sweep(self) -> None:
        """Kill and reap until this process has no descendant."""
        while below := tree.below(tree.children(os.getpid())):
            for pid in below:
                tree.tell(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-1, 0)  # nobody is waited for any more but here

    def _say(self, message: dict[str, object]) -> None:
        with contextlib.suppress(OSError):  # whoever started us may be gone
            self._control.sendall(line(message))


def _connected(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(2.0)
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def _answers(path: str) -> bool:
    """Whether the server takes commands; while it reads its files it answers with an error."""
    try:
        with _connected(path) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def serve(control_fd: int) -> None:
    """Take the plan from the control socket, and carry it out."""
    tree.Kernel().become_subreaper()
    with socket.socket(fileno=control_fd) as control:
        text = b""
        while not text.endswith(b"\n"):
            part = control.recv(65536)
            if not part:
                return
            text += part
        Warden(control, Plan.decode(text)).run()
