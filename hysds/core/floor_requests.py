"""What is said between workers, their operators and the ledger: who is there, what fits, who may take no more.

`requests` has what is asked about jobs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hysds.core.record import FOREVER


@dataclass(frozen=True, slots=True)
class Fit:
    """What a worker knows of shapes. A shape in none of the three it has never seen."""

    now: tuple[str, ...] = ()
    """Fit what is free."""
    empty: tuple[str, ...] = ()
    """Would fit the host when nothing runs, but not now."""
    never: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drain:
    """The order that a worker take no more jobs: for every incarnation of its name, until it is taken back."""

    name: str
    reason: str = ""
    since_ms: int = 0
    """Wall ms of the order; the ledger stamps it."""
    within_ms: int = FOREVER
    """How long running jobs may go on from then; FOREVER: until they end."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a worker says of itself at each renewal. `slots` of 0: it takes nothing."""

    host: str
    name: str
    queues: tuple[str, ...]
    slots: int
    fit: Fit
    facts: str = "{}"
    """JSON: roles, what is free, capabilities, version."""


class Notice(StrEnum):
    """What an inbox says. Lost and cancel name a lease: `<notice> <id> <fence>`."""

    WAKE = "wake"
    LOST = "lost"
    CANCEL = "cancel"
    DRAIN = "drain"
    """An order was given; the answer to a renewal says which."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """An announced worker as the ledger knows it."""

    incarnation: str
    host: str
    name: str
    queues: tuple[str, ...]
    slots: int
    fit: Fit
    facts: str
    """JSON, as announced."""
    left_ms: int
    """How long its announcement still stands, on the ledger's clock; 0 or less: it is silent."""
    held: tuple[tuple[str, int], ...]
    """(id, fence) of its leases, by id."""
    drain: Drain | None = None
    reserved: str = ""
    """The job that its host is kept free for; "": none."""
