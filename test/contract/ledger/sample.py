"""Requests that tests vary: each function makes an ordinary one, and takes what is to be different."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from hysds.core.floor_requests import Announcement, Fit
from hysds.core.requests import Acceptance, Bid, Claimed, Commit, Held, Lease, Renewal
from hysds.core.status import Status
from hysds.lib import uuid7
from hysds.ports.ledger import Ledger

START_US = 1_800_000_000_000_000
LEASE_MS = 10_000
ALL_TWINS = frozenset({Status.QUEUED, Status.WAITING, Status.STARTED, Status.COMPLETED})
_numbers = itertools.count(1)


def job(**changes: Any) -> Acceptance:
    """A job of one slot for the queue `gpu`, with an id of its own."""
    id = uuid7.compose(START_US // 1_000, next(_numbers), 0)
    return replace(
        Acceptance(id, digest=f"digest of {id}", spec='{"job": 1}', queue="gpu", shape="1s"), **changes
    )


def keyed(**changes: Any) -> Acceptance:
    """A job with the dedup digest `same`, a duplicate of any that is live or completed."""
    return job(**{"dedup": "same", "twins": ALL_TWINS, **changes})


def bid(worker: str = "w1", **changes: Any) -> Bid:
    """A wish for one job of one slot, with a nonce of its own."""
    made = Bid(
        worker, ("gpu",), Fit(now=("1s", "1s!")), f"nonce {next(_numbers)}", LEASE_MS, reserve_after_ms=5_000
    )
    return replace(made, **changes)


def renewal(*held: Held, worker: str = "w1", slots: int = 2, **changes: Any) -> Renewal:
    """A renewal of these leases by a worker that hears `gpu`."""
    said = Announcement("host", worker, ("gpu",), slots, Fit(now=("1s", "1s!")), '{"version": "1"}')
    return replace(Renewal(worker, said, held, (), LEASE_MS, announce_ms=25_000), **changes)


def take(ledger: Ledger, **changes: Any) -> Lease:
    """The lease that a bid wins; the test fails where it wins none."""
    return won(ledger.claim(bid(**changes)))


def won(claimed: Claimed | None) -> Lease:
    """The lease of a claim's answer; the test fails where there is none."""
    assert claimed is not None
    assert claimed.lease is not None
    return claimed.lease


def started(ledger: Ledger, item: Acceptance | None = None, **changes: Any) -> Lease:
    """A job accepted and claimed; no other may be ready."""
    ledger.accept([item or job()])
    return take(ledger, **changes)


def end(lease: Lease, status: Status = Status.COMPLETED, **changes: Any) -> Commit:
    """The commit of a lease."""
    return replace(Commit(lease.record.id, lease.record.fence, status), **changes)


def held(lease: Lease, **changes: Any) -> Held:
    """A lease as its holder lists it."""
    return replace(Held(lease.record.id, lease.record.fence), **changes)


def status(ledger: Ledger, id: str) -> Status | None:
    """Where a job stands; None where the ledger does not know it."""
    kept = ledger.kept([id])[0]
    return kept.record.status if kept is not None else None
