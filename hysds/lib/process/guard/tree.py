"""The processes below a process: who they are, how they are told, reaped and proved gone.

A process that calls `become_subreaper` is given every orphan below it, so all that a command ever starts
stays below its keeper, `setsid` or not. Processes are told one by one, never by group: a command chooses its
groups itself.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
from collections.abc import Iterable, Iterator

_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_READ_BYTES = 65536


class Kernel:
    """The calls that Python lacks, looked up once, before any fork, so that a keeper pays nothing for them."""

    def __init__(self) -> None:
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl
        self._prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong]

    def become_subreaper(self) -> None:
        """From now on this process is the parent of every orphan below it. Not inherited by a fork.

        Raises:
            OSError: the kernel refused.
        """
        if self._prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")

    def call_myself(self, name: bytes) -> None:
        """The name that `ps` shows for this process, 15 bytes at most."""
        text = ctypes.create_string_buffer(name)
        self._prctl(_PR_SET_NAME, ctypes.addressof(text), 0, 0, 0)


class Wake:
    """A descriptor that becomes readable when a child of this process has ended."""

    def __init__(self) -> None:
        self.fd, self._written = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._written, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _note)
        self._poll = select.poll()
        self._poll.register(self.fd, select.POLLIN)

    def clear(self) -> None:
        """Forget the ends announced so far; reap after it, not before."""
        try:
            while len(os.read(self.fd, _READ_BYTES)) == _READ_BYTES:
                pass
        except BlockingIOError:
            pass

    def wait(self, timeout_s: float) -> bool:
        """Until a child ends, but no longer than this; False if none did."""
        return bool(self._poll.poll(timeout_s * 1000))


def is_readable(fd: int) -> bool:
    """Whether something is there to be read now; looks anew."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


def reap() -> Iterator[tuple[int, int, resource.struct_rusage]]:
    """Take every child that has ended or was stopped: pid, wait status, and what it and all that it waited for used.
    The one place that waits in its process.

    Raises:
        ChildProcessError: there is no child any more, living or dead.
    """
    while True:
        pid, status, used = os.wait4(-1, os.WNOHANG | os.WUNTRACED)
        if pid == 0:
            return
        yield pid, status, used


def children(pid: int) -> list[int]:
    """The children of all threads of a process, zombies among them. A snapshot that may miss some while they
    fork.
    """
    found: list[int] = []
    for thread in _listed(f"/proc/{pid}/task"):
        found += map(int, read(f"/proc/{pid}/task/{thread}/children").split())
    return found


def below(roots: Iterable[int]) -> list[int]:
    """These processes and all their descendants, parents before their children."""
    found = dict.fromkeys(roots)
    level = list(found)
    while level:
        level = [child for pid in level for child in children(pid) if child not in found]
        found.update(dict.fromkeys(level))
    return list(found)


def is_alive(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    state = read(f"/proc/{pid}/stat").rpartition(b")")[2].split(None, 1)[:1]
    return state not in ([], [b"Z"], [b"X"])


def tell(pid: int, number: int) -> bool:
    """Send a signal; False if the process is gone or not ours to signal."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def ask_to_end(roots: Iterable[int]) -> None:
    """SIGTERM to these and all below them; SIGCONT after it, as a stopped process could not act on it."""
    for pid in below(roots):
        if tell(pid, signal.SIGTERM):
            tell(pid, signal.SIGCONT)


class Sweep:
    """Kills whatever lives below some roots; call `kill` again until the roots are gone."""

    def __init__(self) -> None:
        self._told: set[int] = set()
        self._counted: set[int] = set()

    def killed_beside(self, pid: int) -> int:
        """How many processes had to be killed, not counting this one."""
        return len(self._counted - {pid})

    def kill(self, roots: Iterable[int]) -> None:
        """SIGKILL to all that were not told before. Cheap when no root is new."""
        current = list(roots)
        if self._told.issuperset(current):
            return
        for pid in below(current):
            if pid not in self._told and is_alive(pid) and tell(pid, signal.SIGKILL):
                self._counted.add(pid)
            self._told.add(pid)

    def forget(self, pid: int | None = None) -> None:
        """This one was reaped, and its number may come again; None: tell everybody once more."""
        self._told.clear() if pid is None else self._told.discard(pid)


def read(path: str) -> bytes:
    """What a file of /proc says; empty if its process is gone or hidden."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(fd, _READ_BYTES):
            parts.append(part)
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(fd)


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _note(number: int, frame: object) -> None:
    """A handler must exist for the wake-up descriptor to be written; the loop does the work."""
