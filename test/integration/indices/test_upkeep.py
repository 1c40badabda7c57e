"""Indices of a real Elasticsearch under a real ledger: rolled over, dropped, compared, lost, made again and copied."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hysds.bootstrap import System
from hysds.cli.main import main
from hysds.core.chronicle_query import ChronicleQuery
from hysds.core.generations import Generations
from hysds.core.happenings import EVENT, WORKER
from hysds.core.query import JobQuery
from hysds.core.requests import Acceptance
from hysds.indexer.indexer import Aids, Indexer, Pace
from hysds.lib.uuid7 import Uuid7Source
from hysds.reconciler.indices import Bounds, Upkeep
from hysds.settings import load
from hysds.wiring.real import RealAdapters
from services.elastic_node import ElasticNode
from services.redis import RedisServer

_TOLD = {"type": "x", "status": "s", "revision": 1_700_000_000_000, "@timestamp": "2026-01-01T00:00:00.000Z"}
_SPEC = json.dumps({"job_type": "job:x", "payload": {"k": "v"}})
_AT_ONCE = Bounds(size_bytes=10**15, age_ms=0, retention_ms=0)
"""Every index that holds something is followed by the next, and dropped as soon as nothing needs it."""


class Cluster:
    """The parts of one system, and its command line."""

    def __init__(self, variables: dict[str, str], node: ElasticNode, prefix: str) -> None:
        self.node = node
        self.prefix = prefix
        self.system = System(load.load(environ=variables).settings, RealAdapters({}))
        aids = Aids(archive=self.system.archive, indices=self.system.indices)
        pace = Pace("one", patience_s=0.0)
        self._indexer = Indexer(self.system.events, self.system.ledger, self.system.store, pace, aids=aids)
        self._new_id = Uuid7Source()
        assert self.system.indices is not None
        self.upkeep = Upkeep(self.system.ledger, self.system.indices, _AT_ONCE)

    def submit(self, count: int, **changes: Any) -> list[str]:
        jobs = [
            Acceptance(id, f"d {id}", _SPEC, "q", "1s", **changes)
            for id in (self._new_id() for _ in range(count))
        ]
        self.system.ledger.accept(jobs)
        return [job.id for job in jobs]

    def end(self, ids: list[str], forget: bool = False) -> None:
        """Ended and indexed; forgotten too, if that is asked for."""
        self.system.ledger.cancel(ids)
        self.index()
        if forget:
            assert set(self.system.ledger.forget(ids)) == set(ids)

    def index(self) -> None:
        while self._indexer.step().entries:
            pass
        self.system.store.refresh()

    def indices(self) -> list[str]:
        """The names of those of jobs, without the prefix."""
        found = self.node.request("GET", f"/_cat/indices/{self.prefix}job_status-*?format=json")
        return sorted(one["index"].removeprefix(self.prefix) for one in found)

    def held(self, index: str) -> int:
        """Documents in an index."""
        return int(self.node.request("GET", f"/{self.prefix}{index}/_count")["count"])

    def wipe(self) -> None:
        """The cluster loses all that it had."""
        self.node.wipe(self.prefix)


@pytest.fixture
def cluster(
    elastic_server: ElasticNode,
    index_prefix: str,
    valkey_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Cluster]:
    """A system whose settings stand in the environment, as its commands find them."""
    variables = {
        "HYSDS_HOME": str(tmp_path),
        "HYSDS_CONFIG": "",
        "HYSDS_LEDGER_URL": valkey_server.unix_url,
        "HYSDS_STORE_URL": elastic_server.url,
        "HYSDS_STORE_INDEX_PREFIX": index_prefix,
        "HYSDS_ARCHIVE_URL": str(tmp_path / "archive"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    made = Cluster(variables, elastic_server, index_prefix)
    assert main(["index", "init"]) == 0
    yield made
    made.system.close()


def test_new_jobs_get_new_indices_and_old_ones_are_dropped_whole(cluster: Cluster) -> None:
    """A live job keeps its index; what comes after an index has gone is a dead letter, and searches go on."""
    [live] = cluster.submit(1)
    first = cluster.submit(3)
    cluster.end(first)

    assert cluster.upkeep.look() == 1
    second = cluster.submit(2)
    cluster.end(second)
    assert (cluster.held("job_status-000001"), cluster.held("job_status-000002")) == (4, 2)
    assert cluster.upkeep.look() == 1
    assert cluster.indices() == ["job_status-000001", "job_status-000002", "job_status-000003"]

    cluster.end([live])
    cluster.upkeep.look()
    assert cluster.indices() == ["job_status-000003"]
    assert cluster.system.ledger.generations() == Generations(3, 3)

    [again] = cluster.submit(1, retry_of=live)
    cluster.index()
    assert cluster.indices() == ["job_status-000003"]
    assert cluster.system.store.search(JobQuery()).total == 1
    assert [letter.id for letter in cluster.system.store.dead_letters(9)] == [live]
    assert cluster.system.store.get([again, live])[1] is None
    assert cluster.system.events.backlog("indexer") == 0


def test_the_reconciler_looks_after_the_indices(cluster: Cluster) -> None:
    """Beside its rounds, with the bounds of the settings."""
    cluster.submit(1)
    cluster.index()
    of = cluster.system.settings
    rolling = replace(of, store=replace(of.store, rollover_age_s=0.0))
    system = System(rolling, RealAdapters({}))
    until_s = time.monotonic() + 60

    system.reconciler(lambda: 0).round()
    while system.ledger.generations().current == 1 and time.monotonic() < until_s:
        time.sleep(0.05)
    system.close()

    assert cluster.system.ledger.generations() == Generations(1, 2)
    assert cluster.indices() == ["job_status-000001", "job_status-000002"]


def test_a_store_that_was_damaged_or_lost_is_found_out_and_made_again(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ended and forgotten jobs come from the archive, all others from the ledger."""
    cluster.end(ended := cluster.submit(250), forget=True)
    cluster.end(cluster.submit(5))
    live = cluster.submit(20)
    cluster.index()
    assert main(["index", "verify"]) == 0
    assert "all the same" in capsys.readouterr().out

    path = f"/{cluster.prefix}job_status-000001/_doc"
    cluster.node.request("DELETE", f"{path}/{ended[7]}")
    held = cluster.node.request("GET", f"{path}/{live[3]}")
    version = f"version={held['_version']}&version_type=external_gte&refresh=true"
    cluster.node.request("PUT", f"{path}/{live[3]}?{version}", {**held["_source"], "error": "not ours"})
    [late] = cluster.submit(1)
    assert main(["index", "verify", "--json"]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["id"]: (one["kind"], one["late"]) for one in told[:-1]} == {
        ended[7]: ("missing", False),
        live[3]: ("other", False),
        late: ("missing", True),
    }

    cluster.wipe()
    assert main(["index", "verify"]) == 1
    assert main(["index", "rebuild"]) == 0
    cluster.index()
    capsys.readouterr()
    assert main(["index", "verify", "--wait", "30s"]) == 0
    assert "jobs 276, store 276, ledger 26, archive 255: all the same" in capsys.readouterr().out
    assert cluster.indices() == ["job_status-000001"]


