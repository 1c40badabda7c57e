"""The ledger and its workers with one rule taken out: what the search must find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from hysds.core.book import Book
from hysds.core.requests import COMPLETED, FINISHED
from hysds.core.status import Status
from model import broken_books, broken_kin, broken_limits, broken_orders
from model.happenings import Happenings
from model.slim import Plan
from model.world import Bounds, Worker


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
PAIR = Bounds(bells=1, inboxes=False, gives_up=False, releases=False, crashes=False)
_ALONE = Bounds(bells=1, workers=1, inboxes=False)
DRAINED = Bounds(bells=1, drains=True, inboxes=False, cancels=False, releases=False)
PURGED = replace(PAIR, purges=True)
AGAIN = (Plan(dedup=True), Plan(dedup=True, retries=True))
_KEY = ("k",)
ONE_PLACE = (
    Plan(ttl=True, retry=Status.WAITING, keys=_KEY),
    Plan(keys=_KEY, waits=True, lost_left=0),
)
"""Two jobs, one key of one place."""
LIMITED = Bounds(bells=1, inboxes=False, gives_up=False, lost_answers=False)
THREE = Bounds(bells=1, inboxes=False, gives_up=False, releases=False, lost_answers=False, cancels=False)
TWO_PLACES = (Plan(keys=_KEY, places=2, lost_left=0),) * 3
"""Three jobs, one key of two places: a dead worker's job still holds one."""
CROSSED = (
    Plan(keys=("b",), lost_left=1),
    Plan(keys=("a", "b"), lost_left=0),
    Plan(keys=("a",), lost_left=0),
)
"""One job needs a place of two keys, each of which another job needs too; one of those has another shape after a loss,
so that both are called for one place."""
AFTER = (Plan(retry=Status.WAITING), Plan(after=COMPLETED, waits=True, ttl=True))
AFTER_ANY = (Plan(retry=Status.WAITING), Plan(after=FINISHED, lost_left=0))
_GROWS = (Plan(retry=Status.WAITING, grows=True),)

