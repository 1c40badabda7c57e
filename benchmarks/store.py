"""The store on one machine: documents a second into SQLite, searchable, beside rows of the same JSON and no more."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import count, islice
from pathlib import Path

from benchmarks import sampling
from benchmarks.processes import directory
from benchmarks.row import Samples
from hysds.bootstrap import System
from hysds.core.document import document
from hysds.core.record import Record
from hysds.core.status import Status
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.store import Document
from hysds.settings.model import Settings

_BATCH = 500
_ROUNDS = 10
BASE_MS = 1_767_225_600_000


def documents() -> Samples:
    """Documents a second that the store takes, 500 at once; the floor: the same JSON into a table of one column."""
    with directory() as home, closing(System(Settings(home=home))) as system, closing(_plain(home)) as plain:
        made = documents_of_jobs()

        def ours() -> float:
            return sampling.rate(partial(system.store.write, list(islice(made, _BATCH))), _BATCH)

        def floor() -> float:
            return sampling.rate(partial(_insert, plain, list(islice(made, _BATCH))), _BATCH)

        return sampling.alternate(ours, floor, _ROUNDS, warm_ups=1)


def documents_of_jobs() -> Iterator[Document]:
    """Endless queued jobs, a millisecond apart from BASE_MS on."""
    new_id = Uuid7Source()
    for number in count():
        record = Record(
            id=new_id(),
            status=Status.QUEUED,
            revision=BASE_MS * 1000 + number,
            digest="d",
            queue="bench",
            shape="1s",
            priority=0,
            accepted_ms=BASE_MS + number,
        )
        payload = {"_command": f"./count.sh scene-{number}.txt", "input": f"s3://bucket/scene-{number}.tif"}
        yield document(record, json.dumps({"job_type": "job:bench", "payload": payload}))


def _plain(home: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(home / "plain.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE documents (body TEXT)")
    return connection


def _insert(connection: sqlite3.Connection, batch: list[Document]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO documents VALUES (?)", [(json.dumps(item),) for item in batch])
    connection.execute("COMMIT")
