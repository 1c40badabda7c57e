"""A worker that is killed: its guardian ends its jobs and tells the ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.redis import RedisServer
from worlds.system import RunningSystem

_WITNESS = """
import pathlib, sys
if "hysds.cli.gone" in sys.orig_argv:
    pathlib.Path(__file__).with_name("spoke").touch()
"""


def test_the_jobs_of_a_killed_worker_run_elsewhere_long_before_their_leases_end(
    systems: Callable[..., RunningSystem], valkey_server: RedisServer, unique_name: str, tmp_path: Path
) -> None:
    """The processes of the lost attempt are gone before the ledger hears of it; with a lease of an hour, it is the
    guardian's word that frees the job. It speaks in the worker's own environment: HySDS may be found by PYTHONPATH.
    """
    (tmp_path / "sitecustomize.py").write_text(_WITNESS)
    running = systems(f"{valkey_server.url[:-1]}1", HYSDS_LEDGER_LEASE="1h", HYSDS_WORKER_ISOLATION_LIMIT="1h",
                      PYTHONPATH=str(tmp_path))  # fmt: skip
    first = running.worker("first", unique_name, slots=1)
    gate = running.home / "gate"
    command = f"sh -c 'echo $$ > pid; mv pid started; while ! test -e {gate}; do sleep 0.02; done'"
    job_id = running.submit(unique_name, command)

    def directory() -> Path | None:
        found = sorted(running.home.glob(f"work/jobs/*/*/*/*/*/{job_id}.f*/started"))
        return found[-1].parent if found else None

    running.until(lambda: directory() is not None, lambda: running.log("first"))
    before = directory()
    assert before is not None
    pid = int((before / "started").read_text())
    running.worker("second", unique_name, slots=1)

    first.kill()

    running.until(lambda: directory() != before, lambda: running.log("second"))
    assert (tmp_path / "spoke").exists()
    with pytest.raises(FileNotFoundError):
        Path(f"/proc/{pid}/stat").read_text()
    gate.touch()
    found = running.client.wait(job_id, 60)
    assert found["status"] == "job-completed"
    assert [(attempt["how"], attempt["worker"].partition("@")[0]) for attempt in found["attempts"]] == [
        ("worker-lost", "first"),
        ("job-completed", "second"),
    ]
