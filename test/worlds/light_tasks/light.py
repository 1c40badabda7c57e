"""Functions that tests call as tasks: what a task may do to the child that calls it, and what it may return."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from os import system as borrowed  # noqa: F401  a name that is only imported here
from pathlib import Path
from typing import Any

_left: list[bytearray] = []


def add(a: int, b: int = 0) -> int:
    return a + b


def give(value: Any) -> Any:
    return value


def task_id() -> str:
    """The id of the task that calls."""
    return os.environ["HYSDS_TASK_ID"]


def pid() -> int:
    return os.getpid()


def place() -> list[str]:
    return [os.getcwd(), sys.path[0]]


def fail(text: str = "on purpose") -> None:
    print("about to fail")
    raise ValueError(text)


def leave(code: int) -> None:
    os._exit(code)


def exit_in_order(code: int) -> None:
    sys.exit(code)


def segfault() -> None:
    os.write(2, b"here it goes\n")
    ctypes.string_at(0)


def kill_itself(number: int) -> None:
    os.kill(os.getpid(), number)


def leak(size_bytes: int) -> None:
    _left.append(bytearray(os.urandom(1)) * size_bytes)


def big(size_bytes: int) -> str:
    return "x" * size_bytes


def odd(what: str) -> Any:
    """What JSON can't carry."""
    held: list[Any] = []
    held.append(held)
    return {
        "set": {1},
        "bytes": b"x",
        "key": {1: 2},
        "deep key": [{"a": {None: 1}}],
        "nan": float("nan"),
        "surrogate": "\ud800",
        "itself": held,
    }[what]


def wait(path: str) -> str:
    """Until something is written into a named pipe."""
    Path(f"{path}.pid").write_text(str(os.getpid()))
    with open(path, "rb") as pipe:
        return pipe.read().decode()


def heed(path: str) -> str:
    """As above, but end in order when the soft limit passes."""
    try:
        return wait(path)
    except Exception as error:  # noqa: BLE001
        return type(error).__name__


def ignore_all(path: str) -> None:
    """Hear no exception."""
    while True:
        try:
            wait(path)
        except Exception:  # noqa: BLE001
            continue


def block_in_c() -> None:
    """In a call that comes back to Python for no signal."""
    sum(range(10**12))


def leave_a_process(path: str) -> None:
    """One that sleeps in a session of its own, and then a death."""
    started = subprocess.Popen(["sleep", "3600"], start_new_session=True)
    Path(path).write_text(str(started.pid))
    os._exit(1)


def come_back_twice(path: str) -> int:
    """In a forked process too, once somebody has opened the pipe at `path`; answers that process."""
    os.mkfifo(path)
    forked = os.fork()
    if forked == 0:
        Path(path).read_bytes()
    return forked


def outlive(path: str, forked: int) -> str:
    """Let the process go on that waits at the pipe, and answer when it is gone."""
    Path(path).write_bytes(b"")
    os.waitpid(forked, 0)
    return "of the second call"


def name_of_limit() -> str:
    """Whose exception a soft limit raises, once Celery's is loaded."""
    import billiard.exceptions  # noqa: PLC0415

    try:
        time.sleep(60)
    except billiard.exceptions.SoftTimeLimitExceeded as error:
        return type(error).__module__
    return "none"


def append(path: str, line: str) -> None:
    """One write, so that lines of many processes don't mix."""
    with open(path, "a") as file:
        file.write(f"{line}\n")


def host() -> str:
    return socket.gethostname()


class Thing:
    """Not what a task returns."""


def a_thing() -> Thing:
    return Thing()


def swallow_term(path: str) -> None:
    """Deaf to SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wait(path)
