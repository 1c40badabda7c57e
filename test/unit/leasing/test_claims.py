"""Bids whose answers get lost."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from hysds.adapters.ledger.memory import MemoryLedger
from hysds.core.errors import Unreachable
from hysds.core.floor_requests import Announcement, Fit
from hysds.core.limit_keys import Limit
from hysds.core.requests import Acceptance, Bid, Claimed, Commit, Committed, Standing
from hysds.core.spec import JobSpec, identity, stored
from hysds.core.status import Status
from hysds.leasing.attempt import Attempt, Stop
from hysds.leasing.claims import Bidding, Claims, Ends
from hysds.leasing.holdings import Holdings
from hysds.leasing.host import Host, HostSettings
from hysds.leasing.leases import LeaseKeeper, Terms, Watched
from hysds.lib.uuid7 import Uuid7Source

NEW_ID = Uuid7Source()
WORKER = "w@test/1"


class Lossy(MemoryLedger):
    """Carries out what it is asked, and loses so many of its answers."""

    def __init__(self, losses: int) -> None:
        super().__init__(retention_ms=3_600_000)
        self.losses = losses
        self.asked: list[Any] = []

    def claim(self, bid: Bid) -> Claimed:
        self.asked.append(bid.nonce)
        return self._lost(super().claim(bid))

    def commit(self, commit: Commit, bid: Bid | None = None) -> Committed:
        self.asked.append(commit)
        return self._lost(super().commit(commit, bid))

    def _lost(self, answer: Any) -> Any:
        if self.losses > 0:
            self.losses -= 1
            raise Unreachable("ledger", "the answer was lost")
        return answer


class Silent:
    """An engine that nobody asks anything."""

    def beat(self) -> None:
        pass


class Bench:
    """Claims over a ledger that loses answers."""

    def __init__(self, home: Path, losses: int) -> None:
        self.ledger = Lossy(losses)
        self.ends = Ends()
        self.holdings = Holdings()
        self.host = Host(HostSettings(2, None, 0, home))
        bidding = Bidding(WORKER, ("q",), 30_000, 60_000)
        self.claims = Claims(self.ledger, self.host, self.holdings, bidding, self.ends)
        terms = Terms(lease_s=30.0, renew_interval_s=2.0, announce_s=60.0, stop_grace_s=5.0)
        watched = Watched(self.claims, self.holdings, self.host)
        self.keeper = LeaseKeeper(WORKER, self.ledger, Silent(), watched, terms)  # type: ignore[arg-type]

    def submit(self, **changes: Any) -> str:
        spec = JobSpec("job:x", {"_command": "true"})
        job_id = NEW_ID()
        self.ledger.accept([Acceptance(job_id, identity(stored(spec)), stored(spec), "q", "1s", **changes)])
        return job_id

    def claim(self) -> Attempt:
        won = self.claims.claim()
        assert won is not None
        return won.attempt

    def announcement(self) -> Announcement:
        return Announcement("host", "w@test", ("q",), 2, Fit(now=("1s",)))


def test_a_lost_answer_is_asked_for_again_under_the_same_nonce(tmp_path: Path) -> None:
    """However often it is asked, one wish wins one lease."""
    bench = Bench(tmp_path, losses=0)
    jobs = [bench.submit(), bench.submit()]
    bench.host.learn(("1s",))
    bench.ledger.losses = 2

    attempt = bench.claim()

    assert (attempt.id, len(bench.ledger.asked), len(set(bench.ledger.asked))) == (jobs[0], 3, 1)
    assert bench.ledger.book.records[jobs[1]].status is Status.QUEUED


def test_a_shape_that_the_ledger_teaches_is_bid_for_at_once(tmp_path: Path) -> None:
    """A worker knows no shape when it starts."""
    bench = Bench(tmp_path, losses=0)
    job_id = bench.submit()

    assert bench.claim().id == job_id
    assert len(bench.ledger.asked) == 2
    assert bench.host.free_slots() == 1


def test_a_bid_that_a_drain_gave_up_sends_its_lease_back(tmp_path: Path) -> None:
    """Nobody will ever run it: the next renewal says so, and the job is ready again with its place."""
    bench = Bench(tmp_path, losses=0)
    job_id = bench.submit()
    bench.host.learn(("1s",))
    bench.ledger.losses = 1
    bench.ends.draining.set()
    with pytest.raises(Unreachable):
        bench.claims.claim()
    assert bench.ledger.book.records[job_id].status is Status.STARTED

    bench.keeper.renew(bench.announcement())

    record = bench.ledger.book.records[job_id]
    assert (record.status, record.owner, bench.claims.given_up()) == (Status.QUEUED, "", ())
    assert job_id not in bench.ledger.book.attempts


def test_a_lease_that_nobody_here_knows_goes_back_and_burns_nothing(tmp_path: Path) -> None:
    """Found at a renewal, when no bid was under way that could still explain it: the next one gives the wish up that
    won it, so neither the budget for preemptions nor the list of attempts knows of it.
    """
    bench = Bench(tmp_path, losses=0)
    job_id = bench.submit(preempt_left=1)
    bench.host.learn(("1s",))
    bench.holdings.let_go(bench.claim())

    bench.keeper.renew(bench.announcement())
    bench.keeper.renew(bench.announcement())

    record = bench.ledger.book.records[job_id]
    assert (record.status, record.preempt_left) == (Status.QUEUED, 1)
    assert job_id not in bench.ledger.book.attempts


def test_a_commit_whose_answer_was_lost_is_answered_again(tmp_path: Path) -> None:
    """It happened once, and the bid that it carried won one lease."""
    bench = Bench(tmp_path, losses=0)
    first, second = bench.submit(), bench.submit()
    bench.host.learn(("1s",))
    attempt = bench.claim()
    bench.ledger.losses = 1

    commit = Commit(attempt.id, attempt.fence, Status.COMPLETED)
    committed, following = bench.claims.commit(commit, lambda: True)

    assert following is not None
    assert (committed.how.value, following.attempt.id) == ("again", second)
    assert bench.ledger.book.records[first].status is Status.COMPLETED
    assert len(bench.ledger.book.attempts[first]) == 1


def test_what_a_renewal_says_of_a_lease_reaches_that_attempt_alone(tmp_path: Path) -> None:
    """A late word about an old lease of the same job must not end the new one."""
    bench = Bench(tmp_path, losses=0)
    bench.submit()
    old = bench.claim()
    bench.ledger.release(old.id, old.fence)
    new = bench.claim()
    assert (old.id, old.fence != new.fence) == (new.id, True)

    renewed = bench.keeper.renew(bench.announcement())

    assert set(renewed.standings) == {Standing.LOST, Standing.OK}
    assert (old.stopped, new.stopped) == (Stop.LOST, None)


def test_a_closed_worker_gives_an_unanswered_commit_up(tmp_path: Path) -> None:
    """It would wait for ever; the lease runs out, or the guardian's word ends it."""
    bench = Bench(tmp_path, losses=0)
    bench.submit()
    attempt = bench.claim()
    bench.ledger.losses = 10**9
    threading.Timer(0.0, bench.ends.closing.set).start()

    with pytest.raises(Unreachable):
        bench.claims.commit(Commit(attempt.id, attempt.fence, Status.COMPLETED), lambda: False)


@pytest.mark.parametrize("is_in_a_commit", [False, True])
def test_a_bid_is_repeated_while_the_ledger_looks_only_at_jobs_over_a_limit(
    tmp_path: Path, is_in_a_commit: bool
) -> None:
    """So a full key hides no other job, however many jobs of it are ready; the bid may stand in a commit."""
    bench = Bench(tmp_path, 0)
    first = bench.submit()
    attempt = bench.claim()
    full, wide = Limit("key:a", 1), Limit("key:a", 100)
    for limit in (*(wide,) * 60, full):
        bench.submit(limits=(limit,))
    bench.ledger.claim(Bid("w2", ("q",), Fit(("1s",)), "nonce", 30_000, 60_000))
    last = bench.submit()

    if is_in_a_commit:
        _, won = bench.claims.commit(Commit(first, attempt.fence, Status.COMPLETED), lambda: True)
    else:
        won = bench.claims.claim()

    assert won is not None
    assert won.attempt.id == last
