"""Ledgers with one rule taken out, of drain orders, retries by hand and memory; each says which."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from hysds.core.book import Book
from hysds.core.dedup_keys import DedupKeys
from hysds.core.floor import Floor, Made
from hysds.core.record import Attempt, Record
from hysds.core.requests import Acceptance, Bid, Claimed, Commit, Committing, Ready, Renewal, Renewed
from hysds.core.reservations import Reservations
from hysds.core.shapes import alone, is_alone
from model.slim import SHAPE


class ClaimsThoughDrained(Book):
    """A claim asks for no order."""

    def _claim(self, bid: Bid, now_us: int) -> Claimed:
        orders, self.floor.drains = self.floor.drains, {}
        try:
            claimed = super()._claim(bid, now_us)
        finally:
            self.floor.drains = orders
        return replace(claimed, drain=self.floor.drain_of(bid.worker))


class DrainedNeverReplays(Book):
    """A drained worker gets nothing at all, not even the answer that it missed."""

    def _replay(self, bid: Bid) -> Record | None:
        return None if self.floor.drain_of(bid.worker) is not None else super()._replay(bid)


class DrainNotRepeated(Book):
    """An order goes to the inbox, and a renewal never speaks of it."""

    def renew(self, renewal: Renewal, now_us: int) -> Renewed:
        return replace(super().renew(renewal, now_us), drain=None)


class DrainForEver(Book):
    """An order that is taken back stands all the same."""

    def undrain(self, name: str, now_us: int) -> bool:
        return name in self.floor.drains


class WakesDrained(Book):
    """Ready work is pledged to whoever hears its queue, drained or not."""

    def __init__(self) -> None:
        super().__init__()
        self.floor = _OpenFloor(self.records, self.places, self.clock)
        self.reservations = Reservations(self.records, self.floor, self.clock)


class _OpenFloor(Floor):
    def announce(self, made: Made, paused: Collection[str]) -> tuple[Ready, ...]:
        orders, self.drains = self.drains, {}
        try:
            return Floor.announce(self, made, paused)
        finally:
            self.drains = orders


class RetriesTheLiving(Book):
    """A job may be done again while it runs."""

    def _may_retry(self, record: Record) -> bool:
        return True

    def _link(self, retried: Record, by: str, now_us: int) -> None:
        if retried.status.is_terminal:
            super()._link(retried, by, now_us)


class LinksNothing(Book):
    """A retry names the job that it does again, and that one knows nothing of it."""

    def _link(self, retried: Record, by: str, now_us: int) -> None:
        return


class LinksSilently(Book):
    """The link is written into the old record, and nobody is told."""

    def _link(self, retried: Record, by: str, now_us: int) -> None:
        self.records[retried.id] = replace(retried, retried_by=by, confirmed=False)
        self.retire.pop(retried.id, None)


class LinksTheConfirmed(Book):
    """The link does not ask the store to confirm the old record anew."""

    def _link(self, retried: Record, by: str, now_us: int) -> None:
        super()._link(retried, by, now_us)
        self.retire[retried.id] = now_us // 1000


class RetryIsATwin(Book):
    """A retry is judged like any other submission."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = _BluntKeys(self.records)


class _BluntKeys(DedupKeys):
    def twin(self, item: Acceptance, now_ms: int) -> tuple[str, str] | None:
        return super().twin(replace(item, retry_of=""), now_ms)


class KeepsItsShape(Book):
    """A commit's shape and memory are passed over."""

    def _commit(self, commit: Commit, now_us: int, made: Made) -> Committing:
        return super()._commit(replace(commit, shape="", memory_bytes=0), now_us, made)


class ForgetsMemory(Book):
    """A job whose lease ran out begins again with the memory of its spec."""

    def _leave_started(self, old: Record, new: Record, step: str, entry: Attempt | None, made: Made) -> None:
        if step == "expire":
            new = replace(new, shape=alone(SHAPE) if is_alone(new.shape) else SHAPE, memory_bytes=0)
        super()._leave_started(old, new, step, entry, made)


class PurgesTheLive(Book):
    """A purge asks for no end, nor for its document."""

    def _has_ended(self, record: Record) -> bool:
        return True

    def _is_written(self, record: Record) -> bool:
        return True


class PurgeFreesAnyKey(Book):
    """A purge lets go of its digest's key, whoever it names."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = _OpenHanded(self.records)


class _OpenHanded(DedupKeys):
    def free(self, digest: str, id: str) -> None:
        self.by_digest.pop(digest, None)


class PurgeKeepsItsKey(Book):
    """A purged job's key stands for it, as a forgotten one's does."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = _Tenacious(self.records)


class _Tenacious(DedupKeys):
    def free(self, digest: str, id: str) -> None:
        """It stays."""
