"""The journal in memory, closed with the ledger of the same process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hysds.adapters.ledger.journal_size import ENTRY_BYTES
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_stream import MemoryStream
from hysds.adapters.ledger.streamed import Streamed
from hysds.core import happenings as forms
from hysds.core.happenings import Happening
from hysds.ports.journal import TOLD_ONCE_MS, Note


@dataclass(frozen=True, slots=True)
class _Line:
    happening: Happening
    size_bytes: int


class MemoryJournal(Streamed[_Line, Note]):
    """Safe to share between threads. `most_bytes`: what it holds; `now_s` is a clock that never goes back."""

    def __init__(
        self, ledger: MemoryLedger, most_bytes: int, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger = ledger
        self._changed = ledger.changed
        self._most_bytes = most_bytes
        self._now_s = now_s
        self._lines: list[_Line] = []
        self._marks: dict[str, str] = {}
        self._seen: dict[str, float] = {}
        self._dropped = 0
        self._stream: MemoryStream[_Line] = MemoryStream(
            ledger.changed, lambda: self._lines, lambda: ledger.is_closed, now_s
        )
        super().__init__(self._stream, lambda position, line: Note(position, line.happening))

    def tell(self, happenings: Sequence[Happening]) -> int:
        with self._changed:
            self._forget_seen()
            current = self._ledger.book.generations.current
            new = [forms.born_in(one, current) for one in map(forms.bounded, happenings) if self._is_new(one)]
            self._lines += [_Line(one, len(forms.encoded(one).encode()) + ENTRY_BYTES) for one in new]
            self._shrink()
            self._changed.notify_all()
            return len(new)

    def turn(self, name: str, before: str, after: str, happenings: Sequence[Happening]) -> bool:
        with self._changed:
            if self._marks.get(name, "") != before:
                return False
            self._marks.pop(name, None)
            if after:
                self._marks[name] = after
            self.tell(happenings)
            return True

    def marks(self) -> Mapping[str, str]:
        with self._changed:
            return dict(self._marks)

    def begin(self, group: str) -> None:
        """A group that is not there begins behind the newest entry."""
        self._stream.begin(group)

    def leave(self, group: str) -> None:
        self._stream.leave(group)

    def dropped(self) -> int:
        return self._dropped

    def _is_new(self, one: Happening) -> bool:
        if one.key in self._seen:
            return False
        self._seen[one.key] = self._now_s()
        return True

    def _forget_seen(self) -> None:
        oldest_s = self._now_s() - TOLD_ONCE_MS / 1000
        self._seen = {key: at_s for key, at_s in self._seen.items() if at_s > oldest_s}

    def _shrink(self) -> None:
        """Keep the newest: an entry goes when as much stands behind it as may be held."""
        if sum(line.size_bytes for line in self._lines[1:]) < self._most_bytes:
            return
        self._stream.trim()
        behind, keep = 0, 0
        for line in reversed(self._lines):
            if behind >= self._most_bytes:
                break
            behind += line.size_bytes
            keep += 1
        self._dropped += self._stream.drop(len(self._lines) - keep)
