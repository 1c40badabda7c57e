"""An indexer whose Elasticsearch is away, from its first start on: jobs go on, and nothing of them is lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hysds.core.floor_requests import Fit
from hysds.core.requests import Bid, Commit
from hysds.core.status import Status
from hysds.ports.findings import Severity
from services.http_proxy import Cut, HttpProxy, no_harm
from services.redis import RedisServer
from worlds.system import RunningSystem


@pytest.fixture
def running(
    valkey_server: RedisServer, unique_name: str, proxy: HttpProxy, bare_prefix: str, tmp_path: Path
) -> Iterator[RunningSystem]:
    """A system over the proxy, whose store has no index yet; 50 events are many for its ledger."""
    made = RunningSystem(
        tmp_path,
        valkey_server.url,
        f"{valkey_server.url[:-1]}1",
        HYSDS_LEDGER_PREFIX=unique_name,
        HYSDS_STORE_URL=proxy.url,
        HYSDS_STORE_INDEX_PREFIX=bare_prefix,
        HYSDS_INDEXER_SPILL_AT_EVENTS="50",
    )
    yield made
    made.close()
    made.system.close()


def _complete(running: RunningSystem, count: int) -> list[str]:
    """Jobs that have come and ended."""
    ledger = running.system.ledger
    ids = [running.submit("gpu", f"echo {number}", enable_dedup=False) for number in range(count)]
    shapes = ledger.claim(Bid("w/1", ("gpu",), Fit(), f"look {ids[0]}", 30_000, 60_000)).unknown
    for number in range(count):
        lease = ledger.claim(Bid("w/1", ("gpu",), Fit(now=shapes), f"{ids[0]}{number}", 30_000, 60_000)).lease
        assert lease is not None
        ledger.commit(Commit(lease.record.id, lease.record.fence, Status.COMPLETED, detail="{}"))
    return ids


def _until_spilled(running: RunningSystem, name: str, documents: int) -> None:
    running.until(
        lambda: (
            running.system.spill.held().documents >= documents
            and running.system.events.backlog("indexer") == 0
        ),
        lambda: running.log(name),
    )


def test_an_outage_holds_nobody_back_and_loses_nothing(running: RunningSystem, proxy: HttpProxy) -> None:
    """Two indexers spill one after the other, the first is killed, and the ledger forgets the ended jobs; when the
    server answers, its indices are made and all documents are there."""
    ledger, events, spill = running.system.ledger, running.system.events, running.system.spill
    proxy.harm = lambda asked: Cut()
    # What comes while it spills may stay below the bound, and then waits in the stream.
    ids = _complete(running, 60)
    first = running.start("first", "-m", "hysds", "indexer")
    _until_spilled(running, "first", 60)
    first.kill()
    first.wait()
    assert set(ledger.forget(ids)) == set(ids)
    (found,) = running.system.checks(lambda: ())["spill"]()
    assert (found.code, found.severity) == ("spill.left", Severity.WARNING)

    ids += _complete(running, 60)
    second = running.start("second", "-m", "hysds", "indexer")
    _until_spilled(running, "second", 120)
    assert set(ledger.forget(ids[60:])) == set(ids[60:])

    proxy.harm = no_harm
    running.until(
        lambda: spill.held().documents == 0 and events.backlog("indexer") == 0, lambda: running.log("second")
    )
    documents = running.system.store.get(ids)
    assert [one and one["status"] for one in documents] == ["job-completed"] * 120
    assert running.system.store.dead_letters(10) == ()
    second.send_signal(signal.SIGTERM)
    assert second.wait() == 0, running.log("second")
