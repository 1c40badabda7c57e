"""What a ledger comes to when no more is asked of it: every job ends, and nothing is left of any of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import redis

from contract.ledger.side_by_side import SideBySide, audited
from hysds.adapters.ledger.server import Server
from hysds.core.floor_requests import Fit
from hysds.core.kin import STAGING_MS, sums
from hysds.core.record import Record
from hysds.core.requests import MAX_BATCH, Bid, Claimed, Commit, Lease
from hysds.core.status import Status
from hysds.ports.ledger import Ledger

_TICK_US = 1_999_000
"""As far as the ledger's clock goes in a step."""
_MOST_ROUNDS = 200
_QUEUE_FORGOTTEN_US = 1_200_000_000
_LASTING = ("generations", "clock", "events", "dedup:")
"""What stays: the keys of completed jobs do for their windows."""


class RunDown(SideBySide):
    """A run whose jobs are then ended, by a worker that takes all there is, and forgotten."""

    def __init__(self, server: Server, client: redis.Redis, prefix: str, chance: random.Random) -> None:
        super().__init__(server, client, prefix)
        self._chance = chance
        self._keys: Callable[[], list[str]] = lambda: client.keys(f"{{{prefix}}}:*")  # type: ignore[return-value]
        self._bids = 0

    def end_all(self) -> None:
        """Every job ends: what waits for a time, a place, others or a reconciler is waited for."""
        book = self.memory.book
        for queue in list(book.paused):
            self._do(lambda ledger, queue=queue: ledger.resume(queue))
        for name in list(book.floor.drains):
            self._do(lambda ledger, name=name: ledger.undrain(name))
        self.now_us = max([self.now_us, *(ms * 1_000 for ms in book.places.due.values())])
        for _ in range(_MOST_ROUNDS):
            if all(record.status.is_terminal for record in book.records.values()):
                break
            self._reconcile(3)
            while self._work():
                pass
        assert [one for one in book.records.values() if not one.status.is_terminal] == [], "some never end"
        for record in book.records.values():
            _judge_end(record)

    def forget_all(self) -> None:
        """Nothing is left of any of them, and an audit finds nothing."""
        book = self.memory.book
        self._reconcile(STAGING_MS // 2_000 + 30)
        assert self._do(audited) == []
        written = [(id, record.revision) for id, record in book.records.items()]
        self._do(lambda ledger: ledger.confirm(written))
        for _ in range(3):
            self.now_us += _QUEUE_FORGOTTEN_US
            self._reconcile(1)
            ids = self.memory.retirable(MAX_BATCH)
            self._do(lambda ledger, ids=ids: ledger.forget(ids))
        names = (key.split(":", 1)[1] for key in self._keys())
        assert [name for name in names if not name.startswith(_LASTING)] == [], "something is left behind"

    def _reconcile(self, rounds: int) -> None:
        for _ in range(rounds):
            self.now_us += _TICK_US
            self._do(
                lambda ledger: (ledger.wake(MAX_BATCH), ledger.expire(MAX_BATCH), ledger.settle(MAX_BATCH))
            )

    def _work(self) -> bool:
        """One job from its claim to its end, by a worker that leaves then; False where there is none."""
        self._bids += 1
        worker = f"last/{self._bids}"
        pairs = list(self.memory.book.places.ready)
        queues, shapes = ({pair[at] for pair in pairs} for at in (0, 1))
        bid = Bid(worker, tuple(sorted(queues)), Fit(now=tuple(sorted(shapes))), worker, 10_000, 5_000)
        claimed: Claimed = self._do(lambda ledger: ledger.claim(bid))
        if claimed.lease is not None:
            commit = self._end_of(claimed.lease)
            self._do(lambda ledger: (ledger.commit(commit), ledger.leave(worker)))
        return claimed.lease is not None or claimed.more

    def _end_of(self, lease: Lease) -> Commit:
        status = self._chance.choice((Status.COMPLETED, Status.COMPLETED, Status.FAILED))
        return Commit(lease.record.id, lease.record.fence, status, "user" if status is Status.FAILED else "")

    def _do(self, call: Callable[[Ledger], Any]) -> Any:
        expected, answer = call(self.memory), call(self.other)
        assert expected == answer
        self._compare()
        return answer


def _judge_end(record: Record) -> None:
    """The last sums of a group add up, and nobody of it is live; one that was revoked at birth has none."""
    told = sums(record.kids)
    assert told.get("queued", 0) == told.get("running", 0) == 0, record
    assert sum(told.values()) == 2 * told.get("total", 0), record
