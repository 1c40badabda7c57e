"""How often client and worker send to the ledger for one job, counted at their sockets; the worker has metrics."""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hysds.adapters.engines.base import EngineSettings
from hysds.adapters.engines.process import ProcessEngine
from hysds.adapters.metrics.memory import MemoryMetrics
from hysds.bootstrap import System
from hysds.job_worker import assembly
from hysds.leasing.worker import Identity, LeaseWorker
from hysds.sdk.client import Client
from hysds.settings import load
from hysds.wiring.real import RealAdapters
from services.counting import CountingProxy
from services.process import own_directory
from services.redis import RedisServer


class Bench:
    """A client and a worker, each on a proxy of its own, in one process; threads stand in for Celery's pool."""

    def __init__(self, server: RedisServer, prefix: str) -> None:
        self.home = home = own_directory("trips")
        self.proxies = {
            name: CountingProxy(home / f"{name}.sock", server.socket) for name in ("client", "worker")
        }
        self.systems = {name: self._system(name, home, prefix) for name in self.proxies}
        self.client = Client(self.systems["client"])
        self.worker = self._worker()
        self.ended = threading.Semaphore(0)

    def start(self) -> None:
        """The worker announces itself."""
        self.worker.start(self._call, lambda: None)

    def run(self) -> list[bytes]:
        """All that was sent for one job, from its acceptance to its commit."""
        for proxy in self.proxies.values():
            proxy.take()
        self.client.submit(
            {"job_type": "job:x", "job_queue": "q", "payload": {"_command": "true"}, "enable_dedup": False}
        )
        assert self.ended.acquire(timeout=30)
        return [sent for proxy in self.proxies.values() for sent in proxy.take()]

    def close(self) -> None:
        self.worker.close()
        for system in self.systems.values():
            system.close()
        for proxy in self.proxies.values():
            proxy.close()
        shutil.rmtree(self.home)

    def _system(self, name: str, home: Path, prefix: str) -> System:
        variables = {
            "HYSDS_HOME": str(home),
            "HYSDS_CONFIG": "",
            "HYSDS_LEDGER_URL": f"unix://{self.proxies[name].path}",
            "HYSDS_LEDGER_PREFIX": prefix,
            "HYSDS_LEDGER_RENEW_INTERVAL": "5s",
        }
        loaded = load.load(environ=variables, directory=home)
        return System(loaded.settings, RealAdapters(loaded.handed_on()))

    def _worker(self) -> LeaseWorker:
        system = self.systems["worker"]
        engine = ProcessEngine(EngineSettings(600.0, 600.0))
        world = assembly.World(system.ledger, system.logs, engine, random.random, metrics=MemoryMetrics())
        return assembly.job_worker(Identity("w@t/1", "w@t", "t", ("q",), 2, "{}"), system.settings, world)

    def _call(self, queue: str, times: int) -> None:
        threading.Thread(target=self._perform, args=(queue,)).start()

    def _perform(self, queue: str) -> None:
        if self.worker.perform(queue, lambda shown: None) is not None:
            self.ended.release()


@pytest.fixture
def bench(valkey_server: RedisServer, unique_name: str) -> Iterator[Bench]:
    made = Bench(valkey_server, unique_name)
    yield made
    made.close()


def test_a_job_costs_four_round_trips_from_accept_to_commit(bench: Bench) -> None:
    """Accept, the wait for the inbox taken up again, claim, and the commit with its bid; renewals come by the clock."""
    bench.start()
    for _ in range(3):
        bench.run()  # connections, scripts and shapes become known

    sends = [bench.run() for _ in range(8)]

    fewest = min(sends, key=len)
    assert len(fewest) <= 4, fewest
