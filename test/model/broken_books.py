"""Ledgers with one rule taken out, of leases, cancels, sets and dedup keys; each says which."""

from __future__ import annotations

from dataclasses import replace

from hysds.core import transitions
from hysds.core.book import Book, Key
from hysds.core.dedup_keys import DedupKeys
from hysds.core.floor import Made
from hysds.core.record import Attempt, Record
from hysds.core.requests import (
    Acceptance,
    Answer,
    Bid,
    Claimed,
    Commit,
    Committing,
    Held,
    Lease,
    Moved,
    Renewal,
    Renewed,
    Standing,
)
from hysds.core.status import Status

_LEAVES_STARTED = ("commit", "release", "expire")


class CommitWithoutFence(Book):
    """Whoever commits a started job is believed."""

    def _commit(self, commit: Commit, now_us: int, made: Made) -> Committing:
        record = self.records.get(commit.id)
        if record is not None and record.status is Status.STARTED:
            commit = replace(commit, fence=record.fence)
        return super()._commit(commit, now_us, made)


class RenewWithoutFence(Book):
    """Whoever renews a started job is believed."""

    def _renew(self, held: Held, lease_ms: int, now_us: int) -> Standing:
        record = self.records.get(held.id)
        return super()._renew(replace(held, fence=record.fence) if record else held, lease_ms, now_us)


class ReleaseWithoutFence(Book):
    """Whoever releases a started job is believed."""

    def release(self, id: str, fence: int, delay_ms: int, detail: str, now_us: int) -> Moved:
        record = self.records.get(id)
        return super().release(id, record.fence if record else fence, delay_ms, detail, now_us)


class LastInCompany(Book):
    """Whoever lost its last worker but one runs beside others again."""

    def _put(self, old: Record, new: Record, step: str) -> None:
        if step == "expire":
            new = replace(new, shape=old.shape)
        super()._put(old, new, step)


class CancelOnlyTold(Book):
    """A cancel goes to the inbox and into no record."""

    def _put(self, old: Record, new: Record, step: str) -> None:
        if step == "cancel" and new.status is Status.STARTED:
            new = replace(new, cancel=False)
        super()._put(old, new, step)


class CancelNotRepeated(Book):
    """A renewal never speaks of a cancel."""

    def _is_cancelled(self, record: Record) -> bool:
        return False


class _CancelForgottenBy(Book):
    step = ""

    def _leave_started(self, old: Record, new: Record, step: str, entry: Attempt | None, made: Made) -> None:
        if step == self.step and old.cancel and new.status is Status.REVOKED:
            now_us = new.revision
            meek = replace(old, cancel=False)
            new = (
                transitions.released(meek, 0, now_us) if step == "release" else transitions.lost(meek, now_us)
            )
            new = replace(new, cancel=True)
        super()._leave_started(old, new, step, entry, made)


class CancelForgottenByRelease(_CancelForgottenBy):
    """A released job goes back to the queue, asked for its cancel or not."""

    step = "release"


class CancelForgottenByExpiry(_CancelForgottenBy):
    """So does one whose lease ran out."""

    step = "expire"


class CancelForgottenByRetry(Book):
    """A failed attempt of a job that is to be cancelled is tried again."""

    def _commit(self, commit: Commit, now_us: int, made: Made) -> Committing:
        record = self.records.get(commit.id)
        if record is None or not self._owns(record, commit.fence) or not record.cancel:
            return super()._commit(commit, now_us, made)
        new = replace(transitions.committed(replace(record, cancel=False), commit, now_us), cancel=True)
        self._leave_started(record, new, "commit", None, made)
        return Committing.DONE


class RevokesUnasked(Book):
    """A worker's word is enough to revoke a job."""

    def _is_uncalled_for(self, record: Record, commit: Commit) -> bool:
        return False


class ReplaysBlindly(Book):
    """A nonce stays in the record, and its replay returns whatever it won once."""

    def _put(self, old: Record, new: Record, step: str) -> None:
        super()._put(old, replace(new, nonce=old.nonce) if step in _LEAVES_STARTED else new, step)

    def _replay(self, bid: Bid) -> Record | None:
        return next((record for record in self.records.values() if record.nonce == bid.nonce), None)


class NeverReplays(Book):
    """Each claim is a new one, whatever its nonce."""

    def _replay(self, bid: Bid) -> Record | None:
        return None


