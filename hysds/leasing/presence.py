"""What a worker says of itself with each renewal: what it takes, what it has and has free, and what its gate says.

All of it is at hand: no process is started and nothing is asked for over a network. The disk is measured, once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from hysds.core.floor_requests import Announcement
from hysds.leasing.host import Host
from hysds.lib import clocks

OPEN, FULL, DRAINING = "open", "full", "draining"
"""What a gate says, beside what is wrong with the host; `draining` is followed by a colon and the reason."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a worker is. `incarnation` is new with each start: no lease passes from a dead worker to its successor."""

    incarnation: str
    name: str
    host: str
    queues: tuple[str, ...]
    slots: int
    facts: str
    """A JSON object: what the worker says of itself for as long as it lives."""


class Presence:
    """Any thread may call any method. `draining` answers why nothing is taken, "" while the worker works."""

    def __init__(
        self,
        identity: Identity,
        host: Host,
        draining: Callable[[], str],
        failing: Callable[[], dict[str, Any]],
        **terms_ms: int,
    ) -> None:
        """`failing`: what failed in a row, empty where nothing did. `terms_ms`: times that whoever reads the facts must
        know, in ms.
        """
        self._identity = identity
        self._host = host
        self._draining = draining
        self._failing = failing
        self._fixed = json.loads(identity.facts) | terms_ms

    def is_open(self) -> bool:
        """Whether another job would be taken. Asked often: costs nothing."""
        return not self._draining() and self._host.is_usable() and self._host.free_slots() > 0

    def gate(self) -> str:
        """Why the gate is shut, or that it is open; what jobs that need disk would find, where that alone is wrong."""
        reason = self._draining()
        if reason:
            return f"{DRAINING}: {reason}"
        if not self._host.is_usable():
            return self._host.defect()
        return FULL if self._host.free_slots() <= 0 else self._host.defect() or OPEN

    def announcement(self) -> Announcement:
        """For a renewal."""
        identity, fit = self._identity, self._host.fit()
        shut = bool(self._draining()) or not self._host.is_usable()
        return Announcement(
            host=identity.host,
            name=identity.name,
            queues=identity.queues,
            slots=0 if shut else identity.slots,
            fit=fit,
            facts=self._facts(),
        )

    def _facts(self) -> str:
        """What people are told, as JSON; nothing but watchdogs decides by it."""
        whole, free = self._host.capacities()
        told = {
            "has": asdict(whole),
            "free": asdict(free),
            "gate": self.gate(),
            "load": os.getloadavg(),
            "wall_ms": clocks.wall_ms(),
        }
        if failing := self._failing():
            told["failing"] = failing
        return json.dumps(self._fixed | told | self._host.facts())
