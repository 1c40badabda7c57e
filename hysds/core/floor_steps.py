"""The steps of an operator of workers: drain orders, who is there, and where a job stands in its queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from hysds.core.floor import Worker
from hysds.core.floor_requests import Announcement, Drain, Notice, WorkerState
from hysds.core.pages import Pages
from hysds.core.record import ready_score
from hysds.core.requests import Place
from hysds.core.status import Status


class FloorSteps(Pages):
    """Workers by name, and the floor as it is seen from outside."""

    def drain(self, drain: Drain, now_us: int) -> tuple[str, ...]:
        """Order that a worker take no more jobs; answers the incarnations that were told.

        A new order replaces an old one. What was pledged to them is pledged to others, and no host is kept free for
        them any more.
        """
        self.tick(now_us)
        self.floor.drains[drain.name] = replace(drain, since_ms=now_us // 1000)
        told = self.floor.named(drain.name)
        queues: set[str] = set()
        for name in told:
            worker = self.floor.workers[name]
            if worker.pledged and worker.announcement is not None:
                queues.update(worker.announcement.queues)
            self.floor.bids(name)
            self.reservations.drop(name)
            self.floor.tell(name, Notice.DRAIN.value)
        self._hand_over(queues)
        return tuple(told)

    def _hand_over(self, queues: Collection[str]) -> None:
        """Wake others for the ready jobs of queues that a drained worker was woken for."""
        ready = self.places.ready.items()
        self._announce(Counter({pair: len(entries) for pair, entries in ready if pair[0] in queues}))

    def undrain(self, name: str, now_us: int) -> bool:
        """Take an order back, and wake the workers that it was for; False where there was none."""
        self.tick(now_us)
        if self.floor.drains.pop(name, None) is None:
            return False
        for worker in self.floor.named(name):
            self.floor.tell(worker, Notice.WAKE.value)
        return True

    def worker_states(self, now_us: int) -> tuple[WorkerState, ...]:
        """Who has announced itself and is not forgotten, by incarnation."""
        return tuple(
            self._state(name, worker, worker.announcement, now_us)
            for name, worker in sorted(self.floor.workers.items())
            if worker.announcement is not None
        )

    def _state(self, name: str, worker: Worker, said: Announcement, now_us: int) -> WorkerState:
        return WorkerState(
            incarnation=name,
            host=said.host,
            name=said.name,
            queues=said.queues,
            slots=said.slots,
            fit=said.fit,
            facts=said.facts,
            left_ms=worker.until_ms - self.clock.read(now_us),
            held=tuple((record.id, record.fence) for record in self.floor.held_by(name)),
            drain=self.floor.drain_of(name),
            reserved=worker.reserved,
        )

    def place(self, id: str, now_us: int) -> Place | None:
        """Where a queued job stands among the ready ones of its queue; None where it is not queued."""
        record = self.records.get(id)
        if record is None or record.status is not Status.QUEUED:
            return None
        lists = [entries for (queue, _), entries in self.places.ready.items() if queue == record.queue]
        mine = (ready_score(record), id)
        return Place(
            ahead=sum(entry < mine for entries in lists for entry in entries),
            ready=sum(len(entries) for entries in lists),
            pause=self.paused.get(record.queue),
            reserved_by=record.reserved_by if record.reserved_ms > self.clock.read(now_us) else "",
        )
