"""A limited key under kill -9 of workers and of the reconciler: never one over the limit, never a place lost."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from services.redis import RedisServer
from worlds.system import RunningSystem

_PLACES, _JOBS = 2, 20
_WORK = """
import fcntl, os, sys, time
folder = sys.argv[1]
def tell(word):
    line = os.open(folder + "/told", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(line, (word + "\\n").encode())
    os.close(line)
def place():
    for number in range(int(sys.argv[2])):
        lock = open(f"{folder}/place-{number}", "w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except OSError:
            pass
held = place()
tell("start" if held else "over")
time.sleep(0.15)
tell("end")
"""
"""Holds one of as many locks as there are places: the kernel lets go of it when the process is gone, however."""


def _told(home: Path, word: str) -> int:
    path = home / "told"
    return path.read_text().split().count(word) if path.exists() else 0


def test_a_limited_key_keeps_its_places_through_kills_of_workers_and_reconciler(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """Three workers with more slots than there are places; jobs without the key run beside them. At the end nothing of
    the key is left in the ledger.
    """
    running = systems(f"{valkey_server.url[:-1]}1", HYSDS_KEYS=f'{{"shared": {{"max_running": {_PLACES}}}}}',
                      HYSDS_LEDGER_LEASE="14s", HYSDS_WORKER_ISOLATION_LIMIT="14s")  # fmt: skip
    (running.home / "work.py").write_text(_WORK)
    words = (sys.executable, "-I", "-S", str(running.home / "work.py"), str(running.home), str(_PLACES))
    reconciler = running.start("reconciler", "-m", "hysds", "reconciler")
    workers = [running.worker(name, unique_name, slots=3) for name in ("first", "second", "third")]
    spec = {"job_type": "job:x", "job_queue": unique_name, "concurrency_key": "shared"}
    payloads = [{"_command": shlex.join(words), "number": number} for number in range(_JOBS)]
    submitted = running.client.submit_many([{**spec, "payload": payload} for payload in payloads])
    ids = [one.id for one in submitted]
    free = running.submit(unique_name, "true")

    def ended(count: int) -> None:
        running.until(lambda: _told(running.home, "end") >= count, lambda: running.log("first"))

    ended(3)
    workers[0].kill()
    ended(6)
    reconciler.kill()
    workers[1].kill()
    ended(9)
    running.worker("fourth", unique_name, slots=3)
    running.start("reconciler", "-m", "hysds", "reconciler")
    ended(12)
    workers[2].kill()

    found = [running.client.wait(job_id, 120) for job_id in (*ids, free)]
    assert {one["status"] for one in found} == {"job-completed"}
    assert _told(running.home, "over") == 0
    assert _told(running.home, "end") >= _JOBS
    [state] = running.system.ledger.limits(["key:shared"])
    assert (state.places, state.used, state.waiting) == (0, 0, 0)
