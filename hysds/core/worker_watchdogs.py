"""What is wrong with workers, by what they announce: silent ones, ones on which job after job fails, full disks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from hysds.core.explanation import takers
from hysds.core.floor_requests import Drain, WorkerState
from hysds.core.watchdogs import MOST_TROUBLES, Bounds, Kind, Trouble, lasting
from hysds.lib import units
from hysds.lib.units import counted

DRAINED_FOR = "failures in a row"
"""How the reason of each drain by a watchdog begins."""
_DAY_MS = 86_400_000
_LONGEST_REASON = 200
_ALL_FAIL = "what fails is likely what all of them use; see a job's error: hysds jobs --status failed"


@dataclass(frozen=True, slots=True)
class Known:
    """A worker that was called silent before, and since when (wall ms)."""

    name: str
    since_ms: int


def silent(
    workers: Sequence[WorkerState], known: Iterable[Known], now_ms: int, bounds: Bounds
) -> list[Trouble]:
    """Workers that were not heard of, and none of their name is since. The ledger forgets a silent worker once nothing
    hangs on it; `known` are those of the last looks, which stay silent for a day or until they are heard of.
    """
    here = {one.name for one in workers if not takers.is_silent(one, takers.facts_of(one))}
    found: dict[str, Trouble] = {}
    for one in workers:
        facts = takers.facts_of(one)
        ago_ms = facts.heard_ms_ago(one.left_ms)
        least_ms = min(bounds.silence_ms, facts.announce_ms * 3 // 4)
        if one.name in here or ago_ms is None or ago_ms < least_ms:
            continue
        held = f" and holds {counted(len(one.held), 'job')}" if one.held else ""
        # Told once: how long it lasts is seen from when it began.
        found[one.name] = _silent(one.name, f"was not heard of for {lasting(least_ms)}{held}")
    for old in known:
        if old.name not in here and old.name not in found and now_ms - old.since_ms < _DAY_MS:
            found[old.name] = _silent(old.name, "was not heard of any more, and the ledger has forgotten it")
    return list(found.values())[:MOST_TROUBLES]


def _silent(name: str, what: str) -> Trouble:
    hint = (
        "look at its host and at its way to the ledger; what it held runs elsewhere once its leases run out"
    )
    return Trouble(Kind.WORKER_SILENT, f"worker {name}", what, hint, worker=name)


@dataclass(frozen=True, slots=True)
class Failing:
    """Workers with too many failures in a row, which of them are to be drained now, and about which troubles (by key)
    nothing has to be done any more."""

    troubles: tuple[Trouble, ...] = ()
    drains: tuple[Drain, ...] = ()
    settled: frozenset[str] = frozenset()


def failing(
    workers: Sequence[WorkerState], orders: Iterable[Drain], settled: Collection[str], bounds: Bounds
) -> Failing:
    """By what workers announce. `settled`: keys of troubles for which the worker was drained before: who resumed it
    decided about that row of failures, and only another one drains it again.

    Where all workers fail, draining them all would help nobody: one that is over the share is named, and not drained.
    """
    standing = [one for one in workers if not takers.is_silent(one, takers.facts_of(one))]
    names = {one.name for one in standing}
    drained = {order.name: order.reason for order in orders}
    ours = sum(drained.get(name, "").startswith(DRAINED_FOR) for name in names)
    share = max(len(names) * bounds.failing_percent // 100, 1)
    troubles: list[Trouble] = []
    drains: list[Drain] = []
    for one in standing:
        said = _streak(one, bounds.failures)
        if said is None:
            continue
        trouble = _failing(one, *said)
        if trouble.key not in settled and one.name not in drained:
            if ours + len(drains) < share:
                drains.append(Drain(one.name, f"{DRAINED_FOR}: {trouble.what}"[:_LONGEST_REASON]))
                drained[one.name] = DRAINED_FOR
            else:
                trouble = replace(
                    trouble,
                    hint=f"not drained, as {ours + len(drains)} of {len(names)} workers are: {_ALL_FAIL}",
                )
        troubles.append(trouble)
    told = troubles[:MOST_TROUBLES]
    return Failing(
        tuple(told), tuple(drains), frozenset(one.key for one in told if one.worker in drained) | set(settled)
    )


def _failing(worker: WorkerState, count: int, since_ms: int, classes: str) -> Trouble:
    return Trouble(
        Kind.WORKER_FAILING,
        f"worker {worker.name}",
        f"{count} failures in a row that may be its own ({classes})",
        f"mend its host, then: hysds worker resume {worker.name}",
        worker=worker.name,
        episode=f"{worker.incarnation.rpartition('/')[2]}.{since_ms}",
    )


def _streak(worker: WorkerState, least: int) -> tuple[int, int, str] | None:
    """Its count, when it began, and its classes in words; None where the count is less or the worker says it oddly."""
    said = takers.facts_of(worker).rest.get("failing")
    if not isinstance(said, dict):
        return None
    count, since_ms, classes = said.get("count"), said.get("since_ms"), said.get("classes")
    if type(count) is not int or type(since_ms) is not int or count < least:
        return None
    named = classes.items() if isinstance(classes, dict) else ()
    return count, since_ms, ", ".join(f"{name} {number}" for name, number in sorted(named))


def disks(workers: Iterable[WorkerState], bounds: Bounds) -> list[Trouble]:
    """Work directories with too little room, by what their workers announce; one trouble a host and directory."""
    found: dict[str, tuple[int, Trouble]] = {}
    for one in workers:
        facts = takers.facts_of(one)
        free = facts.has.disk_bytes if facts.has is not None else -1
        if takers.is_silent(one, facts) or not 0 <= free < bounds.disk_low_bytes:
            continue
        place = f"{takers.work_dir(one)}"
        trouble = Trouble(
            Kind.DISK_LOW,
            place,
            f"has less than {units.format_size(bounds.disk_low_bytes)} free",
            "purge ended jobs (hysds purge), or give it room; jobs that ask for disk do not start there",
            worker=one.name,
        )
        found.setdefault(place, (free, trouble))
    return [trouble for _, trouble in sorted(found.values(), key=lambda pair: pair[0])][:MOST_TROUBLES]
