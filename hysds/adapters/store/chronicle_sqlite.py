"""The chronicle in the store's one SQLite file, in a table of its own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from hysds.adapters.store.sqlite_query import Statement
from hysds.adapters.store.sqlite_turns import SqliteTurns
from hysds.core import chronicle_query
from hysds.ports.chronicle import ChroniclePage, ChronicleQuery, Document, Writing, Written

CHUNK = 500
"""Documents of one transaction: others wait so long for their turn."""

_HELD = "SELECT at FROM happenings WHERE resource = ? AND id = ?"
_PUT = (
    "INSERT INTO happenings (resource, id, at, type, hostname, body) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (resource, id) DO UPDATE SET at = excluded.at, type = excluded.type, "
    "hostname = excluded.hostname, body = excluded.body"
)
_DELETE = (
    "DELETE FROM happenings WHERE seq IN "
    "(SELECT seq FROM happenings WHERE resource = ? AND at < ? ORDER BY at LIMIT ?)"
)


class SqliteChronicle:
    """A chronicle in the file at `path`, which is made at first use. `busy_timeout_s`: how long a turn is waited for.

    Raises, at first use: Refused for a file that is not the store's, Unreachable for one that can't be used.
    """

    def __init__(self, path: Path, busy_timeout_s: float = 30.0) -> None:
        self._file = SqliteTurns(path, busy_timeout_s)

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        answers: list[Written] = []
        for start in range(0, len(documents), CHUNK):
            with self._file.turn() as connection:
                answers += [_write(connection, one) for one in documents[start : start + CHUNK]]
        return tuple(answers)

    def search(self, query: ChronicleQuery) -> ChroniclePage:
        wanted, after = _wanted(query), query.after()
        behind = wanted if after is None else _with(wanted, "(at, id) < (?, ?)", *after)
        page = f"SELECT at, id, body FROM happenings {behind.sql} ORDER BY at DESC, id DESC LIMIT ?"  # noqa: S608 - marks alone
        with self._file.moment() as connection:
            rows = connection.execute(page, (*behind.parameters, query.limit + 1)).fetchall()
            count = f"SELECT count(*) FROM happenings {wanted.sql}"  # noqa: S608
            (total,) = connection.execute(count, wanted.parameters).fetchone()
        found = rows[: query.limit]
        cursor = chronicle_query.cursor_at(*found[-1][:2]) if found and len(rows) > len(found) else ""
        return ChroniclePage(tuple(json.loads(body) for _, _, body in found), cursor, total)

    def delete_before(self, resource: str, ms: int) -> int:
        with self._file.turn() as connection:
            return connection.execute(_DELETE, (resource, ms, CHUNK)).rowcount

    def close(self) -> None:
        self._file.close()


def _write(connection: sqlite3.Connection, document: Document) -> Written:
    if reason := chronicle_query.objection(document):
        return Written(Writing.REFUSED, reason=reason)
    resource, id_, revision = document["resource"], document["id"], document["revision"]
    (held,) = connection.execute(_HELD, (resource, id_)).fetchone() or (0,)
    if held >= revision:
        return Written(Writing.OLDER, held)
    body = json.dumps(document, separators=(",", ":"), allow_nan=False)
    type_, host = str(document.get("type", "")), chronicle_query.hostname(document)
    connection.execute(_PUT, (resource, id_, revision, type_, host, body))
    return Written(Writing.WRITTEN, revision)


def _wanted(query: ChronicleQuery) -> Statement:
    """The condition of what matches, on whatever page."""
    wanted = Statement("WHERE resource = ?", (query.resource,))
    if query.types:
        prefixes = query.type_prefixes
        exact = [f"type IN ({', '.join('?' * len(query.exact_types))})"] if query.exact_types else []
        begins = ["substr(type, 1, ?) = ?"] * len(prefixes)
        pairs = [value for prefix in prefixes for value in (len(prefix), prefix)]
        wanted = _with(wanted, f"({' OR '.join((*exact, *begins))})", *query.exact_types, *pairs)
    if query.hostname:
        wanted = _with(wanted, "hostname = ?", query.hostname)
    if query.since_ms is not None:
        wanted = _with(wanted, "at >= ?", query.since_ms)
    if query.until_ms is not None:
        wanted = _with(wanted, "at < ?", query.until_ms)
    return wanted


def _with(where: Statement, condition: str, *values: int | str) -> Statement:
    return Statement(f"{where.sql} AND {condition}", (*where.parameters, *values))
