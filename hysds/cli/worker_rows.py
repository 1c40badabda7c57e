"""Workers in words and as JSON: what each announced, what it has and has free, and why its gate is shut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hysds.cli import words
from hysds.cli.tables import Table
from hysds.core import moments
from hysds.core.explanation.takers import Facts, facts_of, is_silent
from hysds.core.floor_requests import Drain, WorkerState
from hysds.core.record import FOREVER
from hysds.core.shapes import Capacity
from hysds.lib import units

COLUMNS = (
    "name", "host", "state", "gate", "slots", "jobs", "load", "memory", "disk", "queues", "version", "heard",
)  # fmt: skip
IMPORTANCE = (
    "name", "state", "slots", "jobs", "queues", "gate", "load", "memory", "disk", "host", "heard", "version",
)  # fmt: skip

_YEAR_9999_S = 253_000_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One life of a worker, with what is read from its facts. `namesakes`: how many live workers have its name."""

    state: WorkerState
    facts: Facts
    namesakes: int = 1

    @property
    def is_silent(self) -> bool:
        """Whether it was not heard of for half of a lease."""
        return is_silent(self.state, self.facts)

    @property
    def heard_s(self) -> float | None:
        """How long ago it was heard of; None where it does not say how long its word stands."""
        ago_ms = self.facts.heard_ms_ago(self.state.left_ms)
        return None if ago_ms is None else ago_ms / 1000

    @property
    def slots(self) -> int:
        """In all; a worker that takes nothing more announces none, and has them still."""
        return self.facts.has.slots if self.facts.has else self.state.slots

    @property
    def used(self) -> int:
        """Slots that jobs take."""
        has, free = self.facts.has, self.facts.free
        return has.slots - free.slots if has and free else len(self.state.held)

    @property
    def load(self) -> str:
        """Its host's load over 1, 5 and 15 minutes; "" where it does not say."""
        told = self.facts.rest.get("load")
        if not isinstance(told, list):
            return ""
        return ", ".join(f"{one:.2f}" for one in told if isinstance(one, int | float))

    def room(self, of: str) -> str:
        """What is free of its host's `memory`, `swap` or `disk`, for people; "" where it does not say."""
        told = self.facts.rest.get(of)
        if not isinstance(told, dict):
            return ""
        free, total = (told.get(name) for name in ("free_bytes", "total_bytes"))
        if type(free) is not int or type(total) is not int:
            return ""
        return f"{units.format_size(free)} of {units.format_size(total)}"

    @property
    def gate(self) -> str:
        """What it says of its gate itself, or "" where it says nothing."""
        return _text(self.facts, "gate")

    @property
    def is_draining(self) -> bool:
        """By an order, or as it is about to end."""
        return self.state.drain is not None or self.gate.startswith("draining") or self.state.slots == 0

    @property
    def word(self) -> str:
        """Its state in a word."""
        if self.is_silent:
            return "silent"
        if self.is_draining:
            return "draining" if self.state.held else "drained"
        return "working" if self.state.held else "idle"


def rows(states: Sequence[WorkerState]) -> list[Row]:
    """All of them, by name; names that more than one live worker has are counted."""
    found = [Row(state, facts_of(state)) for state in states]
    live = Counter(row.state.name for row in found if not row.is_silent)
    marked = [Row(row.state, row.facts, max(live[row.state.name], 1)) for row in found]
    return sorted(marked, key=lambda row: (row.state.name, row.is_silent, row.state.incarnation))


def table(found: Sequence[Row]) -> Table:
    """One line a worker."""
    return Table(COLUMNS, [tuple(words.clean(cell) for cell in _cells(row)) for row in found], IMPORTANCE)


def _cells(row: Row) -> tuple[str, ...]:
    twice = f" ({row.namesakes} of this name)" if row.namesakes > 1 and not row.is_silent else ""
    heard = "" if row.heard_s is None else f"{units.format_duration(round(row.heard_s))} ago"
    state = row.state
    return (
        state.name,
        state.host,
        f"{row.word}{twice}",
        _why_shut(row),
        f"{row.used}/{row.slots}",
        str(len(state.held)),
        row.load,
        row.room("memory"),
        row.room("disk"),
        ",".join(state.queues),
        _text(row.facts, "version"),
        heard,
    )


def _why_shut(row: Row) -> str:
    """The gate, and why it is shut; of a silent worker nothing is known."""
    if row.is_silent:
        return ""
    if row.state.drain is not None:
        return ": ".join(part for part in ("draining", row.state.drain.reason) if part)
    return row.gate or ("open" if row.used < row.slots else "full")


