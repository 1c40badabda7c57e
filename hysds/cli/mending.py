"""What `hysds doctor --repair` mends: each by the code that a role mends it with, and none that could lose anything."""

from __future__ import annotations

from collections.abc import Iterator

from hysds.bootstrap import System
from hysds.cli import checkup
from hysds.core.requests import MAX_BATCH
from hysds.lib.units import counted
from hysds.ports.bell import MANY

_DEAD_MS = 60_000
"""A reconciler or indexer that is silent for so long signs anew if it still lives."""


def mend(system: System) -> Iterator[str]:
    """Mend, and tell what was done, a sentence each.

    Raises: Unreachable
    """
    yield from _overdue(system)
    yield from _audited(system)
    yield from _cleared(system)
    yield from _struck(system)
    yield from _rung(system)


def _overdue(system: System) -> Iterator[str]:
    """Leases and times that ran out, and workers that are silent and hold nothing."""
    before = {one.incarnation for one in system.ledger.workers()}
    for step in (system.ledger.wake, system.ledger.expire):
        moved = step(MAX_BATCH)
        system.dispatcher.ring(moved.ready)
        for id_, status in moved.answers:
            yield f"job {id_}: its time was over; now {status}"
    for incarnation in sorted(before - {one.incarnation for one in system.ledger.workers()}):
        yield f"worker {incarnation}: its announcement was over; forgotten"


def _audited(system: System) -> Iterator[str]:
    """Every record compared with the ledger's lists."""
    cursor = ""
    while True:
        cursor, mended = system.ledger.audit(cursor, MAX_BATCH)
        for id_, what in mended:
            yield f"job {id_}: {what}; mended"
        if not cursor:
            return


def _cleared(system: System) -> Iterator[str]:
    """What dead workers left on this host."""
    orphans = system.orphans()
    before = dict(orphans.dead())
    if not before:
        return
    system.dispatcher.ring(orphans.take_all())
    left = dict(orphans.dead())
    for incarnation in sorted(before):
        if incarnation in left:
            yield f"worker {incarnation}: what it left could not be cleared away; see the log above"
        else:
            yield f"worker {incarnation}: dead; its processes were ended, its jobs given back, lost directories removed"


def _struck(system: System) -> Iterator[str]:
    for one in system.roster.signatures():
        if one.ago_ms > _DEAD_MS:
            system.roster.strike(one.role, one.member)
            yield f"{one.role} {one.member}: not seen for {one.ago_ms // 1000} s; struck from the roster"


def _rung(system: System) -> Iterator[str]:
    """Bells that nobody takes are dropped; queues with work and no worker get one."""
    for queue in checkup.queue_names(system):
        if system.bell.waiting(queue) > MANY:
            yield f"queue {queue}: {counted(system.bell.drop(queue), 'bell')} that nobody heard: dropped"
    heard = {queue for one in system.ledger.workers() if one.left_ms > 0 for queue in one.queues}
    for state in system.ledger.queues():
        if (
            state.ready
            and not state.paused
            and state.queue not in heard
            and system.dispatcher.ring_again(state.queue)
        ):
            yield f"queue {state.queue}: {counted(state.ready, 'ready job')} and no worker hears it; rung"
