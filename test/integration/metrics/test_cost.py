"""What metrics cost the ledger: nothing a job, nothing a scrape; counted at the socket."""

from __future__ import annotations

import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hysds.bootstrap import System
from hysds.sdk.client import Client
from hysds.settings import load
from hysds.settings.metrics import Role
from hysds.wiring.real import RealAdapters
from services.counting import CountingProxy
from services.process import own_directory
from services.redis import RedisServer


class Bench:
    """A process's system whose ledger is reached over a counting proxy."""

    def __init__(self, server: RedisServer, home: Path, prefix: str, metrics_port: str) -> None:
        home.mkdir()
        self.proxy = CountingProxy(home / "ledger.sock", server.socket)
        variables = {
            "HYSDS_HOME": str(home),
            "HYSDS_CONFIG": "",
            "HYSDS_LEDGER_URL": f"unix://{self.proxy.path}",
            "HYSDS_LEDGER_PREFIX": prefix,
            "HYSDS_METRICS_PORT": metrics_port,
        }
        loaded = load.load(environ=variables, directory=home)
        self.system = System(loaded.settings, RealAdapters(loaded.handed_on()))
        self.client = Client(self.system)

    def submit(self, count: int) -> None:
        spec = {"job_type": "job:x", "job_queue": "q", "payload": {"_command": "true"}, "enable_dedup": False}
        self.client.submit_many([spec] * count)

    def sends(self, act: Callable[[], object]) -> int:
        """How often this is sent to the ledger."""
        self.proxy.take()
        act()
        return len(self.proxy.take())

    def close(self) -> None:
        self.client.close()
        self.proxy.close()


@pytest.fixture
def make(valkey_server: RedisServer, unique_name: str) -> Iterator[Callable[[str], Bench]]:
    """A bench with this `metrics.port`, and a ledger of its own."""
    home, made = own_directory("cost"), list[Bench]()

    def one(port: str) -> Bench:
        made.append(Bench(valkey_server, home / str(len(made)), f"{unique_name}{len(made)}", port))
        return made[-1]

    yield one
    for bench in made:
        bench.close()
    shutil.rmtree(home)


def test_an_indexer_with_metrics_asks_the_ledger_no_more_than_one_without(
    make: Callable[[str], Bench],
) -> None:
    """For the same jobs, round by round."""
    sends = []
    for port in ("", "0"):
        bench = make(port)
        indexer = bench.system.indexer()
        bench.submit(1)
        indexer.step()  # scripts and the group become known
        bench.submit(40)
        sends.append(bench.sends(indexer.step))

    assert sends[0] == sends[1] > 0


def test_a_scrape_asks_the_ledger_nothing(make: Callable[[str], Bench]) -> None:
    """However often, and whatever there is to tell."""
    bench = make("0")
    bench.submit(10)
    bench.system.indexer().step()
    bench.system.census().count()
    endpoint = bench.system.expose(Role.INDEXER)
    assert endpoint is not None
    assert endpoint.address is not None
    url = endpoint.address.url

    assert bench.sends(lambda: [urllib.request.urlopen(url, timeout=30).read() for _ in range(5)]) == 0


def test_the_census_asks_as_little_of_many_jobs_as_of_few(make: Callable[[str], Bench]) -> None:
    """A handful of questions each time."""
    bench = make("0")
    census = bench.system.census()
    bench.submit(1)
    census.count()  # scripts become known
    few = bench.sends(census.count)
    bench.submit(400)

    assert bench.sends(census.count) == few <= 8