MUTANTS: Sequence[Mutant] = (
    Mutant(
        "commit without its fence", "under a lease that is not its live one", broken_books.CommitWithoutFence
    ),
    Mutant("renew without its fence", "not its live one", broken_books.RenewWithoutFence),
    Mutant(
        "release without its fence",
        "under a lease that is not its live one",
        broken_books.ReleaseWithoutFence,
    ),
    Mutant("cancel told, not recorded", "the cancel of job 1 was asked", broken_books.CancelOnlyTold),
    Mutant("cancel not repeated at renewal", "its renewal does not say so", broken_books.CancelNotRepeated),
    Mutant(
        "cancel forgotten by release", "the cancel of job 1 was asked", broken_books.CancelForgottenByRelease
    ),
    Mutant(
        "cancel forgotten by expiry", "the cancel of job 1 was asked", broken_books.CancelForgottenByExpiry
    ),
    Mutant(
        "cancel forgotten by a retry", "the cancel of job 1 was asked", broken_books.CancelForgottenByRetry
    ),
    Mutant("revoked though nobody asked", "nobody asked for it", broken_books.RevokesUnasked),
    Mutant("nonce replayed after its lease", "dead lease", broken_books.ReplaysBlindly),
    Mutant("nonce never replayed", "does not know of it", broken_books.NeverReplays),
    Mutant("given-up nonce keeps its lease", "does not know of it", broken_books.KeepsGivenUp),
    Mutant("due entry left at claim", "due", broken_books.LeavesDueEntry),
    Mutant("due entry not set for a retry", "stands in no set", broken_books.SetsNoDueEntry),
    Mutant("ready entry left at claim", "stands in ['ready', 'leased']", broken_books.LeavesReadyEntry),
    Mutant(
        "key deleted by another job",
        "but the key is free",
        broken_books.DeletesKeyBlindly,
        plans=_FORCED,
        bounds=PAIR,
    ),
    Mutant(
        "key kept at failure",
        "the dedup key names job 1",
        broken_books.KeepsKeyOfFailed,
        plans=_KEYED,
        bounds=PAIR,
    ),
    Mutant(
        "key taken by a forced twin",
        "but the key names job 2",
        broken_books.ForcedTwinTakesKey,
        plans=_FORCED,
        bounds=PAIR,
    ),
    Mutant(
        "duplicate accepted", "stands for its dedup key", broken_books.SeesNoTwins, plans=_KEYED, bounds=PAIR
    ),
    Mutant("submission repeated as a new job", "job 1", broken_books.AcceptsAgain),
    Mutant("commit not remembered", "repeated the last commit", broken_books.ForgetsCommits),
    Mutant("lease never expires", "a job can never end", broken_books.NeverExpires, bounds=_ALONE),
    Mutant("waiting never wakes", "a job can never end", broken_books.NeverWakes, bounds=_ALONE),
    Mutant(
        "renewal silent about work", "a job can never end", broken_books.SilentAboutReadyWork, bounds=_ALONE
    ),
    Mutant("lost workers not counted", "cost nothing", broken_books.LosesForFree),
    Mutant("last attempt in company", "need not run alone", broken_books.LastInCompany),
    Mutant("ended job revoked", "became job-revoked", broken_books.EndsTwice),
    Mutant(
        "plain fence after a failover",
        "under a lease that is not its live one",
        broken_books.PlainFence,
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
    Mutant(
        "claim blind to a drain", "and was given a job", broken_orders.ClaimsThoughDrained, bounds=DRAINED
    ),
    Mutant(
        "drained claim not replayed", "does not know of it", broken_orders.DrainedNeverReplays, bounds=DRAINED
    ),
    Mutant(
        "drain not repeated at renewal",
        "renewal does not say so",
        broken_orders.DrainNotRepeated,
        bounds=DRAINED,
    ),
    Mutant(
        "drain never taken back",
        "a job can never end",
        broken_orders.DrainForEver,
        bounds=replace(DRAINED, workers=1),
    ),
    Mutant("drained worker woken", "and was woken for a job", broken_orders.WakesDrained, bounds=DRAINED),
    Mutant(
        "living job retried",
        "which has not ended",
        broken_orders.RetriesTheLiving,
        plans=(Plan(), Plan(retries=True)),
        bounds=PAIR,
    ),
    Mutant(
        "retried job not told", "job 1 does not say so", broken_orders.LinksNothing, plans=AGAIN, bounds=PAIR
    ),
    Mutant(
        "link without a revision",
        "revision did not grow",
        broken_orders.LinksSilently,
        plans=AGAIN,
        bounds=PAIR,
    ),
    Mutant(
        "link not confirmed anew",
        "may be forgotten",
        broken_orders.LinksTheConfirmed,
        plans=AGAIN,
        bounds=PAIR,
    ),
    Mutant(
        "retry a twin of its job",
        "which it is to do again",
        broken_orders.RetryIsATwin,
        plans=AGAIN,
        bounds=PAIR,
    ),
    Mutant("next attempt as small", "does not get the memory", broken_orders.KeepsItsShape, plans=_GROWS),
    Mutant(
        "live job purged",
        "the record of job 1 is gone",
        broken_orders.PurgesTheLive,
        plans=_KEYED,
        bounds=PURGED,
    ),
    Mutant(
        "purge frees whatever key",
        "but the key is free",
        broken_orders.PurgeFreesAnyKey,
        plans=_FORCED,
        bounds=PURGED,
    ),
    Mutant(
        "purge keeps the key",
        "the dedup key",
        broken_orders.PurgeKeepsItsKey,
        plans=_KEYED,
        bounds=PURGED,
    ),
    Mutant("memory lost with the lease", "has memory 0", broken_orders.ForgetsMemory, plans=_GROWS),
    *(
        Mutant(name, says, book, plans=ONE_PLACE, bounds=LIMITED)
        for name, says, book in (
            ("started over the limit", "and it has 1 places", broken_limits.StartsOverTheLimit),
            ("place kept by a commit", "other jobs hold", broken_limits.PlaceKeptByCommit),
            ("place kept by a release", "other jobs hold", broken_limits.PlaceKeptByRelease),
            ("place kept by a lost lease", "other jobs hold", broken_limits.PlaceKeptByExpiry),
            ("free place calls nobody", "nobody is called", broken_limits.FreePlaceCallsNobody),
            ("call kept by a cancel", "nobody is called", broken_limits.CancelKeepsTheCall),
            ("call kept by an expiry", "nobody is called", broken_limits.ExpiryKeepsTheCall),
        )
    ),
    *(
        Mutant(name, says, book, plans=CROSSED, bounds=PAIR)
        for name, says, book in (
            ("call kept by one blocked elsewhere", "nobody is called", broken_limits.BlockedKeepsTheCall),
            ("only the first key counts", "and it has 1 places", broken_limits.ChecksItsFirstKey),
            ("places held while waiting", "other jobs hold", broken_limits.HoldsWhileItWaits),
            ("line never moved on", "nobody is called", broken_limits.LineStaysWhereItIs),
        )
    ),
    *(
        Mutant(name, says, book, plans=AFTER, bounds=PAIR)
        for name, says, book in (
            ("dependent not freed", "nothing ever frees it", broken_kin.FreesNobody),
            ("failed dependency frees", "may start, and job 1 is", broken_kin.FreesTheForsaken),
            ("dependency not looked at", "that nobody knows", broken_kin.StartsAtOnce),
            ("unknown dependency waited for", "that nobody knows", broken_kin.WaitsForTheUnknown),
            ("failed dependency forgotten", "may start, and job 1 is", broken_kin.TakesTheFailedForMet),
        )
    ),
    Mutant(
        "any end asked for, completion needed",
        "was revoked for job 1",
        broken_kin.ForsakesTheFinished,
        plans=AFTER_ANY,
        bounds=PAIR,
    ),
)
"""`compares_fences` is off for plain fences only: renaming them would hide that two are equal."""
