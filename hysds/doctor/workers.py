"""What the announcements of workers say together: who is silent, doubled, drained, shut, of another version or time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hysds.core.explanation import takers
from hysds.core.floor_requests import Drain, WorkerState
from hysds.lib import clocks, units
from hysds.lib.units import counted
from hysds.ports import findings
from hysds.ports.findings import Finding
from hysds.ports.ledger import QueueState

_OPEN, _FULL = "open", "full"
"""What a healthy gate says."""
_OLD_DRAIN_MS = 7 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Floor:
    """All that the ledger tells of workers at one moment. `now_ms`: its wall clock; `version`: of who asks;
    `task_queues`: of workers that run tasks, by the settings."""

    workers: Sequence[WorkerState]
    queues: Sequence[QueueState]
    drains: Sequence[Drain]
    now_ms: int
    version: str
    task_queues: Sequence[str] = ()


def check(floor: Floor) -> Iterator[Finding]:
    """All that was found."""
    standing = [one for one in floor.workers if not takers.is_silent(one, takers.facts_of(one))]
    yield findings.ok(
        "workers.standing",
        f"{counted(len(standing), 'worker')}, {counted(sum(len(one.held) for one in standing), 'job')} running",
    )
    yield from _unheard(standing, floor)
    yield from _doubled(standing)
    for one in floor.workers:
        yield from _silence(one)
    for one in standing:
        facts = _facts(one)
        yield from _gate(one, facts)
        yield from _version(one, facts, floor.version)
        yield from _clock(one, facts, floor.now_ms)
    yield from _drained(floor)


def _unheard(standing: Sequence[WorkerState], floor: Floor) -> Iterator[Finding]:
    for queue in floor.queues:
        if queue.paused and queue.ready:
            yield findings.note(
                "workers.paused",
                f"it is paused, with {counted(queue.ready, 'ready job')}",
                f"queue {queue.queue}",
            )
        elif queue.ready and not any(queue.queue in one.queues for one in standing):
            kind = "task" if queue.queue in floor.task_queues else "job"
            yield findings.warning(
                "workers.none",
                f"no worker hears it, and it has {counted(queue.ready, 'ready job')}",
                f"queue {queue.queue}",
                f"start one: hysds worker {kind} --queues {queue.queue}",
            )


def _doubled(standing: Sequence[WorkerState]) -> Iterator[Finding]:
    for name, count in Counter(one.name for one in standing).items():
        if count > 1:
            hosts = ", ".join(sorted({one.host for one in standing if one.name == name}))
            yield findings.warning(
                "workers.doubled",
                f"{count} workers have this name, on {hosts}: all of them work, but orders by name, such as a drain, "
                "go to all of them",
                name,
                "give each a name of its own: hysds worker job --name",
            )


def _silence(one: WorkerState) -> Iterator[Finding]:
    facts = takers.facts_of(one)
    if takers.is_silent(one, facts):
        ago_ms = facts.heard_ms_ago(one.left_ms)
        since = "" if ago_ms is None else f" for {units.format_duration(round(ago_ms / 1000))}"
        held = (
            f" and holds {counted(len(one.held), 'job')}, for others when the leases run out"
            if one.held
            else ""
        )
        yield findings.warning(
            "workers.silent",
            f"it was not heard of{since}{held}",
            one.incarnation,
            "look at its host and at its way to the ledger",
        )


def _gate(one: WorkerState, facts: Mapping[str, Any]) -> Iterator[Finding]:
    gate = str(facts.get("gate", _OPEN))
    if gate not in (_OPEN, _FULL) and not gate.startswith("draining"):
        yield findings.warning(
            "workers.shut", f"it takes no jobs, or not all: {gate}", one.name, "mend its host"
        )


def _version(one: WorkerState, facts: Mapping[str, Any], ours: str) -> Iterator[Finding]:
    theirs = facts.get("version")
    if theirs and theirs != ours:
        yield findings.note("workers.version", f"it runs hysds {theirs}, this command is {ours}", one.name)


def _clock(one: WorkerState, facts: Mapping[str, Any], now_ms: int) -> Iterator[Finding]:
    """It told its clock with its announcement, which is as old as what is missing of its time."""
    wall_ms, announce_ms = facts.get("wall_ms"), facts.get("announce_ms")
    if not isinstance(wall_ms, int) or not isinstance(announce_ms, int):
        return
    ahead_ms = wall_ms - (now_ms - (announce_ms - one.left_ms))
    if abs(ahead_ms) > clocks.MAY_DIFFER_MS:
        yield findings.warning(
            "workers.clock",
            f"the clock of its host {one.host} is {clocks.told(ahead_ms)} the ledger's",
            one.name,
            "set the clocks of all hosts by NTP (chrony, systemd-timesyncd)",
        )


def _drained(floor: Floor) -> Iterator[Finding]:
    names = {one.name for one in floor.workers if one.left_ms > 0}
    for order in floor.drains:
        age_ms = floor.now_ms - order.since_ms
        since = f"drained for {units.format_duration(round(age_ms / 1000))}" + (
            f" ({order.reason})" if order.reason else ""
        )
        mend = f"when it may work again: hysds worker resume {order.name}"
        if order.name in names:
            yield findings.note("workers.drained", since, order.name, mend)
        elif age_ms > _OLD_DRAIN_MS:
            yield findings.note("workers.drained", f"{since}, and no such worker is there", order.name, mend)


def _facts(one: WorkerState) -> Mapping[str, Any]:
    try:
        facts = json.loads(one.facts)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}