def test_a_store_is_copied_to_a_file_and_back(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From Elasticsearch into SQLite, and into an empty cluster; each says the same as the ledger and the archive.

    A file that is not there is refused, and not made.
    """
    cluster.end(cluster.submit(230), forget=True)
    cluster.submit(3)
    cluster.index()
    told = [{"id": f"e{number}", "resource": EVENT, **_TOLD} for number in range(5)]
    assert len(cluster.system.chronicle.write([{"id": "w", "resource": WORKER, **_TOLD}, *told])) == 6
    cluster.node.request("POST", f"/{cluster.prefix}*/_refresh")
    file = f"sqlite://{tmp_path}/copy.db"

    assert main(["index", "copy", "--to", file]) == 0
    cluster.wipe()
    assert main(["index", "copy", "--from", file]) == 0
    capsys.readouterr()
    assert main(["index", "verify"]) == 0
    assert "jobs 233, store 233, ledger 3, archive 230: all the same" in capsys.readouterr().out

    cluster.node.request("POST", f"/{cluster.prefix}*/_refresh")
    assert [cluster.system.chronicle.search(ChronicleQuery(one)).total for one in (EVENT, WORKER)] == [5, 1]

    assert main(["index", "copy", "--from", f"{file}x"]) == 2
    assert "copy.dbx does not exist" in capsys.readouterr().err
    assert not (tmp_path / "copy.dbx").exists()

    monkeypatch.delenv("HYSDS_STORE_INDEX_PREFIX")
    monkeypatch.setenv("HYSDS_STORE_URL", file)
    assert main(["index", "verify"]) == 0


def test_the_indices_are_shown_with_what_they_hold(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people and for machines."""
    cluster.submit(2)
    cluster.index()
    cluster.upkeep.look()
    capsys.readouterr()

    assert main(["index", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    jobs = [one for one in found if one["resource"] == "job"]
    assert [(one["generation"], one["documents"], one["live"], one["state"]) for one in jobs] == [
        (1, 2, 2, "closed"),
        (2, 0, 0, "current"),
    ]
    assert main(["index"]) == 0
    assert "job_status" in capsys.readouterr().out
    assert main(["index", "init"]) == 0
    assert "all was there" in capsys.readouterr().err
