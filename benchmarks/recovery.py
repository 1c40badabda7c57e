"""How soon a job goes on when what ran it is gone, and how soon one ends that nobody wants any more."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import sampling, system
from benchmarks.processes import directory
from benchmarks.row import Samples
from benchmarks.server import server
from hysds.lib.process.guard import tree
from hysds.sdk.client import Client

_ROUNDS = 50
_MANY = 10_000
_WITHIN_S = 120.0
_LOOKS_EVERY_S = 0.002


def killed_worker() -> Samples:
    """Seconds from kill -9 of a worker to its job running on another; the floor: from submit to running."""
    with directory() as home, server(home), system.duties(home), ExitStack() as workers:
        names = {f"w{number}": workers.enter_context(_one_slot(home, f"w{number}")) for number in range(2)}
        with system.client(home) as client:
            pairs = []
            for _ in range(_ROUNDS):
                job_id, started_s = _start(client, home)
                victim = client.job(job_id)["celery_hostname"].partition("@")[0]
                killed_s = time.time()
                names[victim].kill()
                pairs.append((_marks(home, job_id, 2)[1] - killed_s, started_s))
                _cancel(client, job_id)
                names[victim].wait()
                names[victim] = workers.enter_context(_one_slot(home, victim))
    return Samples(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))


def killed_host() -> Samples:
    """Seconds from kill -9 of a worker and its guardian to each of its jobs running elsewhere; the floor: the lease."""
    with (
        directory() as home,
        server(home),
        system.duties(home),
        system.client(home) as client,
        system.worker(home, "first", _ROUNDS) as first,
    ):
        ids = [client.submit(_marking(home)).id for _ in range(_ROUNDS)]
        for job_id in ids:
            _marks(home, job_id, 1)
        # Another work directory: to the second worker the first one's host is out of sight.
        other = {"HYSDS_WORKER_WORK_DIR": str(home / "elsewhere")}
        with system.worker(home, "second", _ROUNDS, **other):
            killed_s = time.time()
            for pid in (*tree.children(first.pid), first.pid):
                os.kill(pid, signal.SIGKILL)
            again = tuple(_marks(home, job_id, 2)[1] - killed_s for job_id in ids)
            client.cancel(ids)
            for job_id in ids:
                client.wait(job_id, _WITHIN_S)
    return Samples(again, (30.0,) * _ROUNDS)


def cancel_running() -> Samples:
    """Seconds from the cancel of a running job to its recorded end; the floor: SIGTERM to a sleep and its exit."""
    with directory() as home, server(home), system.roles(home), system.client(home) as client:

        def ours() -> float:
            job_id, _ = _start(client, home)
            return sampling.duration(partial(_cancel, client, job_id))

        return sampling.alternate(ours, _end_sleep, _ROUNDS, warm_ups=2)


def cancel_queued() -> Samples:
    """Seconds of the cancel of 10^4 queued jobs; the floor: as many DELs, in pipelines of 500."""
    with directory() as home, server(home) as started, system.client(home) as client:

        def ours() -> float:
            specs = [system.spec("/bin/true") for _ in range(_MANY)]
            ids = [submission.id for submission in client.submit_many(specs)]
            return sampling.duration(partial(client.cancel, ids))

        with started.client(9) as raw:
            return sampling.alternate(ours, partial(_delete_all, raw), 5, warm_ups=1)


def resubmit() -> Samples:
    """Seconds of submitting a job again whose twin has just failed; the floor: of submitting it the first time."""
    with directory() as home, server(home), system.roles(home), system.client(home) as client:
        pairs = [_fail_and_submit_again(client, number) for number in range(_ROUNDS)]
    return Samples(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))


def _fail_and_submit_again(client: Client, number: int) -> tuple[float, float]:
    """Seconds of the second submission, and of the first.

    Raises: RuntimeError where the failed job still stands for its twin.
    """
    failing = system.spec("/bin/false") | {"enable_dedup": True}
    failing["payload"] = {"_command": "/bin/false", "number": number}
    began = time.perf_counter()
    job_id = client.submit(failing).id
    first_s = time.perf_counter() - began
    client.wait(job_id, _WITHIN_S)
    began = time.perf_counter()
    again = client.submit(failing)
    again_s = time.perf_counter() - began
    if again.twin:
        raise RuntimeError(f"job {job_id} failed and still stands for its twin {again.id}")
    client.wait(again.id, _WITHIN_S)
    return again_s, first_s


def _one_slot(home: Path, name: str) -> Any:
    return system.worker(home, name, 1)


def _marking(home: Path) -> dict[str, Any]:
    """A job that leaves a mark when it begins, and then runs for long."""
    (home / "marks").mkdir(exist_ok=True)
    mark = f"{home}/marks/$HYSDS_JOB_ID.$HYSDS_JOB_FENCE"
    return system.spec(f"sh -c 'touch {mark}; exec sleep 600'")


def _start(client: Client, home: Path) -> tuple[str, float]:
    """A running job, and how many seconds it took from its submission."""
    began_s = time.time()
    job_id = client.submit(_marking(home)).id
    return job_id, _marks(home, job_id, 1)[0] - began_s


def _marks(home: Path, job_id: str, count: int) -> list[float]:
    """When each of so many attempts began (wall seconds), as soon as there are so many.

    Raises: TimeoutError
    """
    until = time.monotonic() + _WITHIN_S
    while time.monotonic() < until:
        found = sorted(mark.stat().st_mtime for mark in (home / "marks").glob(f"{job_id}.*"))
        if len(found) >= count:
            return found
        time.sleep(_LOOKS_EVERY_S)
    raise TimeoutError(f"job {job_id} did not begin for the {count}. time")


def _cancel(client: Client, job_id: str) -> None:
    client.cancel([job_id])
    client.wait(job_id, _WITHIN_S)


def _end_sleep() -> float:
    sleeping = subprocess.Popen(["sleep", "600"])

    def end() -> None:
        sleeping.terminate()
        sleeping.wait()

    return sampling.duration(end)


def _delete_all(raw: Any) -> float:
    names = [f"job-{number}" for number in range(_MANY)]
    chunks = [names[start : start + 500] for start in range(0, _MANY, 500)]
    _each(raw, chunks, lambda pipeline, name: pipeline.set(name, "x" * 64))
    return sampling.duration(partial(_each, raw, chunks, lambda pipeline, name: pipeline.delete(name)))


def _each(raw: Any, chunks: list[list[str]], command: Callable[[Any, str], object]) -> None:
    for chunk in chunks:
        with raw.pipeline(transaction=True) as pipeline:
            for name in chunk:
                command(pipeline, name)
            pipeline.execute()
