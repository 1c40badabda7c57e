"""Live logs on Redis or Valkey: a stream an attempt, and one sum over all. What the steps do stands in `lua/log_*`.

Keys: `log:<id>:<fence>` and its state `logstate:…`; `logs:due`, `logs:size`, `logs:total` for all of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from hysds.adapters.ledger import log_positions, scripts
from hysds.adapters.ledger.log_positions import End, Position
from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.server import Server
from hysds.core.errors import Full
from hysds.ports.logs import Chunk, Heard
from hysds.settings import model


class RedisLogs:
    """Safe to share between threads. `clock_ms` replaces the server's time, in tests only."""

    def __init__(
        self,
        server: Server,
        prefix: str,
        bounds: model.Logs,
        clock_ms: Callable[[], int] | None = None,
    ) -> None:
        self._server = server
        self._base = base(prefix)
        self._bounds = bounds
        self._retention_ms = round(bounds.retention_s * 1000)
        self._clock_ms = clock_ms

    def append(self, id: str, fence: int, chunks: Sequence[Chunk]) -> int:
        pieces = log_positions.pieces(chunks, self._bounds.per_job_bytes)
        if not pieces:
            return 0
        flat = [value for piece in pieces for value in (piece.stream, piece.offset, piece.data)]
        bounds = (self._bounds.per_job_bytes, self._bounds.memory_bytes)
        try:
            # The mark: a send whose answer was lost is repeated, and adds nothing then.
            return int(self._step("append", id, fence, *bounds, os.urandom(8).hex(), *flat))
        except Full:
            self._step("shed", id, fence)
            return sum(len(piece.data) for piece in pieces)

    def finish(self, id: str, fence: int) -> None:
        self._step("finish", id, fence)

    def read(self, id: str, fence: int, after: str, limit: int, timeout_s: float) -> Heard:
        position = Position.parse(after)
        if position.is_over:
            return log_positions.heard(position, ())
        count = ("COUNT", max(min(limit, log_positions.READ_MOST), 1))
        block = ("BLOCK", max(round(timeout_s * 1000), 1)) if timeout_s > 0 else ()
        command = ("XREAD", *count, *block, "STREAMS", f"{self._base}log:{id}:{fence}", position.last)
        reply = self._server.wait(*command, timeout_s=max(timeout_s, 0), as_bytes=True)
        return log_positions.heard(position, [_entry(row) for row in reply[0][1]] if reply else ())

    def held_bytes(self) -> int:
        return int(self._server.send("GET", f"{self._base}logs:total") or 0)

    def _step(self, name: str, id: str, fence: int, *arguments: str | int | bytes) -> Any:
        member = f"{id}:{fence}"
        keys = [f"log:{member}", f"logstate:{member}", "logs:due", "logs:size", "logs:total"]
        clock = "" if self._clock_ms is None else self._clock_ms()
        return self._server.run(
            scripts.live_log(name),
            [self._base + key for key in keys],
            [clock, member, self._retention_ms, *arguments],
        )


def _entry(row: Any) -> tuple[str, Chunk | End]:
    key, flat = row
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    if b"e" in fields:
        return key.decode(), End(log_positions.parse_ends(fields[b"e"].decode()))
    return key.decode(), Chunk(fields[b"s"].decode(), int(fields[b"o"]), fields[b"d"])
