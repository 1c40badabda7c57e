"""How a process that has come to an armed moment kills: itself, or another by its pid, and then goes on.

A moment is armed by a file, which whoever strikes takes away first, so that one strikes once, whichever of many
processes and threads come by. What was done stands in a second file, written before the kill. Standard library only.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

_GONE_WITHIN_MS = 10_000


class Arms:
    """The fault points of one directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def arm(self, moment: str, job_id: str, victim: str) -> None:
        """The next call at this moment that is about the job kills the victim."""
        self._put(f"armed {moment}", {"job_id": job_id, "victim": victim})

    def disarm(self, moment: str) -> None:
        """Nobody shall strike; whoever has, has."""
        self._take(f"armed {moment}")
        self._take(f"struck {moment}")

    def told(self, moment: str) -> dict[str, Any] | None:
        """What the strike did; None: nobody has struck."""
        try:
            with open(self._path(f"struck {moment}")) as file:
                return dict(json.load(file))
        except FileNotFoundError:
            return None

    def note(self, role: str, pid: int) -> None:
        """A role's process has this pid."""
        self._put(f"pid {role}", {"pid": pid})

    def reached(self, moment: str, about: Callable[[], str | None]) -> None:
        """This process is at this moment. `about`: which jobs it is about; None: any."""
        try:
            with open(self._path(f"armed {moment}")) as file:
                armed = json.load(file)
        except FileNotFoundError:
            return
        try:
            named = about()
        except Exception as error:  # noqa: BLE001  what it looked at has changed its shape: its cells shall say so
            named = self._complain(moment, f"{type(error).__name__}: {error}")
        if (named is None or armed["job_id"] in named) and self._take(f"armed {moment}"):
            self._strike(moment, armed["victim"], armed["job_id"])

    def _strike(self, moment: str, role: str, job_id: str) -> None:
        pid = _Victims(self._directory, job_id).pid(role)
        self._put(f"struck {moment}", {"victim": role, "pid": pid, "by": os.getpid(), "boot_s": _boot_s()})
        if pid is not None:
            _kill(pid)

    def _complain(self, moment: str, what: str) -> str:
        self._put(f"struck {moment}", {"error": what})
        return ""

    def _put(self, name: str, values: dict[str, Any]) -> None:
        aside = self._path(f"{name}.{os.getpid()}.part")
        with open(aside, "w") as file:
            json.dump(values, file)
        os.replace(aside, self._path(name))

    def _take(self, name: str) -> bool:
        try:
            os.unlink(self._path(name))
        except FileNotFoundError:
            return False
        return True

    def _path(self, name: str) -> str:
        return f"{self._directory}/{name.replace(' ', '-')}"


class _Victims:
    """Who plays a role for a job, seen from this process: its own kin first, then whoever has the job, then any."""

    def __init__(self, directory: str, job_id: str) -> None:
        self._directory = directory
        self._job_id = job_id

    def pid(self, role: str) -> int | None:
        """None: nobody does."""
        if role == "keeper":
            return self._keeper()
        if role == "guardian":
            worker = self._worker()
            return None if worker is None else _first_named(children(worker), "guardian")
        return self._worker() if role == "worker" else self._noted(role)

    def _keeper(self) -> int | None:
        """The job's own; that of another job of the system while this one has none."""
        if name(os.getpid()) == "keeper":
            return os.getpid()
        return self._keeper_of_job() or next(iter(self._keepers()), None)

    def _keeper_of_job(self) -> int | None:
        for keeper in self._keepers():
            for command in children(keeper):
                if f"HYSDS_JOB_ID={self._job_id}\0".encode() in _read(f"/proc/{command}/environ"):
                    return keeper
        return None

    def _worker(self) -> int | None:
        """The one whose process, guardian or keeper this is; else who runs the job; else the first."""
        workers = self._workers()
        near = [pid for start in (os.getpid(), self._keeper_of_job()) if start for pid in line(start)]
        return next((pid for pid in [*near, *workers] if pid in workers), None)

    def _workers(self) -> list[int]:
        noted = sorted(file for file in os.listdir(self._directory) if file.startswith("pid-worker"))
        pids = [self._noted(file.removeprefix("pid-")) for file in noted]
        return [pid for pid in pids if pid is not None and state(pid) not in ("", "Z")]

    def _keepers(self) -> list[int]:
        found = []
        for worker in self._workers():
            for guardian in children(worker):
                found += [pid for pid in children(guardian) if name(pid) == "keeper" and state(pid) != "Z"]
        return found

    def _noted(self, role: str) -> int | None:
        try:
            with open(f"{self._directory}/pid-{role}") as file:
                return int(json.load(file)["pid"])
        except FileNotFoundError:
            return None


def children(pid: int) -> list[int]:
    """Of all its threads."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return [
        int(child) for thread in threads for child in _read(f"/proc/{pid}/task/{thread}/children").split()
    ]


def name(pid: int) -> str:
    """What `ps` shows."""
    return _read(f"/proc/{pid}/comm").decode().strip()


def state(pid: int) -> str:
    """`Z` is a zombie; "" where there is no such process."""
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].decode().strip()[:1]


def parent(pid: int) -> int | None:
    """Its parent's pid; None where there is no such process."""
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else None


def line(pid: int) -> list[int]:
    """A living process, its parent, and so on up to the first process; empty where it does not live."""
    found = []
    while pid > 1 and state(pid) not in ("", "Z"):
        found.append(pid)
        pid = parent(pid) or 0
    return found


def _first_named(pids: list[int], wanted: str) -> int | None:
    return next((pid for pid in pids if name(pid) == wanted and state(pid) != "Z"), None)


def _kill(pid: int) -> None:
    """SIGKILL; returns when the process is dead, which for our own never comes."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        os.kill(pid, signal.SIGKILL)
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.poll(_GONE_WITHIN_MS)
    finally:
        os.close(fd)


def _boot_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
