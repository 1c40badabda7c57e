"""Workers and ledgers that are killed while jobs run: every job ends once."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from redis import Redis

from services.redis import Appendfsync, RedisOptions, RedisServer
from worlds.system import RunningSystem

JOBS = 200
KILLS = 8


def test_workers_are_killed_again_and_again_and_each_job_ends_once(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """Each attempt leaves its mark under its own fence; the lists of attempts know of every mark, and nothing is left:
    no lease, no worker, no process.
    """
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    running = systems(f"{valkey_server.url[:-1]}1", HYSDS_LEDGER_LEASE="1h",
                      HYSDS_WORKER_ISOLATION_LIMIT="1h")  # fmt: skip
    running.start("reconciler", "-m", "hysds", "reconciler")
    marks = running.home / "marks"
    marks.mkdir()
    command = f"sh -c 'echo $$ > {marks}/$HYSDS_JOB_ID.$HYSDS_JOB_FENCE; exec sleep 0.05'"
    retry = {"worker-lost": {"attempts": 50, "delay": 0}}
    ids = [running.submit(unique_name, command, enable_dedup=False, retry=retry) for _ in range(JOBS)]
    workers = [running.worker(f"w{number}", unique_name) for number in range(2)]

    for kill in range(KILLS):
        # Somewhere within the next part of the jobs, and somewhere within a job.
        begun = (kill + 1) * JOBS // (KILLS + 2) + chance.randrange(10)
        _until_marks(running, marks, begun)
        victim = kill % 2
        workers[victim].kill()
        workers[victim].wait()
        workers[victim] = running.worker(f"w{victim}", unique_name)

    def all_ended() -> bool:
        return all(
            kept is not None and kept.record.status.is_terminal for kept in running.system.ledger.kept(ids)
        )

    running.until(all_ended, lambda: running.log("w0") + running.log("w1"))
    for worker in workers:
        worker.terminate()
    assert [worker.wait(60) for worker in workers] == [0, 0]
    found = running.client.jobs_by_id(ids)
    assert Counter(job["status"] for job in found) == {"job-completed": JOBS}
    listed = {
        job["id"]: {str(attempt["fence"]): attempt["how"] for attempt in job["attempts"]} for job in found
    }
    for attempts in listed.values():
        assert list(attempts.values()) == ["worker-lost"] * (len(attempts) - 1) + ["job-completed"]
    marked = [mark.name.rpartition(".") for mark in marks.iterdir()]
    assert all(fence in listed[job_id] for job_id, _, fence in marked)
    completed = {(job["id"], str(job["fence"])) for job in found}
    assert completed <= {(job_id, fence) for job_id, _, fence in marked}
    assert sum(len(attempts) for attempts in listed.values()) > JOBS
    _assert_nothing_is_left(running, valkey_server, unique_name, marks)


def _until_marks(running: RunningSystem, marks: Path, count: int) -> None:
    running.until(lambda: len(list(marks.iterdir())) >= count, lambda: running.log("w0"))


def _assert_nothing_is_left(running: RunningSystem, server: RedisServer, prefix: str, marks: Path) -> None:
    with Redis.from_url(server.url) as client:
        keys = [f"{{{prefix}}}:{name}" for name in ("lease", "workers")]
        running.until(lambda: not client.exists(*keys), lambda: running.log("reconciler"))
    for mark in marks.iterdir():
        pid = mark.read_text().strip()
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes() if pid else b""
        except FileNotFoundError:
            continue
        assert command != b"sleep\x000.05\x00"


def test_jobs_outlive_a_ledger_that_crashes_and_comes_back(
    systems: Callable[..., RunningSystem],
    valkey_server: RedisServer,
    start_valkey: Callable[[RedisOptions], RedisServer],
    unique_name: str,
) -> None:
    """One ends while it is away, one after it is back, one is cancelled then, one waited unclaimed: each ends once."""
    ledger = start_valkey(RedisOptions(appendfsync=Appendfsync.ALWAYS))
    running = systems(f"{valkey_server.url[:-1]}1", ledger.url)
    running.worker("w", unique_name, slots=3)
    gates = {name: running.home / name for name in ("during", "after", "never", "unclaimed")}

    def submit(name: str) -> str:
        gate = gates[name]
        wait = f"touch {gate}.began; while ! test -e {gate}; do sleep 0.02; done; touch {gate}.over"
        return running.submit(unique_name, f"sh -c '{wait}'")

    ids = {name: submit(name) for name in ("during", "after", "never")}
    for name in ids:
        running.until(Path(f"{gates[name]}.began").exists, lambda: running.log("w"))
    ids["unclaimed"] = submit("unclaimed")
    gates["unclaimed"].touch()

    ledger.kill()
    gates["during"].touch()
    running.until(Path(f"{gates['during']}.over").exists, lambda: running.log("w"))
    running.until(lambda: "leases are not renewed" in running.log("w"), lambda: running.log("w"))
    ledger.start()

    running.client.cancel([ids["never"]])
    gates["after"].touch()
    ended = {name: running.client.wait(job_id, 60) for name, job_id in ids.items()}
    assert {name: found["status"] for name, found in ended.items()} == {
        "during": "job-completed",
        "after": "job-completed",
        "never": "job-revoked",
        "unclaimed": "job-completed",
    }
    assert {len(found["attempts"]) for found in ended.values()} == {1}


def test_a_worker_drains_in_bounded_time_while_the_ledger_is_away(
    systems: Callable[..., RunningSystem],
    valkey_server: RedisServer,
    start_valkey: Callable[[RedisOptions], RedisServer],
    unique_name: str,
) -> None:
    """Its job is ended, it leaves with 0, and the ledger gives the job to another worker when it is back."""
    ledger = start_valkey(RedisOptions(appendfsync=Appendfsync.ALWAYS))
    running = systems(
        f"{valkey_server.url[:-1]}1",
        ledger.url,
        HYSDS_WORKER_DRAIN_TIMEOUT="0s",
        HYSDS_WORKER_STOP_GRACE="1s",
        HYSDS_LEDGER_LEASE="8s",
        HYSDS_LEDGER_RENEW_INTERVAL="0.5s",
    )
    running.start("reconciler", "-m", "hysds", "reconciler")
    first = running.worker("first", unique_name)
    pid, gate = running.home / "pid", running.home / "gate"
    wait = f"sh -c 'echo $$ > {pid}.part; mv {pid}.part {pid}; while ! test -e {gate}; do sleep 0.02; done'"
    job_id = running.submit(unique_name, wait)
    running.until(pid.exists, lambda: running.log("first"))

    ledger.kill()
    first.terminate()

    assert first.wait(60) == 0
    assert not Path(f"/proc/{int(pid.read_text())}").exists()
    ledger.start()
    gate.touch()
    running.worker("second", unique_name)
    found = running.client.wait(job_id, 60)
    assert found["status"] == "job-completed"
    assert [attempt["how"] for attempt in found["attempts"]] == ["worker-lost", "job-completed"]


def test_a_running_job_shows_its_phase_and_its_progress(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str
) -> None:
    """They travel with the renewals, into the ledger's answer and into the store."""
    running = systems(f"{valkey_server.url[:-1]}1")
    running.worker("w", unique_name)
    running.start("indexer", "-m", "hysds", "indexer")
    gate = running.home / "gate"
    command = f"sh -c 'echo \"0.5 half way\" >> $HYSDS_PROGRESS; while ! test -e {gate}; do sleep 0.02; done'"
    job_id = running.submit(unique_name, command)

    def shown() -> dict[str, object]:
        [stored] = running.system.store.get([job_id])
        document = stored or {}
        return {key: document.get(key) for key in ("status", "phase", "progress", "attempts")}

    expected = {"status": "job-started", "phase": "execute", "progress": "0.5 half way"}
    running.until(lambda: expected.items() <= shown().items(), lambda: json.dumps(shown()) + running.log("w"))
    assert [attempt.get("how") for attempt in running.client.job(job_id)["attempts"]] == [None]

    gate.touch()
    found = running.client.wait(job_id, 60)
    assert (found["status"], len(found["attempts"])) == ("job-completed", 1)
    assert set(found["phase_times"]) == {"prepare", "execute", "finish"}
