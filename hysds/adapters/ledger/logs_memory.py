"""Live logs in memory, kept by the same rules as those in Redis, save for what only a server with full memory does."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from hysds.adapters.ledger import log_positions
from hysds.adapters.ledger.log_positions import ENTRY_BYTES, LINGER_S, LOG_BYTES, SILENT_S, End, Position
from hysds.ports.logs import NOTE, Chunk, Heard
from hysds.settings import model


@dataclass(slots=True)
class _Log:
    """Entries with the log's running count of bytes before each."""

    due_s: float
    entries: deque[tuple[int, Chunk | End]] = field(default_factory=deque)
    sent: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    ended: bool = False

    @property
    def kept_bytes(self) -> int:
        return self.sent - self.entries[0][0] if self.entries else 0

    def trim(self, keep_bytes: int) -> int:
        """Keep the newest entries that take no more than this; answers what that freed."""
        before = self.kept_bytes
        while self.entries and self.kept_bytes > keep_bytes:
            self.entries.popleft()
        return before - self.kept_bytes

    def add(self, entry: Chunk | End) -> None:
        self.entries.append((self.sent, entry))
        self.sent += ENTRY_BYTES + (len(entry.data) if isinstance(entry, Chunk) else 0)


class MemoryLogs:
    """Safe to share between threads. `now_s` is a clock that never goes back."""

    def __init__(self, bounds: model.Logs, now_s: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._now_s = now_s
        self._logs: dict[tuple[str, int], _Log] = {}
        self._changed = threading.Condition()

    def append(self, id: str, fence: int, chunks: Sequence[Chunk]) -> int:
        pieces = log_positions.pieces(chunks, self._bounds.per_job_bytes)
        if not pieces:
            return 0
        cost = sum(len(piece.data) + ENTRY_BYTES for piece in pieces)
        with self._changed:
            self._sweep()
            log = self._logs.setdefault((id, fence), _Log(0.0))
            if log.ended:
                return cost - len(pieces) * ENTRY_BYTES
            log.due_s = self._now_s() + self._bounds.retention_s + SILENT_S
            if log.kept_bytes + cost > self._bounds.per_job_bytes:
                log.trim(self._bounds.per_job_bytes - cost)
            fits = self._make_room(self._held() + cost - self._bounds.memory_bytes)
            for piece in pieces:
                self._add(log, piece, fits)
            self._changed.notify_all()
        return 0 if fits else cost - len(pieces) * ENTRY_BYTES

    def finish(self, id: str, fence: int) -> None:
        with self._changed:
            self._sweep()
            known = self._logs.get((id, fence))
            log = known or self._logs.setdefault((id, fence), _Log(0.0))
            if log.ended:
                return
            log.add(End(dict(log.ends)))
            log.ended = True
            stays_s = max(self._bounds.retention_s, LINGER_S) if known else LINGER_S
            log.due_s = self._now_s() + stays_s
            self._changed.notify_all()

    def read(self, id: str, fence: int, after: str, limit: int, timeout_s: float) -> Heard:
        position = Position.parse(after)
        if position.is_over:
            return log_positions.heard(position, ())
        count = max(min(limit, log_positions.READ_MOST), 1)
        with self._changed:
            self._changed.wait_for(lambda: self._behind(id, fence, position, 1), max(timeout_s, 0))
            return log_positions.heard(position, self._behind(id, fence, position, count))

    def held_bytes(self) -> int:
        with self._changed:
            return self._held()

    def _held(self) -> int:
        return sum(LOG_BYTES + log.kept_bytes for log in self._logs.values())

    def _behind(self, id: str, fence: int, position: Position, count: int) -> list[tuple[str, Chunk | End]]:
        log = self._logs.get((id, fence))
        if log is None or log.due_s <= self._now_s():
            return []
        read_to = int(position.last.partition("-")[0])
        behind = [(f"{before + 1}-0", entry) for before, entry in log.entries if before + 1 > read_to]
        return behind[:count]

    def _sweep(self) -> None:
        now_s = self._now_s()
        self._logs = {key: log for key, log in self._logs.items() if log.due_s > now_s}

    def _make_room(self, want: int) -> bool:
        """Ended logs go first, then the oldest of the largest; whether there is so much room now."""
        goes_s = self._now_s() + self._bounds.retention_s
        for key, log in sorted(self._logs.items(), key=lambda row: row[1].due_s):
            if want <= 0 or log.due_s > goes_s:
                break
            want -= LOG_BYTES + log.kept_bytes
            del self._logs[key]
        while want > 0:
            largest = max(self._logs.values(), key=lambda log: log.kept_bytes)
            if not largest.kept_bytes:
                return False
            want -= largest.trim(max(largest.kept_bytes - want, 0))
        return True

    def _add(self, log: _Log, piece: Chunk, fits: bool) -> None:
        if piece.stream == NOTE:
            piece = replace(piece, offset=log.ends.get(NOTE, 0))
        log.ends[piece.stream] = piece.offset + len(piece.data)
        if fits:
            log.add(piece)
