"""Jobs run while Elasticsearch and the indexer are killed with -9, and what `hysds index verify` says of it after.

    PYTHONPATH=.:test python -m worlds.searched_chaos JOBS INDEXER_KILLS SERVER_KILLS

does by hand, at any size, what a test does in short.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

from hysds.core.query import JobQuery
from hysds.core.requests import MAX_BATCH
from services.elasticsearch import ElasticServer, elastic_program
from services.redis import Appendfsync, RedisOptions, RedisServer, valkey_program
from worlds.system import RunningSystem

_QUEUE = "chaos"


class SearchedChaos:
    """One system over servers that only it uses."""

    def __init__(self, home: Path, ledger: RedisServer, elastic: ElasticServer) -> None:
        self.running = RunningSystem(
            home,
            ledger.url,
            f"{ledger.url[:-1]}1",
            HYSDS_STORE_URL=elastic.url,
            HYSDS_ARCHIVE_URL=str(home / "archive"),
        )
        self._elastic = elastic
        self._indexer: subprocess.Popen[bytes] | None = None
        self.indexer_kills = self.server_kills = 0

    def torment(self, jobs: int, indexer_kills: int, server_kills: int) -> list[str]:
        """Run so many jobs, and kill so often while they run; the jobs' ids, once all have ended."""
        self._start_indexer()
        self.running.start("reconciler", "-m", "hysds", "reconciler")
        self.running.worker("worker", _QUEUE, slots=4)
        ids: list[str] = []
        submitting = threading.Thread(target=self._submit, args=(jobs, ids))
        submitting.start()
        for kill in range(1, indexer_kills + 1):
            self._await_ended(jobs, jobs * kill // (indexer_kills + 1), ids)
            self._kill_indexer()
            if kill * server_kills // indexer_kills > self.server_kills:
                self._elastic.kill()
                self._elastic.start()
                self.server_kills += 1
        submitting.join()
        self._await_ended(jobs, jobs, ids)
        return ids

    def verify(self) -> tuple[int, str]:
        """The exit code of `hysds index verify`, and what it says."""
        command = [sys.executable, "-m", "hysds", "index", "verify", "--wait", "2m", "--json"]
        done = subprocess.run(
            command, env=os.environ | self.running.variables, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def statuses(self) -> Counter[str]:
        """How many documents have which status."""
        self.running.system.store.refresh()
        query, found, cursor = JobQuery(limit=MAX_BATCH), Counter[str](), ""
        while True:
            page = self.running.system.store.find(query)
            found.update(status for _, status in page.jobs)
            if not (cursor := page.cursor):
                return found
            query = JobQuery(limit=MAX_BATCH, cursor=cursor)

    def _submit(self, jobs: int, ids: list[str]) -> None:
        spec = {
            "job_type": "job:x",
            "job_queue": _QUEUE,
            "enable_dedup": False,
            "payload": {"_command": "true"},
        }
        while len(ids) < jobs:
            count = min(100, jobs - len(ids))
            ids += [made.id for made in self.running.client.submit_many([spec] * count)]

    def _await_ended(self, jobs: int, wanted: int, ids: list[str]) -> None:
        """Until so many have ended, asked of the ledger, as the store may be away."""
        ended = 0

        def has_ended() -> bool:
            nonlocal ended
            while ended < min(len(ids), wanted):
                (kept,) = self.running.system.ledger.kept([ids[ended]])
                if kept is not None and not kept.record.status.is_terminal:
                    return False
                ended += 1
            return ended >= wanted

        self.running.until(
            has_ended, lambda: f"{ended} of {wanted} of {jobs}; {self.running.log('worker')[-3000:]}"
        )

    def _start_indexer(self) -> None:
        self._indexer = self.running.start("indexer", "-m", "hysds", "indexer")

    def _kill_indexer(self) -> None:
        assert self._indexer is not None
        self._indexer.kill()
        self._indexer.wait()
        self.indexer_kills += 1
        self._start_indexer()


def main(jobs: int, indexer_kills: int, server_kills: int) -> int:
    """By hand: prints what was done and found; the exit code is that of `verify`."""
    ledger = RedisServer(valkey_program(), RedisOptions(Appendfsync.EVERYSEC))
    elastic = ElasticServer(elastic_program())
    with tempfile.TemporaryDirectory(prefix="hysds-chaos-") as home:
        try:
            ledger.start()
            elastic.start()
            chaos = SearchedChaos(Path(home), ledger, elastic)
            chaos.torment(jobs, indexer_kills, server_kills)
            code, said = chaos.verify()
            print(f"indexer killed {chaos.indexer_kills} times, Elasticsearch {chaos.server_kills} times")
            print(f"documents: {dict(chaos.statuses())}")
            print(f"hysds index verify: exit code {code}: {said}")
            chaos.running.close()
        finally:
            elastic.remove()
            ledger.remove()
    return code


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