def details(row: Row) -> list[tuple[str, str]]:
    """Name and value of all that a worker announced."""
    state = row.state
    cells = dict(zip(COLUMNS, _cells(row), strict=True))
    pairs = [
        ("name", state.name),
        ("life", state.incarnation.partition("/")[2]),
        ("host", state.host),
        ("pid", words.shown(row.facts.rest.get("pid"))),
        ("version", cells["version"]),
        ("started", _started(row.facts)),
        ("state", cells["state"]),
        ("gate", cells["gate"]),
        ("heard", cells["heard"]),
        *([("drained", drained(state.drain))] if state.drain else []),
        ("kept for", f"job {state.reserved}" if state.reserved else ""),
        ("queues", cells["queues"]),
        ("slots", f"{cells['slots']} taken"),
        *_capacities(row.facts.has, row.facts.free),
        ("load", row.load),
        *((f"host {name}", _free(row.room(name))) for name in ("memory", "swap", "disk")),
        *_machine(row.facts),
        ("work dir", _text(row.facts, "work_dir")),
        ("shapes", _shapes(state)),
    ]
    return [(name, words.clean(value)) for name, value in pairs if value]


def drained(order: Drain) -> str:
    """Since when, until when its jobs may go on, and why."""
    until = (
        "until they end"
        if order.within_ms == FOREVER
        else f"until {moments.iso(order.since_ms + order.within_ms)}"
    )
    reason = f", {order.reason}" if order.reason else ""
    return f"since {moments.iso(order.since_ms)}{reason}; jobs may go on {until}"


def as_document(row: Row) -> dict[str, Any]:
    """The worker as JSON holds it. Sizes are bytes, times seconds or ISO 8601."""
    state, order = row.state, row.state.drain
    return {
        "name": state.name,
        "incarnation": state.incarnation,
        "host": state.host,
        "state": row.word,
        "namesakes": row.namesakes,
        "gate": _why_shut(row),
        "slots": row.slots,
        "slots_used": row.used,
        "queues": list(state.queues),
        "jobs": [{"id": id_, "fence": fence} for id_, fence in state.held],
        "heard_s": row.heard_s,
        "reserved": state.reserved or None,
        "drain": None
        if order is None
        else {
            "reason": order.reason,
            "since": moments.iso(order.since_ms),
            "within_s": None if order.within_ms == FOREVER else order.within_ms / 1000,
        },
        "fit": {"now": state.fit.now, "empty": state.fit.empty, "never": state.fit.never},
        **{
            name: row.facts.rest.get(name)
            for name in ("load", "memory", "swap", "disk", "machine", "cloud", "version")
        },
        "facts": dict(row.facts.rest),
    }


def _capacities(has: Capacity | None, free: Capacity | None) -> list[tuple[str, str]]:
    if has is None or free is None:
        return []
    sizes = units.format_size
    return [
        ("cpus", f"{free.cpus:g} of {has.cpus:g} free"),
        ("memory", f"{sizes(free.memory_bytes)} of {sizes(has.memory_bytes)} free"),
        ("disk", f"{sizes(has.disk_bytes)} free" if has.disk_bytes >= 0 else "no work directory"),
    ]


def _free(room: str) -> str:
    return f"{room} free" if room else ""


def _machine(facts: Facts) -> list[tuple[str, str]]:
    """What its host is, as far as it says so."""
    machine, cloud = facts.rest.get("machine"), facts.rest.get("cloud")
    told = machine if isinstance(machine, dict) else {}
    instance = cloud if isinstance(cloud, dict) else {}
    gpus = told.get("gpus")
    system = (told.get("os"), told.get("kernel"), told.get("arch"))
    place = (
        instance.get(name) for name in ("instance_type", "instance_id", "availability_zone", "life_cycle")
    )
    return [
        ("system", ", ".join(one for one in system if isinstance(one, str))),
        ("python", words.shown(told.get("python"))),
        ("gpus", ", ".join(map(str, gpus)) if isinstance(gpus, list) else ""),
        ("instance", ", ".join(one for one in place if isinstance(one, str))),
    ]


def _shapes(state: WorkerState) -> str:
    """What it has learnt of the shapes of jobs."""
    told = (("fit now", state.fit.now), ("fit when empty", state.fit.empty), ("never fit", state.fit.never))
    return "; ".join(f"{name}: {' '.join(shapes)}" for name, shapes in told if shapes)


def _started(facts: Facts) -> str:
    since_s = facts.rest.get("started")
    return (
        moments.iso(round(since_s * 1000))
        if isinstance(since_s, int | float) and 0 < since_s < _YEAR_9999_S
        else ""
    )


def _text(facts: Facts, name: str) -> str:
    value = facts.rest.get(name)
    return value if isinstance(value, str) else ""
