"""The children of a task worker: guarded processes that wait for calls, made before they are needed.

Each is a workload of the engine, so what holds for jobs holds for them: nothing of a child lives on when its worker
dies, hangs or is cut off for too long, and one that is ended is gone with all that it started. What runs in one can
harm that one alone.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import secrets
import select
import shutil
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hysds.core import calls
from hysds.leasing import marks
from hysds.lib.process.ending import Ending, boot_s
from hysds.ports.engines import Engine, Running, Workload
from hysds.task_worker import child as program

FOLDER = "tasks"
"""Below the root of work directories: where children work, one folder a worker."""
_CHILD = "HYSDS_JOB_CHILD"
"""Tells one child's processes from those of its siblings."""
_FOR_EVER_S = 315_360_000.0
_BORN_WITHIN_S = 60.0
_LOOK_S = 0.1
_CREDENTIALS = struct.Struct("3i")
_MAX_TAIL = 8_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upbringing:
    """How children are made, and when one is replaced (None: never for that)."""

    worker: str
    """The incarnation."""
    root: Path
    """Of all work directories."""
    environ: Mapping[str, str]
    directory: Path
    """Where the worker was started: functions are found there too, as Celery finds an app."""
    allow: tuple[str, ...]
    most: int
    """How many there are at most."""
    max_tasks: int | None
    max_memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child said of a call: one of `child.KINDS`, and JSON."""

    kind: bytes
    text: bytes


class Silence(Exception):
    """A child did not answer: it died, or `in_time` is False."""

    def __init__(self, in_time: bool = True) -> None:
        super().__init__(in_time)
        self.in_time = in_time


class Child:
    """One process that waits for calls. Its conversation is one thread's; any thread may stop it."""

    def __init__(self, running: Running, connection: socket.socket, pidfd: int, place: Path) -> None:
        self.running = running
        self.calls = 0
        self.held_bytes = 0
        self._connection = connection
        self._pidfd = pidfd
        self._place = place

    def call(self, request: bytes, soft_at_s: float | None, hard_at_s: float) -> Answer:
        """Have it call. At the soft limit it is told, at the hard one it is given up; times of the boot-time clock.

        Raises: Silence
        """
        self.calls += 1
        try:
            self._connection.settimeout(max(hard_at_s - boot_s(), 0.001))
            self._connection.sendall(program.REQUEST.pack(len(request)) + request)
            if soft_at_s is not None and not self._answers_by(soft_at_s):
                signal.pidfd_send_signal(self._pidfd, signal.SIGUSR1)
            length, self.held_bytes, kind = program.ANSWER.unpack(self._read(program.ANSWER.size, hard_at_s))
            return Answer(kind, self._read(length, hard_at_s))
        except TimeoutError as error:
            raise Silence(in_time=False) from error
        except OSError as error:
            raise Silence from error

    def is_dead(self) -> bool:
        """Whether it ended while nobody asked anything of it."""
        readable, _, _ = select.select([self._connection], [], [], 0)
        return bool(readable)

    def tail(self) -> str:
        """The last of what its latest call printed."""
        try:
            with (self._place / "output").open("rb") as file:
                file.seek(max(os.fstat(file.fileno()).st_size - _MAX_TAIL, 0))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def end(self, grace_s: float = 0.0) -> Ending | None:
        """End it, if it has not ended; answers how it did, once nothing of it lives."""
        self.running.stop(grace_s, "no longer needed")
        return self.gone()

    def gone(self) -> Ending | None:
        """How it ended, once nothing of it lives."""
        ending = self.running.wait(None)
        self.running.close()
        self._connection.close()
        os.close(self._pidfd)
        shutil.rmtree(self._place, ignore_errors=True)
        return ending

    def _answers_by(self, at_s: float) -> bool:
        readable, _, _ = select.select([self._connection], [], [], max(at_s - boot_s(), 0))
        return bool(readable)

    def _read(self, count: int, by_s: float) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            self._connection.settimeout(max(by_s - boot_s(), 0.001))
            part = self._connection.recv(count - len(parts))
            if not part:
                raise ConnectionResetError("it died")
            parts += part
        return bytes(parts)


