"""What of a system runs, in words: a line a part, and below it what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from hysds.cli import words
from hysds.cli.tables import Table, plain
from hysds.core import moments
from hysds.lib import units

_WIDTH = 8
_ROLES = ("reconciler", "indexer")
_SHOWN_WORKERS = 20
_SHOWN_QUEUES = 20

Part = Mapping[str, Any]


def lines(parts: Mapping[str, Part]) -> list[str]:
    """The parts that `cli.parts` found."""
    ledger = parts.get("ledger", {})
    told: dict[str, Callable[[Part], Iterator[str]]] = {
        "system": _system,
        "ledger": _ledger,
        "broker": _broker,
        "store": partial(_store, behind=ledger.get("events_to_index")),
    }
    found = []
    for name, part in parts.items():
        first, *below = told[name](part) if "error" not in part or name == "system" else _error(part)
        found += [f"{name.ljust(_WIDTH)}  {first}", *(f"  {line}" for line in below)]
    if ledger.get("reachable"):
        found += _roles(ledger["roles"])
        found += _workers(ledger["workers"])
        found += _queues(ledger["queues"])
    return found


def _error(part: Part) -> Iterator[str]:
    yield words.clean(str(part["error"]))


def _system(part: Part) -> Iterator[str]:
    if "processes" not in part:
        yield from _error(part)
        return
    kind = "stands" if part["is_standing"] else "belongs to `hysds run`"
    how = ", detached" if part["is_detached"] else ""
    since = moments.iso(round(part["since_s"] * 1000))
    yield f"{part['phase']} under {part['home']}, {kind}{how}: process {part['pid']} since {since}"
    rows = [_process(process) for process in part["processes"]]
    yield from plain(Table(("process", "pid", "for", "restarts", "state", "last end"), rows))
    yield from (words.clean(sentence) for sentence in part.get("troubles", ()))


def _process(process: Part) -> Sequence[str]:
    ended = process["last_end"]
    if ended:
        ended = f"{ended} at {moments.iso(round(process['last_end_at_s'] * 1000))}"
    return (
        process["name"],
        "-" if process["pid"] is None else str(process["pid"]),
        "-" if process["uptime_s"] is None else words.seconds(process["uptime_s"]),
        str(process["restarts"]),
        _state(process),
        words.clean(ended or ""),
    )


def _state(process: Part) -> str:
    if process["pid"] is None:
        again_s = process["again_s"]
        return "ended" if again_s is None else f"starts in {words.seconds(again_s)}"
    return process.get("trouble") or ("ready" if process["is_ready"] else "starting")


def _ledger(part: Part) -> Iterator[str]:
    memory = units.format_size(part["memory_bytes"])
    if part["memory_limit_bytes"] is not None:
        memory += f" of {units.format_size(part['memory_limit_bytes'])}"
    yield f"{part['where']}: {part['server']}, answers in {part['latency_ms']:.1f} ms, {memory} of memory"
    yield f"jobs: {part['ready']} ready, {part['started']} running, {part['due']} with a time set"


def _broker(part: Part) -> Iterator[str]:
    yield f"{part['where']}{', the ledger’s server' if part['is_the_ledgers'] else ''}"


def _store(part: Part, behind: int | None) -> Iterator[str]:
    lag = "" if behind is None else f", {behind} events behind" if behind else ", up to date"
    yield f"{words.clean(part['where'])}{', not made yet' if part['is_new'] else ''}{lag}"
    counts = ", ".join(f"{count} {status.removeprefix('job-')}" for status, count in part["jobs"].items())
    yield f"jobs: {counts or 'none'}"


def _roles(signatures: Sequence[Part]) -> Iterator[str]:
    """Of each role that shows itself in the ledger, how long ago the last one did."""
    heard = {role: [one["ago_ms"] for one in signatures if one["role"] == role] for role in _ROLES}
    told = [
        f"{role} {f'heard {words.seconds(max(min(ago), 0) / 1000)} ago' if ago else 'never heard'}"
        for role, ago in heard.items()
    ]
    yield f"{'roles'.ljust(_WIDTH)}  {'; '.join(told)}"


def _workers(workers: Sequence[Part]) -> Iterator[str]:
    slots = sum(worker["slots"] for worker in workers if not worker["is_silent"])
    busy = sum(worker["busy_slots"] or 0 for worker in workers if not worker["is_silent"])
    yield f"{'workers'.ljust(_WIDTH)}  {len(workers) or 'none'}" + (
        f": {busy} of {slots} slots busy" if workers else ""
    )
    if workers:
        rows = [_worker(worker) for worker in workers[:_SHOWN_WORKERS]]
        yield from (
            f"  {line}" for line in plain(Table(("worker", "slots", "busy", "jobs", "state", "queues"), rows))
        )
    if len(workers) > _SHOWN_WORKERS:
        yield f"  and {len(workers) - _SHOWN_WORKERS} more"


def _worker(worker: Part) -> Sequence[str]:
    state = "silent" if worker["is_silent"] else words.clean(str(worker["gate"] or "?"))
    return (
        words.clean(worker["name"]),
        str(worker["slots"]),
        "?" if worker["busy_slots"] is None else str(worker["busy_slots"]),
        str(worker["jobs"]),
        state,
        words.clean(", ".join(worker["queues"])),
    )


def _queues(queues: Sequence[Part]) -> Iterator[str]:
    yield f"{'queues'.ljust(_WIDTH)}  {len(queues) or 'none'} with ready jobs or a pause"
    if queues:
        most = sorted(queues, key=lambda queue: -queue["ready"])[:_SHOWN_QUEUES]
        rows = [
            (words.clean(one["queue"]), str(one["ready"]), "paused" if one["paused"] else "") for one in most
        ]
        yield from (f"  {line}" for line in plain(Table(("queue", "ready", ""), rows)))
    if len(queues) > _SHOWN_QUEUES:
        yield f"  and {len(queues) - _SHOWN_QUEUES} more"
