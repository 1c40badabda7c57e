"""Ledgers with one rule of limits taken out; each says which."""

from __future__ import annotations

from hysds.core.book import Book
from hysds.core.record import Record
from hysds.core.status import Status
from hysds.core.throttle_values import terms
from hysds.core.throttles import Throttles


class StartsOverTheLimit(Book):
    """A claim takes what is ready, whether a place is free or not."""

    def _send_back(self, record: Record) -> bool:
        return False


class _PlaceKeptBy(Book):
    step = ""

    def _put(self, old: Record, new: Record, step: str) -> None:
        super()._put(old, new, step)
        if step == self.step and old.status is Status.STARTED is not new.status:
            for name, _ in terms(old):
                self.throttles.holders.setdefault(name, {})[old.id] = old.started_ms


class PlaceKeptByCommit(_PlaceKeptBy):
    """A job that ends keeps its place."""

    step = "commit"


class PlaceKeptByRelease(_PlaceKeptBy):
    """So does one that is given back."""

    step = "release"


class PlaceKeptByExpiry(_PlaceKeptBy):
    """So does one whose worker is lost."""

    step = "expire"


class _CallsNobodyAfter(Book):
    step = ""

    def _put(self, old: Record, new: Record, step: str) -> None:
        super()._put(old, new, step)
        if step == self.step:
            self.throttles.touched.clear()


class FreePlaceCallsNobody(_CallsNobodyAfter):
    """A place that a commit frees calls nobody."""

    step = "commit"


class CancelKeepsTheCall(_CallsNobodyAfter):
    """A called job that is cancelled passes its call on to nobody."""

    step = "cancel"


class ExpiryKeepsTheCall(_CallsNobodyAfter):
    """Nor does one whose ttl is over, or whose lease is lost for good."""

    step = "expire"


class BlockedKeepsTheCall(_CallsNobodyAfter):
    """Nor does one that waits at another key."""

    step = "limit"


class ChecksItsFirstKey(Book):
    """A claim looks at the first key of a job alone."""

    def __init__(self) -> None:
        super().__init__()
        self.throttles = _FirstKey(self.clock)


class _FirstKey(Throttles):
    def over(self, record: Record) -> str:
        return "".join(name for name, said in terms(record)[:1] if self.free(name, said) < 1)

    def keeper(self, record: Record) -> str:
        return "".join(name for name, _ in terms(record)[:1] if self.keeps(name, record))


class HoldsWhileItWaits(Book):
    """A job that must wait at one of its keys takes the places of the others already."""

    def _send_back(self, record: Record) -> bool:
        is_sent = super()._send_back(record)
        if is_sent:
            self._take_free(record)
        return is_sent

    def _kept_back(self, record: Record, is_renumbered: bool = False) -> Record:
        kept = super()._kept_back(record, is_renumbered)
        if kept.status is not record.status:
            self._take_free(record)
        return kept

    def _take_free(self, record: Record) -> None:
        for name, said in terms(record):
            if self.throttles.free(name, said) > 0:
                self.throttles.holders.setdefault(name, {})[record.id] = record.ready_ms


class LineStaysWhereItIs(Book):
    """A line waits for ever at the throttle where it began to."""

    def __init__(self) -> None:
        super().__init__()
        self.throttles = _Stubborn(self.clock)


class _Stubborn(Throttles):
    def wait_at(self, line: str, name: str, head: Record) -> bool:
        return super().wait_at(line, self.at.get(line, name), head)

    def keeps(self, name: str, record: Record) -> bool:
        return super().keeps(name, record) or any(
            super(_Stubborn, self).keeps(one, record) for one, _ in terms(record)
        )
