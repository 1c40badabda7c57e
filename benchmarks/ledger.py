"""The ledger alone, beside the plainest use of the same server: jobs a second, and bytes a job."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks import raw_celery, sampling
from benchmarks.processes import directory
from benchmarks.row import Samples
from benchmarks.server import Server, server
from hysds.bootstrap import System
from hysds.core import parse
from hysds.core.acceptance import DedupPolicy, acceptance
from hysds.core.floor_requests import Fit
from hysds.core.ids import JobId
from hysds.core.record import FOREVER
from hysds.core.requests import Acceptance, Bid, Commit, Lease
from hysds.core.status import Status
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.ledger import Ledger
from hysds.settings.model import Settings

_BATCH = 500
_ROUNDS = 10
TURNS = 200
_MANY = 100_000
_PUBLISHED = 5_000
_ENDED = 2_000
_POLICY = DedupPolicy(frozenset({Status.QUEUED, Status.WAITING, Status.STARTED, Status.COMPLETED}), FOREVER)
_DETAIL = json.dumps(
    {
        "exit_code": 0,
        "pid": 12345,
        "phases": [
            {"name": name, "start": 1767225600.0, "end": 1767225601.0}
            for name in ("prepare", "execute", "finish")
        ],
        "job_dir": "/data/work/jobs/2026/01/01/00/00/019b76da-a800-7000-8000-000000000000.f1767225600000000",
        "execute_node": "gpu-1",
        "usage": {"cpu_s": 1.0, "max_rss_bytes": 1000000},
    }
)


def accept() -> Samples:
    """Jobs a second that the ledger accepts, 500 a step; the floor: as many SETs of the same specs in one pipeline."""
    with opened() as (ledger, started), started.client(9) as raw:
        endless = submissions()

        def ours() -> float:
            batch = list(itertools.islice(endless, _BATCH))
            return sampling.rate(partial(ledger.accept, batch), _BATCH)

        def floor() -> float:
            batch = list(itertools.islice(endless, _BATCH))
            return sampling.rate(partial(_set_all, raw, batch), _BATCH)

        return sampling.alternate(ours, floor, _ROUNDS, warm_ups=1)


def turns() -> Samples:
    """Jobs a second that one thread commits and claims, one send each; the floor: single SETs of the same size."""
    with opened() as (ledger, started), started.client(9) as raw:
        floor = partial(sampling.rate, partial(_set_each, raw), TURNS)
        return sampling.alternate(turning(ledger, TURNS * (_ROUNDS + 1)), floor, _ROUNDS, warm_ups=1)


def turning(ledger: Ledger, most: int) -> Callable[[], float]:
    """What measures TURNS commits that claim, each call anew, for as many jobs in all."""
    submitted = submissions()
    for _ in range(most // _BATCH + 1):
        ledger.accept(list(itertools.islice(submitted, _BATCH)))
    bids = _bids()
    held = ledger.claim(next(bids)).lease
    assert held is not None
    return partial(sampling.rate, partial(_take_turns, ledger, [held], bids), TURNS)


def queued_memory() -> Samples:
    """Bytes of a queued job beside its spec, at 10^5 jobs, event and dedup key included; the peer: a message."""
    with opened() as (ledger, started):
        endless = submissions()

        def fill() -> int:
            spec_bytes = 0
            for _ in range(_MANY // _BATCH):
                batch = list(itertools.islice(endless, _BATCH))
                ledger.accept(batch)
                spec_bytes += sum(len(item.spec.encode()) for item in batch)
            return spec_bytes

        return Samples((_grown(started, fill, _MANY),), (_message_bytes(started),))


def ended_memory() -> Samples:
    """Bytes of a completed job beside its spec, its attempt and three events included; the peer: a message."""
    with opened() as (ledger, started):
        batch = list(itertools.islice(submissions(), _ENDED))

        def fill() -> int:
            ledger.accept(batch)
            bids = _bids()
            held = ledger.claim(next(bids)).lease
            while held is not None:
                claimed = ledger.commit(_commit(held), next(bids)).claimed
                held = None if claimed is None else claimed.lease
            return sum(len(item.spec.encode()) for item in batch)

        return Samples((_grown(started, fill, _ENDED),), (_message_bytes(started),))


@contextmanager
def opened(appendfsync: str = "always") -> Iterator[tuple[Ledger, Server]]:
    """A ledger on a server of its own."""
    with directory() as home, server(home, appendfsync) as started:
        system = System(Settings(home=home))
        try:
            yield system.ledger, started
        finally:
            system.close()


def submissions() -> Iterator[Acceptance]:
    """Endless jobs, of which none is another's duplicate, each with a key."""
    new_id = Uuid7Source()
    for number in itertools.count():
        spec = parse.parse_document(
            {"job_type": "job:bench", "payload": {"_command": "/bin/true", "number": number}}, 10**6
        )
        yield acceptance(JobId(new_id()), spec, _POLICY)


def _bids() -> Iterator[Bid]:
    """One worker's wishes, of any shape that a job without resources has."""
    new_nonce = Uuid7Source()
    shape = next(submissions()).shape
    while True:
        yield Bid("bench@host/1", ("bench",), Fit(now=(shape,)), new_nonce(), 30_000, 0)


def _commit(lease: Lease) -> Commit:
    return Commit(lease.record.id, lease.record.fence, Status.COMPLETED, detail=_DETAIL)


def _take_turns(ledger: Ledger, leases: list[Lease], bids: Iterator[Bid]) -> None:
    for _ in range(TURNS):
        claimed = ledger.commit(_commit(leases.pop()), next(bids)).claimed
        assert claimed is not None
        assert claimed.lease is not None
        leases.append(claimed.lease)


def _set_all(raw: Any, batch: Sequence[Acceptance]) -> None:
    with raw.pipeline(transaction=True) as pipeline:
        for item in batch:
            pipeline.set(item.id, item.spec)
        pipeline.execute()


def _set_each(raw: Any) -> None:
    for _ in range(TURNS):
        raw.set("turn", _DETAIL)


def _message_bytes(started: Server) -> float:
    """Of a raw Celery message beside its payload."""
    sender = raw_celery.app_on(started)

    def publish() -> int:
        payloads = [{"_command": "/bin/true", "number": number} for number in range(_PUBLISHED)]
        for payload in payloads:
            sender.tasks["bench.nothing"].apply_async((payload,))
        return sum(len(json.dumps(payload)) for payload in payloads)

    try:
        return _grown(started, publish, _PUBLISHED)
    finally:
        sender.close()


def _grown(started: Server, fill: Callable[[], int], count: int) -> float:
    """By how many bytes the server's data grew for each of `count`, less what `fill` says of its own content."""
    before = _data_bytes(started)
    content_bytes = fill()
    return (_data_bytes(started) - before - content_bytes) / count


def _data_bytes(started: Server) -> int:
    """What the server's keys take, with the tables that find them; without buffers of clients and of its files."""
    with started.client() as raw:
        told = raw.memory_stats()
    tables = [value for value in told.values() if isinstance(value, dict)]  # one a database
    return int(told["dataset.bytes"]) + sum(int(part) for table in tables for part in table.values())
