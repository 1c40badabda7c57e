"""One process's turns at the store's file: transactions over a connection that its threads share."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hysds.adapters.store import sqlite_file


class SqliteTurns:
    """Safe to share between threads. The file at `path` is made at first use; `busy_timeout_s`: how long a turn is
    waited for.

    Raises, at first use: Refused for a file that is not this store's, Unreachable for one that can't be used.
    """

    def __init__(self, path: Path, busy_timeout_s: float = 30.0) -> None:
        self.path = path
        self._busy_timeout_s = busy_timeout_s
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    @contextmanager
    def turn(self) -> Iterator[sqlite3.Connection]:
        """A transaction that may write; whole or not at all."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def moment(self) -> Iterator[sqlite3.Connection]:
        """A transaction that reads: all its statements see the same moment."""
        with self._transaction("BEGIN") as connection:
            yield connection

    def close(self) -> None:
        """Let go of the file; the next turn opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, sqlite_file.errors(self.path):
            connection = self._connected()
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.rollback()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None and self._is_replaced():
            self.close()
        if self._connection is None:
            self._connection = sqlite_file.open_store(self.path, self._busy_timeout_s)
            self._inode = self.path.stat().st_ino
        return self._connection

    def _is_replaced(self) -> bool:
        """Whether the file was deleted or another put in its place: what is written to the old one is lost."""
        try:
            return self.path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True
