"""Creators that behave in all the ways that creators can, called by tests under the name `worlds.creating.NAME`."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from subprocess import run as run_command
from typing import Any

CALLS: Counter[str] = Counter()
"""What a call may leave behind in its module."""
FOLDER = Path(__file__).parents[1]

__all__ = ["run_command"]


def one(info: dict[str, Any]) -> dict[str, Any]:
    """One job."""
    return {"type": "tile", "params": info}


def several(info: dict[str, Any], job_type: str) -> list[dict[str, Any]]:
    """As many as the request asks for, of the type that was asked for."""
    type_ = info.get("type", job_type)
    return [{"type": type_, "params": {"number": number}} for number in range(info["count"])]


def counting(info: dict[str, Any]) -> dict[str, Any]:
    """Remembers its calls, and answers how many it remembers."""
    CALLS["counting"] += 1
    return {
        "type": "tile",
        "params": {"calls": CALLS["counting"], "pid": os.getpid(), "parent": os.getppid()},
    }


def raising(info: dict[str, Any]) -> dict[str, Any]:
    """Goes wrong as code does."""
    return {"type": "tile", "params": {"width": 1 / info["nothing"]}}


def leaving(info: dict[str, Any]) -> None:
    """Ends Python."""
    sys.exit("enough")


def printing(info: dict[str, Any]) -> dict[str, Any]:
    """Prints far more than a pipe holds, and through descriptor 1 too."""
    print("noise " * 100_000)
    os.write(1, b'{"jobs": []}\n' * 10_000)
    return {"type": "tile", "params": {}}


def text(info: dict[str, Any]) -> Any:
    """No description."""
    return "a job, please"


def texts(info: dict[str, Any]) -> Any:
    """A description and something else."""
    return [{"type": "tile", "params": {}}, 7]


def nothing(info: dict[str, Any]) -> None:
    """Forgot to return."""


def bytes_within(info: dict[str, Any]) -> dict[str, Any]:
    """What JSON can't hold."""
    return {"type": "tile", "params": {"raw": b"\0"}}


def no_number(info: dict[str, Any]) -> dict[str, Any]:
    """A number that JSON does not have."""
    return {"type": "tile", "params": {"ratio": float("nan")}}


def round_trip(info: dict[str, Any]) -> dict[str, Any]:
    """A description that holds itself."""
    job: dict[str, Any] = {"type": "tile"}
    job["params"] = {"job": job}
    return job


def huge(info: dict[str, Any]) -> dict[str, Any]:
    """A hundred megabytes."""
    return {"type": "tile", "params": {"text": "x" * 100_000_000}}


def endless_answer(info: dict[str, Any]) -> None:
    """Writes into every descriptor that it finds, as code with a stray descriptor does."""
    found = [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]
    while True:
        for fd in found:
            try:
                os.write(fd, b"x" * 65536)
            except OSError:
                continue


def hanging(info: dict[str, Any]) -> None:
    """Waits for what never comes, and hears no request to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(3600)


def waiting(info: dict[str, Any]) -> dict[str, Any]:
    """Waits until a file is there."""
    while not Path(info["until"]).exists():
        time.sleep(0.01)
    return {"type": "tile", "params": {}}


def hanging_in_c(info: dict[str, Any]) -> None:
    """Never comes back to the interpreter."""
    ctypes.PyDLL(None).pause()  # holds the interpreter's lock


def stopping(info: dict[str, Any]) -> None:
    """Stops itself, so that it can't end itself either."""
    os.kill(os.getpid(), signal.SIGSTOP)


def dying(info: dict[str, Any]) -> None:
    """Leaves its process without a word."""
    os._exit(3)


def dying_well(info: dict[str, Any]) -> None:
    """Leaves its process as if all were well."""
    os._exit(0)


def crashing(info: dict[str, Any]) -> None:
    """Reads where there is nothing."""
    ctypes.string_at(0)


def eating(info: dict[str, Any]) -> None:
    """Takes more memory than it may."""
    bytearray(4 * 2**30)


def killing_its_parent(info: dict[str, Any]) -> None:
    """Ends the process that forked it."""
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(3600)


def leaving_processes(info: dict[str, Any]) -> dict[str, Any]:
    """Leaves a process that wants to outlive it in a session of its own."""
    left = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    return {"type": "tile", "params": {"left": left.pid}}


def looking_around(info: dict[str, Any]) -> dict[str, Any]:
    """What it finds of whoever called it."""
    fds = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_open(fd)]
    told = {"environ": dict(os.environ), "fds": fds, "cwd": os.getcwd(), "stdin": sys.stdin.read()}
    return {"type": "tile", "params": json.loads(json.dumps(told))}


def _is_open(fd: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")


number = 7
"""Nothing that can be called."""
