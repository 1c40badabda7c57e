"""An archive in memory, for tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hysds.ports.store import Document


class MemoryArchive:
    """Keeps what was appended as text, as others do."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._lock = threading.Lock()

    def append(self, documents: Sequence[Document]) -> None:
        with self._lock:
            self._lines += [json.dumps(document) for document in documents]

    def read(self, note: Callable[[str], None]) -> Iterator[dict[str, Any]]:
        with self._lock:
            lines = tuple(self._lines)
        for line in lines:
            yield json.loads(line)

    def describe(self) -> str:
        return "memory"

    def close(self) -> None:
        """Nothing to let go of."""
