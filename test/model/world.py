"""What the search looks at: one ledger, two workers with their own small memories, bells, and what a user asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from model.slim import Ledger

Item = TypeVar("Item")

IDLE, RUNS, COMPLETES, FAILS, RETRIES, STOPS, RELEASES = range(7)
ENDS = {COMPLETES: "completed", FAILS: "failed", RETRIES: "failed, to be tried again", STOPS: "revoked"}
LOST, CANCEL = 1, 2


class Worker(NamedTuple):
    """What a worker knows. A crash makes it anew."""

    bid: int = 0
    """The nonce that it asks with until answered; 0: it asks for nothing."""
    given: int = 0
    """A nonce given up, until a renewal has told the ledger."""
    does: int = IDLE
    job: int = 0
    fence: int = 0
    note: int = 0
    """While it runs a job: whether it heard of a cancel. While it ends one: whether the ledger had done it already."""
    inbox: tuple[tuple[int, int, int], ...] = ()
    """(LOST or CANCEL, job, fence)"""


class World(NamedTuple):
    ledger: Ledger
    bells: int
    workers: tuple[Worker, ...]
    asked: tuple[int, ...]
    """By job: whether a user asked for its cancel while it lived."""
    replica: Ledger | None = None
    """What a lagging replica holds, where the search has one."""


@dataclass(frozen=True)
class Bounds:
    """What may happen in a search."""

    workers: int = 2
    bells: int = 2
    cancels: bool = True
    crashes: bool = True
    releases: bool = True
    gives_up: bool = True
    lost_answers: bool = True
    expires: bool = True
    failover: bool = False
    drains: bool = False
    """An operator orders workers to take no more jobs, and takes it back some day."""
    purges: bool = False
    """An operator may purge any job at any moment; each is judged, and where it leads to is not followed."""
    compares_fences: bool = True
    """Fences are renamed, equality kept. Off: their numbers stand, and the clock is beyond all of them."""
    inboxes: bool = True
    """Off: a worker learns of a cancel or a loss whenever it likes, which is all that an inbox changes."""
    keeps_old_notices: bool = False
    """Keep notices that no lease of the worker answers to any more: only a broken worker would act on them."""


Label = tuple[str, int, int]
"""(what happens, worker or 0, job + 1 or 0)"""
Move = tuple[Label, World, bool]
"""The last: whether it counts where a job must be able to end without help."""


def put(items: tuple[Item, ...], place: int, item: Item) -> tuple[Item, ...]:
    """The tuple with one item exchanged."""
    return (*items[:place], item, *items[place + 1 :])
