"""The store in one SQLite file: what `hysds up` on one machine searches, shared by all of its processes.

Writers take turns (`BEGIN IMMEDIATE`, at most 500 documents a transaction), readers see one moment and
block nobody. A revision is compared inside the transaction that writes it. The full-text table is changed
only where a job's words did.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hysds.adapters.store import sqlite_fences, sqlite_leaves, sqlite_query
from hysds.adapters.store.sqlite_query import Statement
from hysds.adapters.store.sqlite_turns import SqliteTurns
from hysds.core.errors import Refused
from hysds.core.query import JobQuery
from hysds.core.searched import Sealed, seal
from hysds.lib import clocks
from hysds.ports.store import DeadLetter, Document, Found, Page, Writing, Written

CHUNK = 500
"""Documents of one transaction: others wait so long for their turn."""

_KEPT = ("id", "type", "queue", "tag", "user", "parent", "accepted")
_CHANGING = (
    "revision", "status", "worker", "failure_class", "name", "priority", "started", "ended", "updated", "duration",
)  # fmt: skip
"""Columns in the order of the functions of these names. A job hardly ever changes the first ones, and each
stands in an index: SQLite writes the index entries of all columns that an update names."""

_INSERT_JOB = (
    f"INSERT INTO jobs (seq, {', '.join(_KEPT + _CHANGING)}) "  # noqa: S608 - names from above alone
    f"VALUES (?{', ?' * len(_KEPT + _CHANGING)})"
)
_UPDATE_STATE = (
    f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in _CHANGING)} "  # noqa: S608
    "WHERE seq = ? AND revision < ?"
)
_UPDATE_KEPT = f"UPDATE jobs SET {', '.join(f'{name} = ?' for name in _KEPT)} WHERE seq = ?"  # noqa: S608
_INSERT_DOCUMENT = "INSERT INTO documents (seq, words, body) VALUES (?, ?, ?)"
_UPDATE_DOCUMENT = "UPDATE documents SET words = ?, body = ? WHERE seq = ?"
_FIND = (
    f"SELECT seq, revision, words, {', '.join(_KEPT)} FROM jobs JOIN documents USING (seq) "  # noqa: S608
    "WHERE id IN (SELECT value FROM json_each(?))"
)
_GET = "SELECT id, body FROM jobs JOIN documents USING (seq) WHERE id IN (SELECT value FROM json_each(?))"
_ADD_WORDS = "INSERT INTO full_text (rowid, words) VALUES (?, ?)"
_DROP_WORDS = "INSERT INTO full_text (full_text, rowid, words) VALUES ('delete', ?, ?)"
_SET_ASIDE = """
INSERT INTO dead_letters (id, revision, reason, at)
SELECT :id, :revision, :reason, :at_ms
WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = :id AND revision >= :revision)
AND NOT EXISTS (SELECT 1 FROM fences WHERE id = :id AND revision >= :revision)
ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, reason = excluded.reason, at = excluded.at
WHERE excluded.revision >= revision
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """What the file holds of a document before a write."""

    seq: int
    revision: int
    words: str
    kept: tuple[int | str, ...]


class SqliteStore:
    """A store in the file at `path`, which is made at first use. `busy_timeout_s`: how long a turn is
    waited for; `wall_ms`: the wall clock.

    Raises, at first use: Refused for a file that is not this store's, Unreachable for one that can't be used.
    """

    def __init__(
        self, path: Path, busy_timeout_s: float = 30.0, wall_ms: Callable[[], int] = clocks.wall_ms
    ) -> None:
        self._file = SqliteTurns(path, busy_timeout_s)
        self._wall_ms = wall_ms

    def write(self, documents: Sequence[Document]) -> tuple[Written, ...]:
        sealed = [_sealed(document) for document in documents]
        answers: list[Written] = []
        for start in range(0, len(sealed), CHUNK):
            with self._file.turn() as connection:
                answers += _write(connection, sealed[start : start + CHUNK])
        return tuple(answers)

    def get(self, ids: Sequence[str]) -> tuple[dict[str, Any] | None, ...]:
        with self._file.moment() as connection:
            rows = connection.execute(_GET, (json.dumps(list(ids)),)).fetchall()
        bodies = dict(rows)
        return tuple(json.loads(bodies[id_]) if id_ in bodies else None for id_ in ids)

    def search(self, query: JobQuery) -> Page:
        with self._file.moment() as connection:
            rows = _rows(connection, sqlite_query.page(query)) if query.limit else []
            ((total,),) = _rows(connection, sqlite_query.total(query))
            counts = {
                term: tuple(_rows(connection, sqlite_query.counts(query, term))) for term in query.facets
            }
        page = rows[: query.limit]
        cursor = query.cursor_at(page[-1][1], page[-1][0]) if len(rows) > len(page) else ""
        return Page(tuple(json.loads(body) for _, _, body in page), cursor, total, counts)

    def find(self, query: JobQuery) -> Found:
        with self._file.moment() as connection:
            rows = _rows(connection, sqlite_query.places(query)) if query.limit else []
            ((total,),) = _rows(connection, sqlite_query.total(query))
        page = rows[: query.limit]
        cursor = query.cursor_at(page[-1][2], page[-1][0]) if len(rows) > len(page) else ""
        return Found(tuple((id_, status) for id_, status, _ in page), cursor, total)

    def delete(self, wanted: Sequence[tuple[str, int]]) -> tuple[bool, ...]:
        answers: list[bool] = []
        for start in range(0, len(wanted), CHUNK):
            with self._file.turn() as connection:
                answers += sqlite_fences.delete(connection, wanted[start : start + CHUNK], self._wall_ms())
        return tuple(answers)

    def set_aside(self, letters: Sequence[DeadLetter]) -> None:
        with self._file.turn() as connection:
            connection.executemany(_SET_ASIDE, [asdict(letter) for letter in letters])

    def dead_letters(self, limit: int) -> tuple[DeadLetter, ...]:
        statement = Statement(
            "SELECT id, revision, reason, at FROM dead_letters ORDER BY at DESC, id LIMIT ?", (limit,)
        )
        with self._file.moment() as connection:
            return tuple(DeadLetter(*row) for row in _rows(connection, statement))

    def refresh(self) -> None:
        """Questions always know all."""

    def describe(self) -> str:
        return f"sqlite://{self._file.path}"

    def close(self) -> None:
        self._file.close()


