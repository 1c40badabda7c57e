"""What a queued job costs in the memory of a real server that has nothing else to do; for benchmarks and tests."""

from __future__ import annotations

from collections.abc import Iterator

from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.server import Server
from hysds.core.requests import Acceptance
from hysds.core.status import LIVE
from hysds.lib.uuid7 import Uuid7Source

_AT_ONCE = 500


def bytes_per_job(server: Server, prefix: str, jobs: int) -> float:
    """Accept so many distinct, ordinary jobs and divide the growth of the server's memory, less their specs' texts.

    All that a job needs counts: record, ready entry, dedup key, event, the spec's key.
    """
    ledger = RedisLedger(server, prefix, retention_ms=3_600_000)
    before, spec_bytes = _used(server), 0
    for batch in _batches(jobs):
        ledger.accept(batch)
        spec_bytes += sum(len(item.spec.encode()) for item in batch)
    return (_used(server) - before - spec_bytes) / jobs


def _batches(jobs: int) -> Iterator[list[Acceptance]]:
    new_id = Uuid7Source()
    for first in range(0, jobs, _AT_ONCE):
        yield [_job(new_id(), number) for number in range(first, min(first + _AT_ONCE, jobs))]


def _job(id: str, number: int) -> Acceptance:
    digest = f"{number:064x}"
    spec = f'{{"job_type": "job-measure", "payload": {{"number": {number}}}}}'
    return Acceptance(id, digest, spec, "measure-queue", "1s0.5c512m", dedup=digest, twins=LIVE)


def _used(server: Server) -> int:
    lines = str(server.send("INFO", "memory")).splitlines()
    return int(next(line for line in lines if line.startswith("used_memory:")).partition(":")[2])
