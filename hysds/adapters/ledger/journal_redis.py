"""The journal as a Redis stream of its own, bounded in bytes; what its steps do stands in `lua/journal`.

Keys: `journal` (the stream), `journal:marks`, `journal:seen` (what was told of late), `journal:dropped` (how many).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hysds.adapters.ledger import batches, scripts
from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.redis_stream import RedisStream
from hysds.adapters.ledger.server import Server
from hysds.adapters.ledger.streamed import Streamed
from hysds.core import happenings as forms
from hysds.core.errors import Internal
from hysds.core.generations import FIRST
from hysds.core.happenings import Happening
from hysds.lib import clocks
from hysds.ports.journal import TOLD_ONCE_MS, Note

_ELSEWHERE = -1


class RedisJournal(Streamed[Happening, Note]):
    """Safe to share between threads; one member reads from one thread at a time. `most_bytes`: what it holds."""

    def __init__(self, server: Server, prefix: str, most_bytes: int) -> None:
        self._server = server
        self._most_bytes = most_bytes
        self._key = f"{base(prefix)}journal"
        self._generations = f"{base(prefix)}generations"
        self._stream = RedisStream(server, self._key, _happening)
        super().__init__(self._stream, Note)

    def tell(self, happenings: Sequence[Happening]) -> int:
        return sum(self._enter(part) for part in batches.parts(happenings))

    def turn(self, name: str, before: str, after: str, happenings: Sequence[Happening]) -> bool:
        return self._enter(happenings, (name, before, after)) != _ELSEWHERE

    def marks(self) -> Mapping[str, str]:
        flat = self._server.send("HGETALL", f"{self._key}:marks")
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def leave(self, group: str) -> None:
        self._stream.leave(group)

    def backlog(self, group: str) -> int:
        return int(self._server.run(scripts.journal("backlog"), [self._key], [group]))

    def dropped(self) -> int:
        return int(self._server.send("GET", f"{self._key}:dropped") or 0)

    def _enter(self, happenings: Sequence[Happening], mark: tuple[str, str, str] = ("", "", "")) -> int:
        told = [forms.bounded(one) for one in happenings]
        flat = [text for one in told for text in (one.key, forms.encoded(one))]
        keys = [
            self._key,
            *(f"{self._key}:{part}" for part in ("marks", "seen", "dropped")),
            self._generations,
        ]
        new, is_over = self._server.run(
            scripts.journal("tell"), keys, [self._most_bytes, TOLD_ONCE_MS, *mark, *flat]
        )
        if is_over:
            self._stream.trim()  # what every group has done with is not lost, so it goes uncounted, and first
            self._server.run(scripts.journal("bound"), [keys[0], keys[3]], [self._most_bytes])
        return int(new)


def _happening(position: str, flat: Sequence[str]) -> Happening:
    """What an entry tells; of one that can't be read, that it can't be: it must not hold up all others."""
    told = dict(zip(flat[::2], flat[1::2], strict=False))
    try:
        return forms.born_in(forms.decoded(told.get("h", "")), int(told.get("g", FIRST)))
    except (Internal, ValueError) as error:
        return forms.unreadable(position, str(error), clocks.wall_ms())
