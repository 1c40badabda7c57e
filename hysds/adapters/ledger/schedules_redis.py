"""Schedules in Redis: a hash of all (`<revision> <JSON>` by name), and a sorted set of when each is due."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from hysds.adapters.ledger import scripts
from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.server import Server
from hysds.core import schedule as schedule_values
from hysds.core.schedule import Schedule

_log = logging.getLogger(__name__)


class RedisSchedules:
    """Safe to share between threads. `prefix` begins every key."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._keys = [f"{base(prefix)}schedules", f"{base(prefix)}schedules:due"]

    def put(self, schedule: Schedule, over: int | None) -> bool:
        due_ms = "" if schedule.due_ms is None else schedule.due_ms
        text = schedule_values.stored(schedule)
        wanted = "" if over is None else over
        return bool(self._run("put", schedule.name, wanted, schedule.revision, due_ms, text))

    def drop(self, name: str) -> bool:
        return bool(self._run("drop", name))

    def all(self) -> tuple[Schedule, ...]:
        texts = self._server.send("HVALS", self._keys[0])
        return tuple(sorted(_readable(texts), key=lambda one: one.name))

    def unreadable(self) -> tuple[str, ...]:
        flat = self._server.send("HGETALL", self._keys[0])
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return tuple(sorted(name for name, text in pairs if not any(_readable([text]))))

    def due(self, limit: int) -> tuple[int, tuple[Schedule, ...]]:
        now_ms, *texts = self._run("due", limit)
        return int(now_ms), tuple(_readable(texts))

    def _run(self, name: str, *arguments: str | int) -> Any:
        return self._server.run(scripts.schedules(name), self._keys, arguments)


def _readable(texts: Iterable[str]) -> Iterator[Schedule]:
    """What another program wrote, or a later HySDS, concerns that one schedule alone."""
    for text in texts:
        try:
            yield schedule_values.from_stored(text.partition(" ")[2])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            _log.error("a schedule can't be read, and is left alone: %s: %.200s", error, text)
