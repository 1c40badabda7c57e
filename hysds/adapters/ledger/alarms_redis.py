"""Alarms in Redis: a hash of all (`<revision> <JSON>` by key), and a key with an expiry for each turn."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from hysds.adapters.ledger import scripts
from hysds.adapters.ledger.redis import base
from hysds.adapters.ledger.server import Server
from hysds.core import alarms as alarm_values
from hysds.core.alarms import Alarm

_log = logging.getLogger(__name__)


class RedisAlarms:
    """Safe to share between threads. `prefix` begins every key."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._key = f"{base(prefix)}alarms"
        self._odd: frozenset[str] = frozenset()

    def all(self) -> tuple[int, tuple[Alarm, ...]]:
        now_ms, *texts = self._run("all", self._key)
        return int(now_ms), tuple(sorted(self._readable(texts), key=lambda one: one.key))

    def put(self, alarm: Alarm) -> bool:
        return bool(self._run("put", self._key, alarm.key, alarm.revision, alarm_values.stored(alarm)))

    def drop(self, alarm: Alarm) -> bool:
        return bool(self._run("drop", self._key, alarm.key, alarm.revision))

    def take_turn(self, name: str, member: str, for_ms: int) -> bool:
        return bool(self._run("take_turn", f"{self._key}:turn:{name}", member, for_ms))

    def end_turn(self, name: str, member: str, rest_ms: int) -> None:
        self._run("end_turn", f"{self._key}:turn:{name}", member, rest_ms)

    def _readable(self, texts: Iterable[str]) -> list[Alarm]:
        """What another program wrote, or a later HySDS, concerns that one alarm alone; it is logged once, however often
        somebody looks.
        """
        found, odd = [], set()
        for text in texts:
            try:
                found.append(alarm_values.from_stored(text.partition(" ")[2]))
            except (ValueError, TypeError) as error:
                odd.add(text)
                if text not in self._odd:
                    _log.error("an alarm can't be read, and is left alone: %s: %.200s", error, text)
        self._odd = frozenset(odd)
        return found

    def _run(self, name: str, key: str, *arguments: str | int) -> Any:
        return self._server.run(scripts.alarms(name), [key], arguments)