class KeepsGivenUp(Book):
    """A renewal does not release the leases of given-up nonces."""

    def _is_given_up(self, record: Record, renewal: Renewal) -> bool:
        return False


class LeavesDueEntry(Book):
    """A claim leaves the job's due entry where it is."""

    def _put(self, old: Record, new: Record, step: str) -> None:
        due = self.places.due.get(old.id)
        super()._put(old, new, step)
        if step == "claim" and due is not None:
            self.places.due[old.id] = due


class SetsNoDueEntry(Book):
    """A retry that must wait gets no due entry."""

    def _put(self, old: Record, new: Record, step: str) -> None:
        super()._put(old, new, step)
        if step == "commit":
            self.places.due.pop(new.id, None)


class LeavesReadyEntry(Book):
    """A claim leaves the job in its ready list."""

    def _put(self, old: Record, new: Record, step: str) -> None:
        super()._put(old, new, step)
        if step == "claim":
            self.places.ready.setdefault((old.queue, old.shape), []).append((0, old.id))


class DeletesKeyBlindly(Book):
    """A job that ends deletes the key of its digest, whoever it names."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = _BlindKeys(self.records)


class _BlindKeys(DedupKeys):
    def names(self, key: Key, ended: Record) -> bool:
        return True


class KeepsKeyOfFailed(Book):
    """A job that fails or is revoked keeps its key."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = _FastKeys(self.records)


class _FastKeys(DedupKeys):
    def settle(self, ended: Record) -> None:
        if ended.status is Status.COMPLETED:
            super().settle(ended)


class ForcedTwinTakesKey(Book):
    """A submission with `enable_dedup: false` takes the key from the job that it names."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = _OpenKeys(self.records)


class _OpenKeys(DedupKeys):
    def may_take(self, item: Acceptance, now_ms: int) -> bool:
        return bool(item.dedup)


class SeesNoTwins(Book):
    """A duplicate is accepted like any other job."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = _TwinlessKeys(self.records)


class _TwinlessKeys(DedupKeys):
    def twin(self, item: Acceptance, now_ms: int) -> tuple[str, str] | None:
        return None


class AcceptsAgain(Book):
    """A repeated submission is taken as a new one."""

    def _repeated(self, known: Record, item: Acceptance) -> Answer:
        del self.records[item.id]
        self.places.settle(item.id, None)
        return self._accept(item, 10**12, known.revision + 1)


class ForgetsCommits(Book):
    """The record does not keep the last committed fence."""

    def _was_committed(self, record: Record, fence: int) -> bool:
        return False


class NeverExpires(Book):
    """A lease that ran out is left alone, and so is a dead owner's."""

    def _lose(self, record: Record, now_us: int, made: Made) -> str:
        return record.status.value


class NeverWakes(Book):
    """What waits is never made ready."""

    def wake(self, limit: int, now_us: int) -> Moved:
        return Moved(())


class SilentAboutReadyWork(Book):
    """A renewal never says that there is work: only bells do."""

    def renew(self, renewal: Renewal, now_us: int) -> Renewed:
        return replace(super().renew(renewal, now_us), ready=False)


class EndsTwice(Book):
    """A cancel revokes whatever it meets, ended or not."""

    def _cancel(self, id: str, now_us: int) -> str:
        record = self.records[id]
        if record.status in (Status.COMPLETED, Status.FAILED):
            self._put(record, replace(record, status=Status.REVOKED, cancel=True, revision=now_us), "cancel")
            return Status.REVOKED.value
        return super()._cancel(id, now_us)


class PlainFence(Book):
    """A fence grows by one, and a ledger that failed over counts again from where its replica was."""

    def _put(self, old: Record, new: Record, step: str) -> None:
        super()._put(old, replace(new, fence=old.fence + 1) if step == "claim" else new, step)

    def claim(self, bid: Bid, now_us: int) -> Claimed:
        answer = super().claim(bid, now_us)
        if answer.lease is None:
            return answer
        return replace(answer, lease=Lease(self.records[answer.lease.record.id], answer.lease.spec))


class LosesForFree(Book):
    """A lease that runs out costs nothing of the `worker-lost` budget."""

    def _put(self, old: Record, new: Record, step: str) -> None:
        super()._put(old, replace(new, lost_left=old.lost_left) if step == "expire" else new, step)
