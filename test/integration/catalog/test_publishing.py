"""Job types published by several at once, on a real server, and by roles that are told to."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hysds.adapters.ledger.catalog_redis import RedisCatalogShelf
from hysds.adapters.ledger.server import Server
from hysds.core.errors import Conflict
from hysds.core.job_types import catalog
from hysds.core.job_types.catalog import JobType
from hysds.orchestrator import catalog_files
from hysds.orchestrator.job_types import JobTypes
from hysds.orchestrator.type_registration import register
from services.redis import RedisServer
from worlds.system import RunningSystem

_OPERATORS = 8


def types_on(server: RedisServer) -> JobTypes:
    """One operator's view, over connections of its own."""
    return JobTypes(RedisCatalogShelf(Server(server.unix_url), "t"), time.monotonic)


def test_of_operators_who_publish_at_once_one_wins_and_the_others_are_told(
    valkey_server: RedisServer,
) -> None:
    """All have looked before any publishes: one set is in force, and it is that of the one who was not told."""
    looked = threading.Barrier(_OPERATORS, timeout=30)
    won: list[str] = []
    told: list[Conflict] = []

    def publish(name: str) -> None:
        def change(known: catalog.Catalog) -> catalog.Catalog:
            looked.wait()
            return catalog.catalog([JobType(name)])

        try:
            types_on(valkey_server).change(change)
            won.append(name)
        except Conflict as refusal:
            told.append(refusal)

    threads = [threading.Thread(target=publish, args=(f"job:{number}",)) for number in range(_OPERATORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1
    assert len(told) == _OPERATORS - 1
    assert list(types_on(valkey_server).latest().types) == won


def test_types_that_are_added_at_once_are_all_there(valkey_server: RedisServer, tmp_path: Path) -> None:
    """Beside those of a reload; nobody's were lost to another's."""
    (tmp_path / "types.json").write_text(json.dumps({"configs": [{"job_type": "job:file"}]}))
    started = threading.Barrier(_OPERATORS + 1, timeout=30)

    def add(number: int) -> None:
        started.wait()
        register(types_on(valkey_server), [JobType(f"job-{number}:v1", is_added=True)], may_replace=False)

    def reload() -> None:
        started.wait()
        for _ in range(20):
            try:
                types_on(valkey_server).reload(lambda: catalog_files.read([tmp_path]))
            except Conflict:
                continue

    threads = [threading.Thread(target=add, args=(number,)) for number in range(_OPERATORS)]
    threads.append(threading.Thread(target=reload))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(types_on(valkey_server).latest().types) == sorted(
        ["job:file", *(f"job-{number}:v1" for number in range(_OPERATORS))]
    )


class _Site:
    """A reconciler with files of job types, and a client with none."""

    def __init__(self, home: Path, server: RedisServer, name: str) -> None:
        self.files = home / "types"
        self.files.mkdir()
        self.system = RunningSystem(
            home, server.unix_url, f"{server.unix_url}?db=1", HYSDS_LEDGER_PREFIX=name
        )

    def put(self, text: str) -> None:
        """Write the file of types, as an editor that is killed might."""
        (self.files / "types.json").write_text(text)

    def until_published(self, *names: str) -> None:
        """Until these types are in force."""
        self.system.until(
            lambda: sorted(self.system.client.types()) == sorted(names),
            lambda: f"{sorted(self.system.client.types())}: {self.system.log('reconciler')}",
        )

    def until_logged(self, text: str) -> None:
        """Until the reconciler has said this."""
        self.system.until(
            lambda: text in self.system.log("reconciler"), lambda: self.system.log("reconciler")
        )


@pytest.fixture
def site(tmp_path: Path, valkey_server: RedisServer, unique_name: str) -> Iterator[_Site]:
    """A site of its own."""
    one = _Site(tmp_path, valkey_server, unique_name)
    yield one
    one.system.close()


def _file(*names: str) -> str:
    return json.dumps({"configs": [{"job_type": name} for name in names]})


def test_a_reconciler_publishes_its_files_at_its_start_and_on_sighup(site: _Site) -> None:
    """A half-written file keeps what is in force, and the log says why; the reconciler goes on."""
    site.put(_file("job:one"))
    reconciler = site.system.start(
        "reconciler", "-m", "hysds", "reconciler", HYSDS_CATALOG_PATHS=str(site.files)
    )
    site.until_published("job:one")

    site.put(_file("job:one", "job:two")[:40])
    reconciler.send_signal(signal.SIGHUP)
    site.until_logged("types.json: $: not JSON")
    assert sorted(site.system.client.types()) == ["job:one"]

    site.put(_file("job:one", "job:two"))
    reconciler.send_signal(signal.SIGHUP)
    site.until_published("job:one", "job:two")
    assert reconciler.poll() is None


def test_a_reconciler_with_bad_files_does_its_other_duties(site: _Site) -> None:
    """It starts, says what is wrong, and wakes jobs."""
    site.put("{")
    site.system.start("reconciler", "-m", "hysds", "reconciler", HYSDS_CATALOG_PATHS=str(site.files))
    site.until_logged("what was in force stays so")

    job = site.system.submit("q", "true", ttl=0.1)

    assert site.system.client.wait(job, timeout_s=60)["failure_class"] == "timeout"
