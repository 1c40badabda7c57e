"""The ledger and its workers with one rule taken out: what the search must find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

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
from model.happenings import Happenings
from model.slim import Plan
from model.world import Bounds, Worker

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


class LostById(Happenings):
    """A worker ends its lease of a job for a notice about an older lease of the same job."""

    def means(self, notice: tuple[int, int, int], worker: Worker) -> bool:
        return notice[1] == worker.job


class FreshNonces(Happenings):
    """A worker that got no answer asks anew, with another nonce."""

    def retry(self, worker: Worker) -> Worker:
        return worker._replace(bid=worker.bid % 10 % 2 + 1 + worker.bid // 10 * 10)


@dataclass(frozen=True)
class Mutant:
    """What is left out of which part, and a search wide enough to see it."""

    name: str
    says: str
    """A part of the violation that must be found."""
    book: Callable[[], Book] = Book
    happenings: type[Happenings] = Happenings
    plans: tuple[Plan, ...] = (Plan(ttl=True, retry=Status.WAITING),)
    bounds: Bounds = field(default_factory=lambda: Bounds(bells=1))


_KEYED = (Plan(dedup=True), Plan(dedup=True))
_FORCED = (Plan(dedup=True), Plan(dedup=True, forced=True))
FAILOVER = Bounds(
    bells=1, failover=True, crashes=False, gives_up=False, lost_answers=False, inboxes=False, cancels=False
)
_PAIR = Bounds(bells=1, inboxes=False, gives_up=False, releases=False, crashes=False)
_ALONE = Bounds(bells=1, workers=1, inboxes=False)

MUTANTS: Sequence[Mutant] = (
    Mutant("commit without its fence", "under a lease that is not its live one", CommitWithoutFence),
    Mutant("renew without its fence", "not its live one", RenewWithoutFence),
    Mutant("release without its fence", "under a lease that is not its live one", ReleaseWithoutFence),
    Mutant("cancel told, not recorded", "the cancel of job 1 was asked", CancelOnlyTold),
    Mutant("cancel not repeated at renewal", "its renewal does not say so", CancelNotRepeated),
    Mutant("cancel forgotten by release", "the cancel of job 1 was asked", CancelForgottenByRelease),
    Mutant("cancel forgotten by expiry", "the cancel of job 1 was asked", CancelForgottenByExpiry),
    Mutant("cancel forgotten by a retry", "the cancel of job 1 was asked", CancelForgottenByRetry),
    Mutant("revoked though nobody asked", "nobody asked for it", RevokesUnasked),
    Mutant("nonce replayed after its lease", "dead lease", ReplaysBlindly),
    Mutant("nonce never replayed", "does not know of it", NeverReplays),
    Mutant("given-up nonce keeps its lease", "does not know of it", KeepsGivenUp),
    Mutant("due entry left at claim", "due", LeavesDueEntry),
    Mutant("due entry not set for a retry", "stands in no set", SetsNoDueEntry),
    Mutant("ready entry left at claim", "stands in ['ready', 'leased']", LeavesReadyEntry),
    Mutant(
        "key deleted by another job", "but the key is free", DeletesKeyBlindly, plans=_FORCED, bounds=_PAIR
    ),
    Mutant("key kept at failure", "the dedup key names job 1", KeepsKeyOfFailed, plans=_KEYED, bounds=_PAIR),
    Mutant(
        "key taken by a forced twin",
        "but the key names job 2",
        ForcedTwinTakesKey,
        plans=_FORCED,
        bounds=_PAIR,
    ),
    Mutant("duplicate accepted", "stands for its dedup key", SeesNoTwins, plans=_KEYED, bounds=_PAIR),
    Mutant("submission repeated as a new job", "job 1", AcceptsAgain),
    Mutant("commit not remembered", "repeated the last commit", ForgetsCommits),
    Mutant("lease never expires", "a job can never end", NeverExpires, bounds=_ALONE),
    Mutant("waiting never wakes", "a job can never end", NeverWakes, bounds=_ALONE),
    Mutant("renewal silent about work", "a job can never end", SilentAboutReadyWork, bounds=_ALONE),
    Mutant("lost workers not counted", "cost nothing", LosesForFree),
    Mutant("ended job revoked", "became job-revoked", EndsTwice),
    Mutant(
        "plain fence after a failover",
        "under a lease that is not its live one",
        PlainFence,
        plans=(Plan(),),
        bounds=replace(FAILOVER, compares_fences=False),
    ),
    Mutant(
        "lost addressed to a job",
        "does not know of it",
        happenings=LostById,
        bounds=Bounds(bells=1, keeps_old_notices=True),
    ),
    Mutant("unanswered claim asked anew", "does not know of it", happenings=FreshNonces),
)
"""`compares_fences` is off for plain fences only: renaming them would hide that two are equal."""
