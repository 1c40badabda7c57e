"""Reading a stream in groups in the words of a port, whatever server the stream is in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Entry = TypeVar("Entry")


class Stream(Protocol[Item]):
    """What `RedisStream` and `MemoryStream` do alike; rows are (position, item)."""

    def read(
        self, group: str, member: str, limit: int, timeout_s: float, begins: bool = True
    ) -> list[tuple[str, Item]]: ...

    def adopt(self, group: str, member: str, idle_s: float, limit: int) -> list[tuple[str, Item]]: ...

    def done(self, group: str, positions: Sequence[str]) -> None: ...

    def follow(self, after: str, limit: int, timeout_s: float) -> list[tuple[str, Item]]: ...

    def end(self) -> str: ...

    def trim(self) -> int: ...

    def backlog(self, group: str) -> int: ...


class Streamed(Generic[Item, Entry]):
    """`entry` makes of a position and an item what the port speaks of."""

    def __init__(self, stream: Stream[Item], entry: Callable[[str, Item], Entry]) -> None:
        self._shared = stream
        self._entry = entry

    def read(
        self, group: str, member: str, limit: int, timeout_s: float, begins: bool = True
    ) -> tuple[Entry, ...]:
        return self._entries(self._shared.read(group, member, limit, timeout_s, begins))

    def adopt(self, group: str, member: str, idle_s: float, limit: int) -> tuple[Entry, ...]:
        return self._entries(self._shared.adopt(group, member, idle_s, limit))

    def done(self, group: str, positions: Sequence[str]) -> None:
        self._shared.done(group, positions)

    def follow(self, after: str, limit: int, timeout_s: float) -> tuple[Entry, ...]:
        return self._entries(self._shared.follow(after, limit, timeout_s))

    def end(self) -> str:
        return self._shared.end()

    def trim(self) -> int:
        return self._shared.trim()

    def backlog(self, group: str) -> int:
        return self._shared.backlog(group)

    def _entries(self, rows: Sequence[tuple[str, Item]]) -> tuple[Entry, ...]:
        return tuple(self._entry(position, item) for position, item in rows)
