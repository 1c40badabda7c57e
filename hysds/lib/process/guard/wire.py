"""What the worker, its guardian and the keepers say to each other: the closed set of messages and their
coding.

The worker's request goes to the guardian as a message with descriptors; its text lies in a memory file,
because argv and environment may be larger than a socket message. All else passes between worker and keeper on
the command's own control socket. All sockets keep message borders (SOCK_SEQPACKET), all texts are JSON.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from enum import Enum
from typing import NamedTuple

MESSAGE_BYTES = 65536
"""No message on a socket is longer."""

_REQUEST_FDS = 4
_INT_BYTES = struct.calcsize("i")

BEGIN, RUN, BYE, READY = b"begin", b"run", b"bye", b"ready"
"""What the worker asks of the guardian: to begin (settings, beats), to run a command, to end without an
alarm; and what the guardian answers to the first.
"""

FREE = b"free"
"""What a keeper says to its guardian, whose orders come to it as the worker's `RUN` comes to the guardian: nothing of
its command is left, and it would keep another.
"""


class Reason(Enum):
    """Why a command ended. The first cause counts; a hard limit alone overrides the soft one before it."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    SOFT_LIMIT = "soft-limit"
    HARD_LIMIT = "hard-limit"
    OOM = "oom"
    STOPPED = "stopped"
    SILENT = "silent"
    ISOLATED = "isolated"
    WORKER_GONE = "worker-gone"
    KEEPER_KILLED = "keeper-killed"
    GUARDIAN_GONE = "guardian-gone"
    COULD_NOT_START = "could-not-start"
    TOO_LATE = "too-late"


class Settings(NamedTuple):
    """What the guardian is told once, at its start. A limit of None is no limit."""

    on_gone: list[str]
    on_gone_env: dict[str, str]
    on_gone_limit_s: float
    silence_limit_s: float | None
    isolation_limit_s: float | None
    cgroups: bool
    cgroup_parent: str | None


class Order(NamedTuple):
    """One command to run. Times are on the boot-time clock, and limits count from its start; None is no limit."""

    argv: list[str]
    cwd: str
    env: dict[str, str]
    soft_s: float | None
    hard_s: float | None
    memory_bytes: int | None
    start_by_s: float
    reached_s: float = 0.0


class Stop(NamedTuple):
    """The worker asks a keeper to end its command: SIGTERM now, SIGKILL after the grace."""

    grace_s: float
    message: str


class Started(NamedTuple):
    """The command runs."""

    pid: int
    boot_s: float
    wall_s: float


class Ended(NamedTuple):
    """The command and all below it are gone."""

    reason: str
    exit_code: int | None
    signal: int | None
    errno: int | None
    message: str
    boot_s: float
    wall_s: float
    cpu_user_s: float
    cpu_system_s: float
    max_rss_bytes: int
    leftovers: int


def boot_s() -> float:
    """The boot-time clock in seconds: it runs on while the machine sleeps, and never jumps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wall_s() -> float:
    """The wall clock in seconds since 1970, for people; it may jump."""
    return time.time()


def encode(message: Settings | Order | Stop | Started | Ended) -> bytes:
    return json.dumps(message).encode()


def fields(data: bytes) -> list[object]:
    """The values of one message, in the order of its fields."""
    values = json.loads(data)
    if not isinstance(values, list):
        raise ValueError("a message on a guardian's socket is not a list of values")
    return values


def memory_file(data: bytes) -> int:
    """A descriptor of an unnamed file that holds `data`; the caller closes it."""
    fd = os.memfd_create("message", os.MFD_CLOEXEC)
    os.write(fd, data)
    return fd


def read_memory_file(fd: int) -> bytes:
    """What lies in a memory file. Closes it."""
    try:
        return os.pread(fd, os.fstat(fd).st_size, 0)
    finally:
        os.close(fd)


def send_request(sock: socket.socket, kind: bytes, fds: list[int]) -> None:
    """The worker's side: one request with its descriptors.

    Raises:
        OSError: nobody is there to read it.
    """
    sock.sendmsg([kind], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))])


def receive_request(sock: socket.socket) -> tuple[bytes, list[int]]:
    """The guardian's side: the next request and the descriptors that came with it; `b""` when the worker is
    gone.
    """
    # socket.recv_fds would leave the descriptors open in whatever is executed next.
    space = socket.CMSG_SPACE(_REQUEST_FDS * _INT_BYTES)
    kind, ancillary, _, _ = sock.recvmsg(MESSAGE_BYTES, space, socket.MSG_CMSG_CLOEXEC)
    fds: list[int] = []
    for level, what, data in ancillary:
        if (level, what) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds += struct.unpack(f"{len(data) // _INT_BYTES}i", data[: len(data) // _INT_BYTES * _INT_BYTES])
    return kind, fds


def send(sock: socket.socket, message: Started | Ended | Stop) -> bool:
    """Send one message; False if nobody is there to read it."""
    try:
        sock.send(encode(message))
    except OSError:
        return False
    return True


def receive(sock: socket.socket) -> bytes:
    """The next message; empty when the other side is gone."""
    try:
        return sock.recv(MESSAGE_BYTES)
    except ConnectionError:
        return b""
