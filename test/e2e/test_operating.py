"""An operator's commands against a system that runs: explain, retry, workers, drain and resume, cancel."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from hysds.sdk.following import Output

_PATIENCE_S = 120.0
_UNKNOWN = "01930f5e-7b1c-7000-8000-0123456789ab"


def _spec(script: str, **fields: Any) -> bytes:
    payload = {"_command": f"sh -c '{script}'"}
    spec = {"job_type": "job:e2e", "job_queue": "default", "enable_dedup": False, "payload": payload}
    return json.dumps(spec | fields).encode()


def _submit(standing: Any, script: str, **fields: Any) -> str:
    with standing.client() as client:
        return str(client.submit(_spec(script, **fields)).id)


def _document(standing: Any, job_id: str, has_ended: bool = False) -> dict[str, Any]:
    """What is known of a job, once it has ended if that is asked for."""
    with standing.client() as client:
        return dict(client.wait(job_id, _PATIENCE_S) if has_ended else client.job(job_id))


def _ended(standing: Any, script: str, **fields: Any) -> str:
    job_id = _submit(standing, script, **fields)
    _document(standing, job_id, has_ended=True)
    return job_id


def _running(standing: Any, **fields: Any) -> tuple[str, Any]:
    """A job that runs until its gate opens, and the gate."""
    gate = standing.directory / f"gate-{os.urandom(4).hex()}"
    job_id = _submit(standing, f"echo begun; until [ -e {gate} ]; do sleep 0.05; done", **fields)
    with standing.client() as client:
        assert any(isinstance(seen, Output) for seen in client.follow(job_id))
    return job_id, gate


def _explained(standing: Any, job_id: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(standing.hysds("explain", "--json", job_id).stdout)
    return told


def _worker(standing: Any) -> dict[str, Any]:
    [line] = standing.hysds("workers", "--json").stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def _phases(standing: Any, name: str) -> list[str | None]:
    whole = json.loads(standing.hysds("workers", name, "--json").stdout)
    return [job.get("phase") for job in whole["jobs"]]


def test_explain_says_why_a_job_failed_and_what_its_output_says(standing: Any) -> None:
    """Class, phase, exit code, the decisive line, and what to do, for people and for machines."""
    job_id = _ended(standing, "echo reading; gdalwarp-of-nobody in.tif out.tif")
    shown = standing.hysds("explain", job_id)
    told = _explained(standing, job_id)

    assert shown.returncode == 0
    lines = shown.stdout.decode().splitlines()
    assert lines[0].startswith(f"job {job_id} is job-failed: it failed as user in phase execute")
    assert any(re.fullmatch(r"output +stderr: .*gdalwarp-of-nobody: not found", line) for line in lines)
    assert (told["reason"], told["sign"]) == ("failed", "command-not-found")
    assert told["failure"]["exit_code"] == 127


def test_explain_says_what_a_job_waits_for(standing: Any) -> None:
    """Nobody hears its queue; no worker is large enough; its time has not come."""
    nobody = _submit(standing, "true", job_queue="nobody-hears-this")
    large = _submit(standing, "true", resources={"memory": "100TB"})
    later = _submit(standing, "true", not_before="2036-01-31T18:00:00Z")

    assert _explained(standing, nobody)["reason"] == "no-worker"
    # The worker judges a shape that it has not seen by what it has.
    assert _explained(standing, large)["reason"] == "too-large"
    assert _explained(standing, later)["reason"] == "not-before"
    cancelled = standing.hysds("cancel", nobody, large, later)
    assert cancelled.returncode == 0
    assert _explained(standing, nobody)["reason"] == "revoked"


def test_explain_says_where_a_job_runs_and_who_is_full(standing: Any) -> None:
    """The one that waits is told which worker could take it and what that lacks."""
    gates = [_running(standing) for _ in range(2)]
    third = _submit(standing, "true")
    running, waiting = _explained(standing, gates[0][0]), _explained(standing, third)
    while waiting["reason"] != "workers-busy":  # until the worker's next renewal says that it is full
        waiting = _explained(standing, third)
    for _, gate in gates:
        gate.touch()

    assert running["reason"] == "running"
    assert "celery@w1" in running["sentence"]
    assert waiting["workers"][0]["name"] == "celery@w1"
    assert waiting["workers"][0]["lacks"][0]["what"] == "slots"
    assert _document(standing, third, has_ended=True)["status"] == "job-completed"


def test_explain_of_an_unknown_id_says_how_long_records_are_kept(standing: Any) -> None:
    """A wrong request, with exit code 2."""
    asked = standing.hysds("explain", _UNKNOWN)

    assert asked.returncode == 2
    assert b"records of ended jobs stay 1h in the ledger" in asked.stdout


def test_retry_runs_a_failed_job_again_as_a_new_one(standing: Any) -> None:
    """Both documents name each other; a live job is refused."""
    marker = standing.directory / f"marker-{os.urandom(4).hex()}"
    old = _ended(standing, f"test -e {marker}")
    marker.touch()
    retried = standing.hysds("retry", old)
    new = retried.stdout.decode().strip()

    assert retried.returncode == 0, retried.stderr
    two = _document(standing, new, has_ended=True)
    one = _document(standing, old)
    assert (one["status"], one["retried_by"]) == ("job-failed", new)
    assert (two["status"], two["retry_of"]) == ("job-completed", old)

    live, gate = _running(standing)
    refused = standing.hysds("retry", live, old)
    gate.touch()
    assert refused.returncode == 2
    assert f"{live} is job-started".encode() in refused.stderr
    assert b"cancel it first" in refused.stderr
    assert refused.stdout == b""


def test_workers_shows_who_takes_jobs_and_what_each_holds(standing: Any) -> None:
    """As a table, in detail, and as JSON."""
    job_id, gate = _running(standing)
    told = _worker(standing)
    while told["slots_used"] != 1:  # until its next renewal says so
        told = _worker(standing)
    while _phases(standing, "w1") != ["execute"]:  # and the one behind it, which tells of the job
        pass
    table = standing.hysds("workers").stdout.decode().splitlines()
    whole = standing.hysds("workers", "w1").stdout.decode()
    gate.touch()

    assert (told["name"], told["state"], told["gate"]) == ("celery@w1", "working", "open")
    assert [job["id"] for job in told["jobs"]] == [job_id]
    assert table[0].split() == [
        "name",
        "host",
        "state",
        "gate",
        "slots",
        "jobs",
        "load",
        "memory",
        "disk",
        "queues",
        "version",
        "heard",
    ]
    assert table[1].split()[0] == "celery@w1"
    assert re.search(r"(?m)^queues +default,narrow$", whole)
    assert re.search(r"(?m)^host memory +\S+ \S+ of \S+ \S+ free$", whole)
    assert re.search(rf"(?m)^{job_id} +job:e2e +execute +20\S+Z$", whole)


def test_a_name_that_no_worker_has_is_refused_with_those_that_there_are(standing: Any) -> None:
    """For whatever is asked of it."""
    for asked in (["workers", "w9"], ["worker", "drain", "w9"], ["worker", "resume", "w9"]):
        refused = standing.hysds(*asked)
        assert refused.returncode == 2
        assert b"no worker is called w9" in refused.stderr
        assert b"celery@w1" in refused.stderr


def test_a_drained_worker_takes_nothing_until_it_is_resumed(standing: Any) -> None:
    """What runs there goes on; `--wait` returns when it has ended; the jobs that waited run after the resume."""
    running, gate = _running(standing)
    drained = standing.hysds("worker", "drain", "w1", "--reason", "new kernel")
    waits = _submit(standing, "true")
    told = _explained(standing, waits)
    waiter = standing.start("worker", "drain", "w1", "--wait")
    waiter.await_text("1 job runs there", "out")
    gate.touch()

    assert b"celery@w1 is drained" in drained.stdout
    assert b"1 job runs there and may go on until it ends" in drained.stdout
    assert told["reason"] == "workers-draining"
    assert "new kernel" in told["workers"][0]["lacks"][0]["text"]
    assert waiter.end() == 0
    assert b"nothing runs on celery@w1\n" in waiter.out
    assert _document(standing, running)["status"] == "job-completed"
    assert _document(standing, waits)["status"] == "job-queued"
    assert _worker(standing)["state"] == "drained"
    assert standing.hysds("worker", "resume", "w1").stdout == b"celery@w1 takes jobs again\n"
    assert _document(standing, waits, has_ended=True)["status"] == "job-completed"
    assert standing.hysds("worker", "resume", "w1").stdout == b"celery@w1 was not drained\n"


def test_jobs_that_a_drain_does_not_wait_for_run_again_elsewhere(standing: Any) -> None:
    """They are stopped at the deadline and given back, and lose no attempt."""
    job_id, gate = _running(standing)
    drained = standing.hysds("worker", "drain", "w1", "--within", "0s", "--wait")
    back = _document(standing, job_id)
    gate.touch()
    standing.hysds("worker", "resume", "w1")

    assert drained.returncode == 0, drained.stderr
    assert back["status"] == "job-queued"
    assert [attempt["how"] for attempt in back["attempts"]] == ["released"]
    assert _document(standing, job_id, has_ended=True)["status"] == "job-completed"


def test_cancel_waits_for_the_end_and_reads_ids_from_stdin(standing: Any) -> None:
    """How each ended is told."""
    running, _ = _running(standing)
    queued = _submit(standing, "true", job_queue="nobody-hears-this")
    ids = f"{running}\n{queued}\n{running}\n".encode()
    cancelled = standing.hysds("cancel", "--wait", "--json", "-", stdin=ids)

    assert cancelled.returncode == 0
    assert [json.loads(line) for line in cancelled.stdout.splitlines()] == [
        {"id": running, "answer": "job-revoked"},
        {"id": queued, "answer": "job-revoked"},
    ]
    assert _document(standing, running)["status"] == "job-revoked"
