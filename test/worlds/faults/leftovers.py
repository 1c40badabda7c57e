"""What may be left of attempts that were lost: keys, processes, directories. Each finding is a sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from redis import Redis

from worlds.faults.inside import strike


def of_job(client: Redis, base: str, job_id: str) -> Iterator[str]:
    """Entries of an ended job in the ledger: in no set of live ones may it stand."""
    for key in (f"{base}lease", f"{base}due", *_keys(client, f"{base}ready:*")):
        if client.zscore(key, job_id) is not None:
            yield f"job {job_id} stands in {key}"
    for key in _keys(client, f"{base}held:*"):
        if client.hexists(key, job_id):
            yield f"job {job_id} stands in {key}"


def of_workers(client: Redis, base: str, living: frozenset[int]) -> Iterator[str]:
    """Keys of workers whose process is dead."""
    for key in _keys(client, f"{base}worker:*"):
        facts = client.hget(key, "facts")
        if facts is not None and json.loads(facts)["pid"] not in living:
            yield f"{key} is of a worker that is dead"
    announced = incarnations(client, base)
    for kind in ("inbox", "held"):
        for key in _keys(client, f"{base}{kind}:*"):
            if key.removeprefix(f"{base}{kind}:") not in announced:
                yield f"{key} is of a worker that is not announced"


def incarnations(client: Redis, base: str) -> frozenset[str]:
    """Of all announced workers."""
    return frozenset(key.removeprefix(f"{base}worker:") for key in _keys(client, f"{base}worker:*"))


def announced_pids(client: Redis, base: str) -> frozenset[int]:
    """The processes of all announced workers."""
    facts = [client.hget(key, "facts") for key in _keys(client, f"{base}worker:*")]
    return frozenset(json.loads(text)["pid"] for text in facts if text is not None)


def processes(job_id: str) -> Iterator[str]:
    """Living processes that have the job's id in their environment."""
    mark = f"HYSDS_JOB_ID={job_id}\0".encode()
    for entry in os.listdir("/proc"):
        if entry.isdecimal() and strike.state(int(entry)) not in ("", "Z"):
            try:
                environ = Path(f"/proc/{entry}/environ").read_bytes()
            except OSError:
                continue
            if mark in environ:
                yield f"process {entry} of job {job_id} lives"


def directories(work_dir: Path, job_id: str, fence: int, told: frozenset[int]) -> Iterator[str]:
    """Directories of attempts whose end nobody told, and a link to another than the last.

    `fence`: of the attempt that ended the job. `told`: of those that ended by a commit or a release, whose directories
    stay.
    """
    for found in work_dir.glob(f"jobs/*/*/*/*/*/*{job_id}*"):
        if found.is_symlink() and os.readlink(found) != f"{job_id}.f{fence}":
            yield f"{found.name} is a link to {os.readlink(found)}"
        elif not found.is_symlink() and found.name not in {f"{job_id}.f{one}" for one in told}:
            yield f"{found.name} is left of an attempt that was lost"


def footholds(work_dir: Path, announced: frozenset[str]) -> Iterator[str]:
    """Folders of workers that are no more."""
    for found in (work_dir / ".workers").glob("*"):
        if unquote(found.name) not in announced:
            yield f"{found} is of a worker that is not announced"


def keys_of_jobs(client: Redis, base: str) -> list[str]:
    """Keys about one job, live output apart: that is kept for people, for its own time."""
    about = ("job", "spec", "long", "tries", "error", "held", "ready")
    return [key for name in about for key in _keys(client, f"{base}{name}:*")]


def _keys(client: Redis, pattern: str) -> list[str]:
    return sorted(key.decode() for key in client.scan_iter(pattern.replace("{", r"\{"), count=1000))
