"""Deletion from the SQLite store, and the fences that it leaves: who is late does not write again what was deleted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from hysds.ports.store import FENCE_MS

_HELD = "SELECT seq, words FROM jobs JOIN documents USING (seq) WHERE id = ? AND revision <= ?"
_FORGET_WORDS = "INSERT INTO full_text (full_text, rowid, words) VALUES ('delete', ?, ?)"
_RAISE = (
    "INSERT INTO fences (id, revision, at) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE "
    "SET revision = max(revision, excluded.revision), at = excluded.at"
)
_STANDING = "SELECT id, revision FROM fences WHERE id IN (SELECT value FROM json_each(?))"


def standing(connection: sqlite3.Connection, ids: Sequence[str]) -> Mapping[str, int]:
    """Up to which revision each of these may not be written; those that have a fence alone."""
    return dict(connection.execute(_STANDING, (json.dumps(list(ids)),)).fetchall())


def delete(connection: sqlite3.Connection, wanted: Sequence[tuple[str, int]], now_ms: int) -> list[bool]:
    """Delete documents and letters up to these revisions, whether each document was there; old fences go too."""
    found = [connection.execute(_HELD, pair).fetchone() for pair in wanted]
    rows = {row[0]: row for row in found if row is not None}
    connection.executemany(_FORGET_WORDS, rows.values())
    for table in ("jobs", "documents"):
        connection.executemany(f"DELETE FROM {table} WHERE seq = ?", [(seq,) for seq in rows])  # noqa: S608
    connection.executemany("DELETE FROM dead_letters WHERE id = ? AND revision <= ?", wanted)
    connection.executemany(_RAISE, [(id_, revision, now_ms) for id_, revision in wanted])
    connection.execute("DELETE FROM fences WHERE at < ?", (now_ms - FENCE_MS,))
    return [row is not None for row in found]
