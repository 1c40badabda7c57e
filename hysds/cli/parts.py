"""What of a system runs: each part is asked in a thread of its own, and none is waited for longer than the others.

The answers are JSON values, as `hysds status --json` prints them: a part has `reachable`, and `error` where it is not.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hysds.bootstrap import System
from hysds.cli import crashes, vitals
from hysds.cli.worker_rows import Row
from hysds.core.errors import HysdsError
from hysds.core.explanation.takers import facts_of
from hysds.core.floor_requests import WorkerState
from hysds.core.query import JobQuery
from hysds.core.searched import Term
from hysds.doctor.hung import Heard
from hysds.embedded import standing
from hysds.embedded.errors import EmbeddedError
from hysds.embedded.home import Home
from hysds.embedded.standing import State
from hysds.lib import owners
from hysds.settings import urls
from hysds.settings.model import Settings
from hysds.wiring.real import RealAdapters

_INDEXER = "indexer"
_ANY_QUEUE = "hysds-status"
"""A broker is asked for the bells of a queue that nobody has: the answer is 0, if there is one."""

_STATE, _HEARD = "_state", "_heard"
"""What one part says of another; it is no part of the answer."""

Part = dict[str, Any]
Ask = Callable[[System], Part]


def ask(settings: Settings, within_s: float) -> dict[str, Part]:
    """All parts of the system that these settings name, by name; whatever hangs, the answer comes in time."""
    asks: dict[str, Ask] = {"ledger": _ledger, "broker": _broker, "store": _store}
    if settings.ledger.url is None:
        asks = {"system": _system} | asks
    asked = {name: _Asked(one, settings, within_s) for name, one in asks.items()}
    until_s = time.monotonic() + within_s
    found = {name: one.answer(until_s, within_s) for name, one in asked.items()}
    state, heard = found.get("system", {}).pop(_STATE, None), found["ledger"].pop(_HEARD, None)
    if state is not None:
        _add_troubles(found["system"], state, heard, settings)
    return found


def is_well(found: Mapping[str, Part]) -> bool:
    """Whether all parts are reached, and whatever lives works."""
    return all(part["reachable"] and not part.get("troubles") for part in found.values())


def _add_troubles(part: Part, state: State, heard: Heard | None, settings: Settings) -> None:
    """Of the system under the home: which processes live and do not work."""
    troubles = {one.name: one for one in vitals.troubles(state, heard, settings)}
    part["troubles"] = [one.sentence for one in troubles.values()]
    for process in part["processes"]:
        one = troubles.get(process["name"])
        process["trouble"] = one.what if one else None


class _Asked:
    """A question under way, over connections of its own. Nobody waits for its thread at the end."""

    def __init__(self, ask: Ask, settings: Settings, within_s: float) -> None:
        self._ask = ask
        # Nothing is tried again: what it failed of at first would never be told in this time.
        self._system = System(settings, RealAdapters({}, within_s))
        self._told: Part | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def answer(self, until_s: float, within_s: float) -> Part:
        self._thread.join(max(until_s - time.monotonic(), 0))
        return self._told or {"reachable": False, "error": f"no answer within {within_s:.1f} s"}

    def _run(self) -> None:
        try:
            self._told = {"reachable": True} | self._ask(self._system)
        except (HysdsError, EmbeddedError) as error:
            self._told = {"reachable": False, "error": str(error)}
        except PermissionError as error:
            why = owners.refusal(Path(os.fsdecode(error.filename))) if error.filename else str(error)
            self._told = {"reachable": False, "error": f"{why}; set HYSDS_HOME to a directory of your own"}
        except Exception as error:  # noqa: BLE001  a thread's outer shell: the other parts are shown all the same
            self._told = {"reachable": False, "error": f"{type(error).__name__}: {error}"}
        finally:
            self._system.close()


def _system(system: System) -> Part:
    """What runs under the home."""
    home = Home(system.settings.home)
    found = standing.state(home)
    place = {"home": str(home.path), "logs": str(home.log)}
    if found is None:
        crashed = crashes.told(home)
        begin = f"no system runs under {home.path}: start it with `hysds up`"
        return place | {"reachable": False, "crashed": bool(crashed), "error": crashed or begin}
    processes = [asdict(one) for one in found.processes]
    for one, process in zip(processes, found.processes, strict=True):
        one["last_end"] = process.last_end.how if process.last_end else None
        one["last_end_at_s"] = process.last_end_at_s or None
    missing = [process.name for process in found.processes if process.pid is None]
    error = {"reachable": False, "error": f"not running: {', '.join(missing)}"} if missing else {}
    return place | asdict(found) | {"processes": processes, _STATE: found} | error


def _ledger(system: System) -> Part:
    """The server, who is announced to it, and what it has to do."""
    ledger = system.ledger
    began_s = time.perf_counter()
    ledger.now_ms()
    latency_ms = (time.perf_counter() - began_s) * 1000
    queues = [asdict(queue) for queue in ledger.queues()]
    return {
        "where": urls.masked(system.settings.ledger_url),
        "latency_ms": round(latency_ms, 3),
        **asdict(ledger.pulse()),
        "ready": sum(queue["ready"] for queue in queues),
        "events_to_index": system.events.backlog(_INDEXER),
        "roles": [asdict(signature) for signature in system.roster.signatures()],
        "workers": [_worker(worker) for worker in ledger.workers()],
        "queues": queues,
        _HEARD: vitals.heard(system),
    }


def _worker(worker: WorkerState) -> Part:
    row = Row(worker, facts_of(worker))
    return {
        "name": worker.name,
        "host": worker.host,
        "queues": list(worker.queues),
        "slots": row.slots,
        "busy_slots": row.used,
        "jobs": len(worker.held),
        "state": row.word,
        "gate": row.gate or None,
        "is_silent": row.is_silent,
        "heard_s": row.heard_s,
        "drain": worker.drain.reason or "ordered" if worker.drain else None,
    }


def _broker(system: System) -> Part:
    settings = system.settings
    where = {"where": urls.masked(settings.broker_url), "is_the_ledgers": settings.broker.url is None}
    if settings.broker.url is None:
        _ = system.ledger  # it answers, or nobody does; Celery, which is slow to load, is not needed to know
    else:
        system.bell.waiting(_ANY_QUEUE)
    return where


def _store(system: System) -> Part:
    settings = system.settings
    if not settings.is_searched_by_elasticsearch and not settings.store_path.exists():
        return {"where": f"sqlite://{settings.store_path}", "jobs": {}, "is_new": True}
    page = system.store.search(JobQuery(limit=0, facets=(Term.STATUS,)))
    return {"where": system.store.describe(), "jobs": dict(page.counts[Term.STATUS]), "is_new": False}