class Children:
    """Those of one worker. Any thread may call any method but `fill`."""

    def __init__(self, engine: Engine, upbringing: Upbringing) -> None:
        self._engine = engine
        self._upbringing = upbringing
        self._folder = upbringing.root / FOLDER / upbringing.worker.replace("/", "_")
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._numbers = itertools.count(1)
        self._is_closed = False

    def fill(self) -> None:
        """Make all of them, beside each other."""
        births = [self._begin() for _ in range(self._upbringing.most)]
        for birth in births:
            self._keep(self._born(*birth))

    def take(self) -> Child:
        """One that waits for a call; it is the caller's until it is given back or ended.

        Raises: OSError, RuntimeError where none can be made.
        """
        while True:
            with self._lock:
                found = self._idle.pop() if self._idle else None
            if found is None:
                return self._born(*self._begin())
            if not found.is_dead():
                return found
            found.end()

    def give_back(self, child: Child) -> None:
        """It waits for the next call, or makes room for another."""
        up = self._upbringing
        is_old = up.max_tasks is not None and child.calls >= up.max_tasks
        if is_old or (up.max_memory_bytes is not None and child.held_bytes > up.max_memory_bytes):
            self.replace(child)
        else:
            self._keep(child)

    def replace(self, child: Child | None) -> None:
        """Another takes its place, made beside whatever goes on; `child`: to be ended first, None: it has ended."""
        threading.Thread(target=self._replace, args=(child,), name="hysds-child", daemon=True).start()

    def close(self) -> None:
        """No more are made; those that live are the engine's to end."""
        with self._lock:
            self._is_closed = True

    def bury(self) -> None:
        """The engine has ended all of them: nothing of them is left."""
        with self._lock:
            left, self._idle = self._idle, []
        for child in left:
            child.gone()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _keep(self, child: Child) -> None:
        with self._lock:
            if not self._is_closed:
                self._idle.append(child)
                return
        child.end()

    def _replace(self, child: Child | None) -> None:
        try:
            if child is not None:
                child.end()
            self._keep(self._born(*self._begin()))
        except Exception as error:  # noqa: BLE001  the outer shell of a thread: the next call makes one itself
            if not self._is_closed:
                _log.warning("a child could not be made: %s", error)

    def _begin(self) -> tuple[Running, socket.socket, Path]:
        number, up = next(self._numbers), self._upbringing
        place = self._folder / str(number)
        place.mkdir(parents=True)
        # In the abstract namespace: no path that could be too long. Who connects is asked who it is.
        name = f"hysds-{secrets.token_hex(16)}"
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        door.bind(f"\0{name}")
        door.listen(1)
        own = {marks.WORKER: up.worker, _CHILD: str(number)}
        arguments = (name, str(up.directory), str(calls.MAX_RESULT_BYTES), *up.allow)
        workload = Workload(
            id=f"{up.worker}.{number}",
            argv=(sys.executable, "-P", "-u", program.__file__, *arguments),
            cwd=place,
            env={**up.environ, **own},
            marks=own,
            stdout=place / "output",
            stderr=place / "output",
            soft_limit_s=None,
            hard_limit_s=_FOR_EVER_S,
            memory_bytes=None,
        )
        return self._engine.start(workload), door, place

    def _born(self, running: Running, door: socket.socket, place: Path) -> Child:
        with contextlib.closing(door):
            end_s = time.monotonic() + _BORN_WITHIN_S
            while time.monotonic() < end_s:
                readable, _, _ = select.select([door], [], [], _LOOK_S)
                if readable:
                    connection, _ = door.accept()
                    if _pid_of(connection) == running.pid and running.pid is not None:
                        return Child(running, connection, os.pidfd_open(running.pid), place)
                    connection.close()
                elif running.wait(0) is not None:
                    break
        running.stop(0, "not born")
        ending = running.wait(None)
        running.close()
        raise RuntimeError(f"a child for tasks did not start: {ending}")


def clear(root: Path, living: set[str]) -> None:
    """Remove what children of dead workers left. `living`: incarnations that may live."""
    kept = {worker.replace("/", "_") for worker in living}
    with contextlib.suppress(OSError):
        for folder in (root / FOLDER).iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)


def _pid_of(connection: socket.socket) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid: int = _CREDENTIALS.unpack(credentials)[0]
    return pid
