"""A worker's life as its documents tell it: it comes, works, and is gone; decided from what the ledger knows of workers
and from what was told of each before.

Of several live workers of one name the youngest is told of: HySDS has one document a name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hysds.core.explanation.takers import Facts, facts_of, is_silent
from hysds.core.floor_requests import WorkerState
from hysds.core.happenings import EVENT, WORKER, Happening, event_id

ONLINE, HEARTBEAT, OFFLINE = "worker-online", "worker-heartbeat", "worker-offline"
MARK = "worker "
"""How the names of the marks begin that say what was told of whom."""

_KEPT = ("version", "pid", "boot_id", "started", "work_dir", "machine", "cloud", "roles")
_MAX_MARK = 4_000


@dataclass(frozen=True, slots=True)
class Told:
    """What was told last of a worker. `event`: what of its facts a document of its end still has."""

    incarnation: str = ""
    status: str = ""
    at_ms: int = 0
    """Wall ms."""
    event: Mapping[str, Any] | None = None

    def text(self) -> str:
        """As a mark holds it."""
        whole = [self.incarnation, self.status, self.at_ms, dict(self.event or {})]
        text = json.dumps(whole, separators=(",", ":"))
        return text if len(text) <= _MAX_MARK else json.dumps([*whole[:3], {}], separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Told:
        """What a mark says; one that another version wrote says nothing."""
        try:
            incarnation, status, at_ms, event = json.loads(text)
            return cls(str(incarnation), str(status), int(at_ms), dict(event))
        except (ValueError, TypeError):
            return cls()


@dataclass(frozen=True, slots=True)
class Turn:
    """A mark to be moved, and what to tell with it; whoever is second tells nothing. `after` "": the mark goes."""

    mark: str
    before: str
    after: str
    happenings: tuple[Happening, ...] = ()


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a worker that works is told of again, and how long one that is gone is remembered, ms."""

    heartbeat_ms: int = 30_000
    remembered_ms: int = 86_400_000


def turns(
    workers: Sequence[WorkerState], marks: Mapping[str, str], now_ms: int, rhythm: Rhythm
) -> list[Turn]:
    """What there is to tell now. `now_ms`: wall ms, the same clock for all who ask."""
    present = _by_name(workers)
    found: list[Turn] = []
    for name in sorted({*present, *_marked(marks)}):
        before = marks.get(MARK + name, "")
        turn = _turn(name, present.get(name), before, now_ms, rhythm)
        if turn is not None:
            found.append(turn)
    return found


def _marked(marks: Mapping[str, str]) -> Iterable[str]:
    return (name.removeprefix(MARK) for name in marks if name.startswith(MARK))


def _by_name(workers: Sequence[WorkerState]) -> dict[str, WorkerState]:
    """The one of each name that counts: a live one before a silent one, then the youngest."""
    ordered = sorted(workers, key=lambda one: (not is_silent(one, facts_of(one)), *_age(one)))
    return {one.name: one for one in ordered}


def _age(worker: WorkerState) -> tuple[float, str]:
    started = facts_of(worker).rest.get("started")
    return (float(started) if isinstance(started, int | float) else 0.0), worker.incarnation


def _turn(name: str, worker: WorkerState | None, mark: str, now_ms: int, rhythm: Rhythm) -> Turn | None:
    told = Told.read(mark) if mark else Told()
    if worker is not None and not is_silent(worker, facts_of(worker)):
        return _alive(worker, mark, told, now_ms, rhythm)
    if told.status in (ONLINE, HEARTBEAT):
        return _gone(name, worker, mark, told, now_ms)
    if mark and now_ms - told.at_ms > rhythm.remembered_ms:
        return Turn(MARK + name, mark, "")
    return None


def _alive(worker: WorkerState, mark: str, told: Told, now_ms: int, rhythm: Rhythm) -> Turn | None:
    is_new = told.incarnation != worker.incarnation or told.status not in (ONLINE, HEARTBEAT)
    if not is_new and 0 <= now_ms - told.at_ms < rhythm.heartbeat_ms:
        return None
    status = ONLINE if is_new else HEARTBEAT
    at_ms = max(now_ms, told.at_ms + 1)  # a document of this name is never older than the one before
    said = _said(worker, rhythm)
    kept = {name: value for name, value in said.items() if name in (*_KEPT, "host", "queues", "slots")}
    after = Told(worker.incarnation, status, at_ms, kept).text()
    happenings = [Happening(worker.name, WORKER, status, status, at_ms, worker.name, event=said)]
    if is_new:
        happenings.append(_event(worker.name, worker.incarnation, status, at_ms, said))
    return Turn(MARK + worker.name, mark, after, tuple(happenings))


def _gone(name: str, worker: WorkerState | None, mark: str, told: Told, now_ms: int) -> Turn:
    """Silent while the ledger still knows it, or not there any more."""
    at_ms = max(now_ms, told.at_ms + 1)
    said: dict[str, Any] = {
        **(told.event or {}),
        "hostname": name,
        "timestamp": at_ms / 1000,
        "incarnation": told.incarnation,
        "reason": "silent" if worker is not None else "left",
        "last_told": told.at_ms / 1000,
    }
    if worker is not None:
        ago_ms = facts_of(worker).heard_ms_ago(worker.left_ms)
        said["silent_s"] = None if ago_ms is None else ago_ms / 1000
        said["jobs"] = _jobs(worker)
    after = Told(told.incarnation, OFFLINE, at_ms, {}).text()
    own = Happening(name, WORKER, OFFLINE, OFFLINE, at_ms, name, event=said)
    return Turn(MARK + name, mark, after, (own, _event(name, told.incarnation, OFFLINE, at_ms, said)))


def _event(name: str, incarnation: str, status: str, at_ms: int, said: Mapping[str, Any]) -> Happening:
    """A change of state is an event too: the worker's one document only knows the present."""
    id_ = event_id("life", incarnation, status, at_ms)
    return Happening(id_, EVENT, status, status, at_ms, name, event=said)


def _said(worker: WorkerState, rhythm: Rhythm) -> dict[str, Any]:
    """What a document of a live worker tells; first what Celery's own heartbeats have."""
    facts = facts_of(worker)
    rest = facts.rest
    wall_ms = rest.get("wall_ms")
    said: dict[str, Any] = {
        "hostname": worker.name,
        "timestamp": wall_ms / 1000 if isinstance(wall_ms, int | float) else None,
        "freq": rhythm.heartbeat_ms / 1000,
        "active": len(worker.held),
        "loadavg": rest.get("load"),
        "sw_ident": "hysds",
        "sw_ver": rest.get("version"),
        **{name: rest.get(name) for name in _KEPT},
        "incarnation": worker.incarnation,
        "host": worker.host,
        "queues": list(worker.queues),
        "gate": rest.get("gate"),
        "slots": _slots(worker, facts),
        "jobs": _jobs(worker),
        "memory": rest.get("memory"),
        "swap": rest.get("swap"),
        "disk": rest.get("disk"),
        "drained": worker.drain.reason or "drained" if worker.drain is not None else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _slots(worker: WorkerState, facts: Facts) -> dict[str, int]:
    if facts.has is None or facts.free is None:
        return {"total": worker.slots, "used": len(worker.held)}
    return {"total": facts.has.slots, "used": facts.has.slots - facts.free.slots}


def _jobs(worker: WorkerState) -> list[dict[str, Any]]:
    return [{"id": id_, "fence": fence} for id_, fence in worker.held]
