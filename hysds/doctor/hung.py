"""Which processes of a system on this host live and do not work: by the kernel's word, and by when they were heard of.

A process tells once that it is ready; whether it still works, only what it does regularly can tell: a worker announces
itself with each renewal, reconcilers and indexers sign the roster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hysds.core.explanation.takers import facts_of
from hysds.core.floor_requests import WorkerState
from hysds.doctor.roles import SILENT_MS
from hysds.lib import units
from hysds.ports.roster import Signature

LEAST_S = 5.0
"""Nobody is called silent any sooner."""


@dataclass(frozen=True, slots=True)
class Living:
    """A process that lives. `may_be_silent_s`: how long one that works is not heard of at most; None: it never is.

    `could_be_heard_s`: for how long it and what hears it have both been there.
    """

    name: str
    pid: int
    is_stopped: bool
    could_be_heard_s: float
    may_be_silent_s: float | None


@dataclass(frozen=True, slots=True)
class Heard:
    """How long ago, in seconds, somebody was heard of: a worker of this host by its pid, another role by its name."""

    workers_s: Mapping[int, float] = field(default_factory=dict)
    roles_s: Mapping[str, float] = field(default_factory=dict)

    def ago_s(self, one: Living) -> float | None:
        """None: never, or not for so long that it was forgotten."""
        return self.workers_s.get(one.pid, self.roles_s.get(one.name))


def heard(workers: Sequence[WorkerState], signed: Sequence[Signature], boot_id: str) -> Heard:
    """From the announcements and the roster; `boot_id` is this host's. Of a role, who was heard of last counts."""
    workers_s = {}
    for worker in workers:
        facts = facts_of(worker)
        pid, ago_ms = facts.rest.get("pid"), facts.heard_ms_ago(worker.left_ms)
        if isinstance(pid, int) and ago_ms is not None and facts.rest.get("boot_id") == boot_id:
            workers_s[pid] = ago_ms / 1000
    roles_s: dict[str, float] = {}
    for one in signed:
        roles_s[one.role] = min(max(one.ago_ms, 0) / 1000, roles_s.get(one.role, float("inf")))
    return Heard(workers_s, roles_s)


def worker_silence_s(lease_s: float) -> float:
    """How long a worker may be silent: half of a lease is many renewals."""
    return max(lease_s / 2, LEAST_S)


def role_silence_s(interval_s: float) -> float:
    """How long another role may be; `interval_s`: between its rounds."""
    return max(SILENT_MS / 1000, 3 * interval_s)


def trouble(one: Living, heard: Heard | None) -> str:
    """What is wrong with it, for a sentence that begins with the process; "" for nothing.

    `heard`: None where nobody can tell, as the ledger does not answer.
    """
    if one.is_stopped:
        return "is stopped"
    if heard is None or one.may_be_silent_s is None:
        return ""
    ago_s = heard.ago_s(one)
    silent_s = one.could_be_heard_s if ago_s is None else min(ago_s, one.could_be_heard_s)
    if silent_s <= one.may_be_silent_s:
        return ""
    lasts = units.format_duration(round(silent_s))
    return f"is silent for {lasts}" if ago_s is not None else f"runs for {lasts} and is not heard of"
