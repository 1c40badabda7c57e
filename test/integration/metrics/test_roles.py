"""Metrics of real roles: a port that another program has, an orchestrator, what is left at the end."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import urllib.request
from collections.abc import Iterator

import pytest

from hysds.core.query import JobQuery
from services.process import own_directory
from services.redis import RedisServer
from worlds.system import RunningSystem


@pytest.fixture
def system(valkey_server: RedisServer) -> Iterator[RunningSystem]:
    """Ledger and broker on one server, no role yet."""
    home = own_directory("roles")
    made = RunningSystem(home, valkey_server.unix_url, valkey_server.unix_url.replace("db=0", "db=1"))
    yield made
    made.close()
    shutil.rmtree(home)


def test_roles_work_without_the_port_that_another_program_has(system: RunningSystem) -> None:
    """Each says so once; nobody ends over it, and nobody tries in a hurry."""
    with socket.create_server(("127.0.0.1", 0)) as strangers:
        port = strangers.getsockname()[1]
        indexer = system.start("indexer", "-m", "hysds", "indexer", HYSDS_METRICS_PORT=str(port - 1))
        worker = system.worker("w1", "q", HYSDS_METRICS_PORT=str(port - 2))
        job = system.submit("q", "true")
        done = JobQuery(status=frozenset({"job-completed"}))
        system.until(
            lambda: [one["id"] for one in system.client.jobs(done).documents] == [job],
            lambda: system.log("indexer") + system.log("w1"),
        )
        assert (indexer.poll(), worker.poll()) == (None, None)
    for name, role in (("indexer", "indexer"), ("w1", "job-worker")):
        assert system.log(name).count(f"the metrics of this {role} are told nowhere") == 1
        assert f"127.0.0.1 port {port} can't be had (Address already in use)" in system.log(name)


def test_an_orchestrator_tells_what_it_received_and_takes_its_file_with_it(system: RunningSystem) -> None:
    """It is a worker of Celery as others are; the queue that it hears makes it one."""
    directory = system.home / "run" / "metrics"
    queue = system.system.settings.tasks.submit_queue
    celery = ("-m", "celery", "-A", "hysds.celery:task_app", "worker", "-Q", queue, "-c", "1", "-n", "o@here")
    process = system.start("orchestrator", *celery, HYSDS_METRICS_PORT="0")
    system.until(lambda: any(directory.glob("*.json")), lambda: system.log("orchestrator"))

    [file] = directory.iterdir()
    [group] = json.loads(file.read_text())
    with urllib.request.urlopen(f"http://{group['targets'][0]}/metrics", timeout=30) as answer:
        text = answer.read().decode()

    assert group["labels"] == {"role": "orchestrator"}
    assert 'hysds_role_info{role="orchestrator"' in text
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert list(directory.iterdir()) == []