def _sealed(document: Document) -> Sealed | str:
    """The document as it is kept, or why it can't be."""
    try:
        return seal(document)
    except Refused as refusal:
        return str(refusal)


def _rows(connection: sqlite3.Connection, statement: Statement) -> list[Any]:
    return connection.execute(statement.sql, statement.parameters).fetchall()


def _write(connection: sqlite3.Connection, chunk: Sequence[Sealed | str]) -> list[Written]:
    ids = [item.id for item in chunk if isinstance(item, Sealed)]
    rows = {
        kept[0]: _Row(seq, revision, words, tuple(kept))
        for seq, revision, words, *kept in connection.execute(_FIND, (json.dumps(ids),))
    }
    held = dict(sqlite_fences.standing(connection, ids))
    for id_, row in rows.items():
        held[id_] = max(row.revision, held.get(id_, 0))
    newest: dict[str, Sealed] = {}
    answers = []
    for item in chunk:
        if isinstance(item, str):
            answers.append(Written(Writing.REFUSED, reason=item))
        elif item.revision <= held.get(item.id, 0):
            answers.append(Written(Writing.OLDER, held[item.id]))
        else:
            held[item.id] = item.revision
            newest[item.id] = item
            answers.append(Written(Writing.WRITTEN, item.revision))
    _insert(connection, [item for id_, item in newest.items() if id_ not in rows])
    _update(connection, {id_: item for id_, item in newest.items() if id_ in rows}, rows)
    _drop_letters(connection, newest.values())
    return answers


def _insert(connection: sqlite3.Connection, new: Sequence[Sealed]) -> None:
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM jobs").fetchone()
    numbered = list(enumerate(new, last + 1))
    connection.executemany(_INSERT_JOB, [(seq, *_kept(item), *_changing(item)) for seq, item in numbered])
    texts = [(seq, sqlite_leaves.text(item.searched), item.body) for seq, item in numbered]
    connection.executemany(_INSERT_DOCUMENT, texts)
    connection.executemany(_ADD_WORDS, [text[:2] for text in texts])


def _update(connection: sqlite3.Connection, newer: Mapping[str, Sealed], rows: Mapping[str, _Row]) -> None:
    changed = [
        (rows[id_].seq, rows[id_].words, sqlite_leaves.text(item.searched))
        for id_, item in newer.items()
        if rows[id_].words != sqlite_leaves.text(item.searched)
    ]
    connection.executemany(_DROP_WORDS, [(seq, before) for seq, before, _ in changed])
    moved = [(*_kept(item), rows[id_].seq) for id_, item in newer.items() if _kept(item) != rows[id_].kept]
    connection.executemany(_UPDATE_KEPT, moved)
    connection.executemany(
        _UPDATE_STATE, [(*_changing(item), rows[id_].seq, item.revision) for id_, item in newer.items()]
    )
    connection.executemany(
        _UPDATE_DOCUMENT,
        [(sqlite_leaves.text(item.searched), item.body, rows[id_].seq) for id_, item in newer.items()],
    )
    connection.executemany(_ADD_WORDS, [(seq, after) for seq, _, after in changed])


def _kept(item: Sealed) -> tuple[int | str, ...]:
    found = item.searched
    return item.id, found.type, found.queue, found.tag, found.user, found.parent, found.accepted


def _changing(item: Sealed) -> tuple[int | str, ...]:
    found = item.searched
    return (
        item.revision, found.status, found.worker, found.failure_class, found.name, found.priority,
        found.started, found.ended, found.updated, found.duration,
    )  # fmt: skip


def _drop_letters(connection: sqlite3.Connection, written: Iterable[Sealed]) -> None:
    """A job whose document is written now needs no letter that says why not."""
    if connection.execute("SELECT 1 FROM dead_letters LIMIT 1").fetchone():
        connection.executemany(
            "DELETE FROM dead_letters WHERE id = ? AND revision <= ?",
            [(item.id, item.revision) for item in written],
        )
