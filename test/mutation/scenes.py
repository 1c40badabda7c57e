"""Short plays that bring each rule of the ledger to bear, step by step: what happens when two things meet just so.

Chance does not find these: a worker that is stopped in mid-job longer than its lease, without any kill, whose successor
still runs when it goes on; a notice that comes an age late; an answer that is lost between two steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hysds.chaos.history import Mark, Terms
from hysds.core.kin import STAGING_MS
from hysds.core.limit_keys import Limit, Rate
from hysds.core.record import GROUP
from hysds.core.requests import FINISHED, Acceptance, Commit, Lease
from hysds.core.status import Status
from hysds.lib import uuid7
from mutation.stage import ANNOUNCE_MS, LEASE_MS, TWINS, SceneOver, Stage, unheard

_HOUR_MS = 3_600_000
_ONE = (Limit("key:k", 1),)
_TWO = (Limit("key:k", 2),)


def an_ordinary_life(stage: Stage) -> None:
    """Accepted, claimed, renewed, completed; another fails, waits, and completes."""
    stage.submit(steps=2)
    lease = stage.take("w1")
    stage.renew("w1", lease)
    stage.work(lease)
    stage.commit("w1", lease)
    stage.submit()
    first = stage.take("w1")
    stage.commit("w1", first, Status.WAITING, reason="data", wake_ms=stage.now_us // 1_000 + 5_000)
    stage.pass_ms(6_000)
    second = stage.take("w2")
    stage.commit("w2", second)


def a_stopped_worker_goes_on(stage: Stage) -> None:
    """In mid-job, longer than its lease; its successor still runs when it commits, renews and releases."""
    stage.submit(steps=2)
    first = stage.take("w1")
    stage.work(first, Mark.BEGIN, Mark.STEP)
    stage.lose_leases()
    second = stage.take("w2")
    stage.work(second, Mark.BEGIN)
    if stage.renew("w1", first) == ["ok"]:
        stage.work(first, Mark.END)
    stage.commit("w1", first)
    stage.work(second, Mark.STEP, Mark.END)
    stage.commit("w2", second)


def a_stopped_worker_gives_back(stage: Stage) -> None:
    """A job that is another's by now."""
    stage.submit(steps=2)
    first = stage.take("w1")
    stage.lose_leases()
    second = stage.take("w2")
    stage.release("w1", first)
    third = stage.claim("w3")
    stage.work(second)
    stage.commit("w2", second)
    if third is not None:
        stage.commit("w3", third)


def a_lease_past_its_time(stage: Stage) -> None:
    """Nobody has taken it yet: it is still good."""
    stage.submit()
    lease = stage.take("w1")
    stage.pass_ms(LEASE_MS + 2_000)
    stage.renew("w1", lease)
    stage.pass_ms(LEASE_MS + 2_000)
    stage.commit("w1", lease)


def a_cancel_whose_notice_is_lost(stage: Stage) -> None:
    """Every renewal repeats it until the job is stopped."""
    id = stage.submit((Status.REVOKED, Status.COMPLETED))
    lease = stage.take("w1")
    stage.cancel(id)
    told = [*stage.renew("w1", lease), *stage.renew("w1", lease)]
    stage.commit("w1", lease, Status.REVOKED if "cancel" in told else Status.COMPLETED)


def a_cancel_and_a_release(stage: Stage) -> None:
    """The worker drains before it hears of the cancel."""
    _cancelled_on_its_way(stage, lambda lease: stage.release("w1", lease))


def a_cancel_and_a_loss(stage: Stage) -> None:
    """The worker dies before it hears of the cancel."""
    _cancelled_on_its_way(stage, lambda lease: stage.lose_leases())


def a_cancel_and_a_retry(stage: Stage) -> None:
    """The attempt fails before the worker hears of the cancel."""
    _cancelled_on_its_way(stage, lambda lease: stage.commit("w1", lease, Status.QUEUED, reason="data"))


def _cancelled_on_its_way(stage: Stage, leave: Callable[..., object]) -> None:
    id = stage.submit((Status.REVOKED, Status.COMPLETED))
    lease = stage.take("w1")
    stage.cancel(id)
    leave(lease)
    again = stage.claim("w2")
    if again is not None:
        stage.commit("w2", again)


def a_revocation_that_nobody_asked_for(stage: Stage) -> None:
    """A worker's mistake; it is refused, and the job goes on."""
    stage.submit((Status.COMPLETED,))
    lease = stage.take("w1")
    stage.commit("w1", lease, Status.REVOKED)
    stage.commit("w1", lease)


def a_late_word_about_an_old_lease(stage: Stage) -> None:
    """The worker lost the job, and has it again, when it hears of the loss."""
    stage.submit()
    stage.renew("w1")
    stage.take("w1")
    stage.lose_leases()
    stage.renew("w1")
    again = stage.take("w1")
    stage.listen("w1", again)
    stage.commit("w1", again)


def a_commit_that_is_repeated(stage: Stage) -> None:
    """Its answer was lost; meanwhile the next attempt is another's."""
    stage.submit()
    first = stage.take("w1")
    stage.commit("w1", first, Status.QUEUED, reason="data")
    second = stage.take("w2")
    stage.commit("w1", first, Status.QUEUED, reason="data")
    stage.commit("w2", second)
    stage.commit("w2", second)


def a_bid_that_is_repeated(stage: Stage) -> None:
    """Its answer came too late, and another job is ready by then."""
    stage.submit()
    stage.submit()
    first = stage.take("w1", nonce="n1")
    again = stage.take("w1", nonce="n1")
    other = stage.take("w1", nonce="n2") if again.record.id == first.record.id else again
    stage.commit("w1", first)
    stage.commit("w1", other)


def a_bid_that_is_repeated_too_late(stage: Stage) -> None:
    """What it won is lost by then, and ready for everybody: it is a new bid."""
    stage.submit()
    stage.claim_unanswered("w1", "n1")
    stage.lose_leases()
    stage.ledger.pause("gpu")
    stage.claim("w1", nonce="n1")
    stage.ledger.resume("gpu")
    lease = stage.take("w2")
    stage.commit("w2", lease)


def a_bid_that_is_given_up(stage: Stage) -> None:
    """Its worker drains: the lease that nobody knows of goes back with the next renewal."""
    stage.submit()
    stage.claim_unanswered("w1", "n1")
    stage.renew("w1", given_up=["n1"])
    lease = stage.claim("w2")
    if lease is not None:
        stage.commit("w2", lease)
    stage.renew("w1")


def a_ttl_that_ends_at_the_claim(stage: Stage) -> None:
    """A job that was claimed in time runs on, also after it was given back; one that was not fails."""
    stage.submit(ttl_for_ms=3_000)
    lease = stage.take("w1")
    stage.pass_ms(5_000)
    stage.release("w1", lease)
    stage.ledger.expire(100)
    stage.commit("w1", stage.take("w1"))
    stage.submit((Status.FAILED,), ttl_for_ms=3_000)
    stage.pass_ms(5_000)
    stage.ledger.expire(100)


def a_job_without_losses_left(stage: Stage) -> None:
    """It takes two workers with it, and fails at the second."""
    stage.submit((Status.FAILED,), lost_left=1)
    for worker in ("w1", "w2"):
        stage.take(worker)
        stage.lose_leases()
    third = stage.claim("w3")
    if third is not None:
        stage.commit("w3", third)


def twins_of_a_live_job(stage: Stage) -> None:
    """One runs, the second is dropped; after the window a third may run."""
    stage.terms = Terms(dedup_window_ms=60_000)
    _keyed(stage, "a", window_ms=60_000)
    lease = stage.take("w1")
    _keyed(stage, "a", window_ms=60_000)
    stage.commit("w1", lease)
    _keyed(stage, "a", window_ms=60_000)
    stage.pass_ms(61_000)
    _keyed(stage, "a", window_ms=60_000)
    _run_what_is_ready(stage)


def a_twin_of_a_failed_job(stage: Stage) -> None:
    """A failure and a revocation let go of the key."""
    _keyed(stage, "a", (Status.FAILED,))
    stage.commit("w1", stage.take("w1"), Status.FAILED, reason="user")
    id = _keyed(stage, "a", (Status.REVOKED, Status.DEDUPED))
    stage.cancel(id)
    _keyed(stage, "a")
    _run_what_is_ready(stage)


def a_forced_twin_ends_first(stage: Stage) -> None:
    """It took no key, and lets go of none: a third is dropped while the first runs."""
    _keyed(stage, "a")
    first = stage.take("w1")
    _keyed(stage, "a", may_repeat=True)
    stage.commit("w2", stage.take("w2"), Status.FAILED, reason="user")
    _keyed(stage, "a")
    third = stage.claim("w3")
    stage.commit("w1", first)
    if third is not None:
        stage.commit("w3", third)


def a_submission_that_is_repeated(stage: Stage) -> None:
    """Its answer was lost: the same id with the same work, while the job runs."""
    id = stage.submit()
    lease = stage.take("w1")
    unheard(lambda: stage.accept(stage.items[id], (Status.COMPLETED,)))
    again = stage.claim("w2")
    stage.commit("w1", lease)
    if again is not None:
        stage.commit("w2", again)


def a_wall_clock_that_jumps_ahead(stage: Stage) -> None:
    """By an hour, or the ledger was away for one: nobody's lease is over for that."""
    stage.submit(steps=2)
    lease = stage.take("w1")
    stage.work(lease, Mark.BEGIN)
    stage.jump_ms(_HOUR_MS)
    stage.ledger.expire(100)
    other = stage.claim("w2")
    stage.work(lease, Mark.STEP, Mark.END)
    stage.commit("w1", lease)
    if other is not None:
        stage.commit("w2", other)


def a_wall_clock_that_jumps_back(stage: Stage) -> None:
    """By an hour: leases still run out, revisions and fences still grow."""
    stage.submit()
    stage.take("w1")
    stage.jump_ms(-_HOUR_MS)
    stage.lose_leases()
    lease = stage.claim("w2")
    if lease is not None:
        stage.commit("w2", lease)


def a_job_that_kills_workers(stage: Stage) -> None:
    """Twice; the one beside it was lost with it, and completes when it runs its last attempt alone."""
    stage.submit((Status.FAILED,), lost_left=1)
    stage.submit(lost_left=1)
    stage.take("w1")
    stage.take("w1")
    stage.lose_leases()
    stage.take("w2")
    beside = stage.claim("w2")
    stage.lose_leases()
    lease = stage.claim("w3")
    if lease is not None and beside is None:
        stage.commit("w3", lease)


def a_wall_clock_that_swings(stage: Stage) -> None:
    """A second to and fro, again and again: a lease is not over long before its time."""
    stage.submit(steps=2)
    lease = stage.take("w1")
    stage.work(lease, Mark.BEGIN)
    for at in range(int(1.4 * LEASE_MS) // 1_000):
        stage.pass_ms(500)
        stage.jump_ms(1_000 if at % 2 == 0 else -1_000)
        stage.ledger.expire(100)
    other = stage.claim("w2")
    stage.work(lease, Mark.STEP, Mark.END)
    stage.commit("w1", lease)
    if other is not None:
        stage.commit("w2", other)


def a_failover_to_a_lagging_replica(stage: Stage) -> None:
    """The claim was not replicated: the job is claimed again, and the first holder commits."""
    stage.terms = Terms(may_undo=True)
    stage.submit(steps=2)
    replica = {key: stage.server.wait("DUMP", key, timeout_s=5, as_bytes=True) for key in _keys(stage)}
    first = stage.take("w1")
    stage.work(first, Mark.BEGIN)
    stage.read()
    stage.server.send("FLUSHALL")
    for key, value in replica.items():
        stage.server.wait("RESTORE", key, 0, value, timeout_s=5)
    second = stage.take("w2")
    stage.work(second, Mark.BEGIN)
    stage.commit("w1", first)
    stage.work(second, Mark.STEP, Mark.END)
    stage.commit("w2", second)


def a_key_of_a_wrong_type(stage: Stage) -> None:
    """The commit's bid meets it: nothing of the commit may be written."""
    stage.submit()
    lease = stage.take("w1")
    stage.server.send("SADD", "{m}:shapes:gpu", "2s")
    stage.server.send("SET", "{m}:ready:gpu:2s", "no list")
    commit = Commit(lease.record.id, lease.record.fence, Status.COMPLETED)
    unheard(lambda: stage.ledger.commit(commit, stage.bid("w1")))
    stage.server.send("DEL", "{m}:ready:gpu:2s")
    stage.server.send("SREM", "{m}:shapes:gpu", "2s")
    stage.commit("w1", lease)


def a_record_that_is_written_over(stage: Stage) -> None:
    """By somebody else, while its lease runs out: the job beside it comes back, and it too when it is put right."""
    ill = stage.submit()
    stage.take("w1")
    stage.submit()
    stage.take("w2")
    record, aside = f"{{m}}:job:{ill}", f"{{m}}:damaged:{ill}"
    revision = str(stage.server.send("HGET", record, "revision"))
    stage.server.send("HSET", record, "revision", "x")
    unheard(stage.lose_leases)
    _run_what_is_ready(stage)
    is_aside = stage.server.send("EXISTS", aside) == 1
    if is_aside:
        stage.server.send("RENAME", aside, record)
    stage.server.send("HSET", record, "revision", revision)
    if not is_aside:
        return
    cursor, _ = stage.ledger.audit("", 100)
    while cursor:
        cursor, _ = stage.ledger.audit(cursor, 100)
    stage.ledger.expire(100)
    _run_what_is_ready(stage)


def a_full_memory(stage: Stage) -> None:
    """Nothing is accepted; whatever runs is renewed, cancelled, given back and committed."""
    other = stage.submit((Status.REVOKED,))
    stage.submit()
    _, first = stage.take("w1"), stage.take("w1")
    stage.server.send("CONFIG", "SET", "maxmemory", "1")
    unheard(lambda: stage.commit("w1", first))
    unheard(lambda: stage.cancel(other))
    unheard(stage.lose_leases)


def a_worker_that_is_never_heard_of_again(stage: Stage) -> None:
    """Its announcement runs out, and everything of it goes."""
    stage.renew("w1")
    stage.submit()
    stage.take("w1")
    stage.lose_leases()
    lease = stage.take("w2")
    stage.commit("w2", lease)
    stage.pass_ms(2 * ANNOUNCE_MS)
    stage.ledger.expire(100)


def an_entry_that_got_lost(stage: Stage) -> None:
    """A ready job stands in no list: the audit puts it back."""
    id = stage.submit()
    stage.server.send("ZREM", "{m}:ready:gpu:1s", id)
    cursor, _ = stage.ledger.audit("", 100)
    while cursor:
        cursor, _ = stage.ledger.audit(cursor, 100)
    lease = stage.claim("w1")
    if lease is not None:
        stage.commit("w1", lease)


def a_worker_that_is_drained(stage: Stage) -> None:
    """It keeps what its bid had won, gets nothing new, and works again when the order is taken back."""
    stage.submit()
    stage.submit()
    stage.renew("w1")
    stage.claim_unanswered("w1", "n1")
    stage.drain("w1")
    first = stage.take("w1", nonce="n1")
    second = stage.claim("w1")
    stage.commit("w1", first)
    stage.undrain("w1")
    stage.commit("w1", second or stage.take("w1"))


def a_cancel_that_comes_too_late(stage: Stage) -> None:
    """The job has ended: that stays its end."""
    id = stage.submit()
    stage.commit("w1", stage.take("w1"))
    stage.cancel(id)


def a_document_that_is_written_late(stage: Stage) -> None:
    """The store confirms a revision that is not the last, and the record must stay for the last one."""
    id = stage.submit()
    lease = stage.take("w1")
    older = stage.shown(id)
    stage.commit("w1", lease)
    stage.index(id, older)
    stage.pass_ms(61_000)
    stage.ledger.forget(stage.ledger.retirable(100))


def _keyed(stage: Stage, digest: str, ends: tuple[Status, ...] = (), **changes: Any) -> str:
    return stage.submit(ends, dedup=digest, twins=TWINS, **changes)


def a_job_that_is_purged_too_early(stage: Stage) -> None:
    """While it runs; and once it has ended and its last document is not written yet."""
    stage.submit()
    lease = stage.take("w1")
    stage.purge(lease.record.id)
    stage.commit("w1", lease)
    stage.purge(lease.record.id)


def a_forced_twin_that_is_purged(stage: Stage) -> None:
    """It took no key, and its purge frees none: a third is dropped while the first runs."""
    _keyed(stage, "a")
    first = stage.take("w1")
    forced = _keyed(stage, "a", (Status.FAILED,), may_repeat=True)
    stage.commit("w2", stage.take("w2"), Status.FAILED, reason="user")
    stage.index(forced, stage.shown(forced))
    stage.purge(forced, "a")
    _keyed(stage, "a")
    third = stage.claim("w3")
    stage.commit("w1", first)
    if third is not None:
        stage.commit("w3", third)


def a_group_of_three(stage: Stage) -> None:
    """In one step; it ends with the last of them."""
    stage.group(3)
    _run_what_is_ready(stage)


def a_member_whose_id_is_taken(stage: Stage) -> None:
    """By another job: nobody may wait for the member."""
    taken = stage.items[stage.submit()]
    group = Acceptance(
        uuid7.compose(stage.now_us // 1_000, 80, 0), "d", '{"job_type": "job:m"}', "gpu", "1s", kind=GROUP, members=1
    )  # fmt: skip
    stage.family(group, replace(taken, digest="another", parent=group.id), ends=[(Status.FAILED,), ()])
    _run_what_is_ready(stage)


def a_member_after_its_own_group(stage: Stage) -> None:
    """Each would wait for the other."""
    group = Acceptance(
        uuid7.compose(stage.now_us // 1_000, 79, 0), "d", '{"job_type": "job:m"}', "gpu", "1s", kind=GROUP, members=1
    )  # fmt: skip
    member = replace(group, id=group.id[:-1] + "a", kind="", members=0, parent=group.id, after=(group.id,))
    stage.family(group, member, ends=[(Status.FAILED,), (Status.REVOKED,)])


def a_group_that_is_staged(stage: Stage) -> None:
    """Somebody seals it before all are staged, and again when they are."""
    stage.group(3, staged=True)
    _run_what_is_ready(stage)


def a_group_that_is_cancelled(stage: Stage) -> None:
    """One of its members runs, the others wait."""
    group = stage.group(3, ends=(Status.REVOKED, Status.COMPLETED))
    lease = stage.take("w1")
    stage.cancel(group)
    stage.commit("w1", lease, Status.REVOKED)
    _run_what_is_ready(stage)


def a_group_that_is_cut_off(stage: Stage) -> None:
    """Nobody seals it: it is aborted, and none of its members ever was."""
    item = Acceptance(
        uuid7.compose(stage.now_us // 1_000, 77, 0), "d", '{"job_type": "job:m"}', "gpu", "1s",
        kind=GROUP, members=2, staged=2,
    )  # fmt: skip
    stage.accept(item, (Status.REVOKED,))
    stage.ledger.stage(
        item.id, 0, [replace(item, id=item.id + "1", kind="", members=0, staged=0, parent=item.id)]
    )
    stage.pass_ms(STAGING_MS + 2_000)


def jobs_that_come_after_others(stage: Stage) -> None:
    """One after a job that completes, one after a job that fails, and one after that."""
    good, bad = stage.submit(), stage.submit((Status.FAILED,))
    stage.submit(after=(good,))
    forsaken = stage.submit((Status.REVOKED,), after=(bad,))
    stage.submit((Status.REVOKED,), after=(forsaken,))
    stage.submit(after=(bad, good), after_on=FINISHED)
    stage.submit((Status.REVOKED,), after=(good, bad))
    for _ in range(2):
        lease = stage.take("w1")
        fails = lease.record.id == bad
        stage.commit(
            "w1", lease, Status.FAILED if fails else Status.COMPLETED, reason="user" if fails else ""
        )
    stage.submit((Status.REVOKED,), after=(bad,))
    stage.submit(after=(good,))
    _run_what_is_ready(stage)


def a_job_after_a_duplicate(stage: Stage) -> None:
    """It comes after the job that the duplicate is one of."""
    stage.submit(dedup="k", twins=TWINS)
    duplicate = stage.submit((Status.DEDUPED,), dedup="k", twins=TWINS)
    stage.submit(after=(duplicate,))
    _run_what_is_ready(stage)


def a_job_that_comes_after_itself(stage: Stage) -> None:
    """It would wait for ever."""
    id = uuid7.compose(stage.now_us // 1_000, 78, 0)
    item = Acceptance(id, "d", '{"job_type": "job:m"}', "gpu", "1s", after=(id,))
    stage.accept(item, (Status.COMPLETED,))


def _run_what_is_ready(stage: Stage) -> None:
    while lease := stage.claim("w9"):
        stage.commit("w9", lease)


def _keys(stage: Stage) -> list[str]:
    return [str(key) for key in stage.server.send("KEYS", "{m}:*")]


def places_of_a_key(stage: Stage) -> None:
    """Three jobs and two places: one waits until one of the others ends, whoever bids how often."""
    for _ in range(3):
        stage.submit(limits=_TWO)
    leases = [stage.take("w1"), stage.take("w2")]
    over = stage.claim("w3")
    stage.commit("w1", leases[0])
    last = over or stage.take("w3")
    stage.commit("w2", leases[1])
    stage.commit("w3", last)


def a_place_for_two_queues(stage: Stage) -> None:
    """Both of them are called for it; who comes second goes back in line, and is called again."""
    stage.submit(limits=_ONE)
    stage.submit(limits=_ONE, queue="slow")
    stage.pass_ms(2_000)
    first = stage.take("w1")
    second = stage.claim("w2", queue="slow")
    stage.commit("w1", first)
    stage.commit("w2", second or stage.take("w2", queue="slow"))


def a_place_for_a_paused_queue(stage: Stage) -> None:
    """Its job is called first, and does not come; others don't wait for it for ever."""
    stage.ledger.pause("slow")
    stage.submit(limits=_ONE, queue="slow")
    stage.submit(limits=_ONE)
    stage.pass_ms(2_000)
    stage.commit("w1", stage.take("w1"))
    stage.ledger.resume("slow")
    stage.commit("w1", stage.take("w1", queue="slow"))


def a_place_that_comes_back(stage: Stage) -> None:
    """From a job that is given back, one whose worker is lost, one that is tried again and one that ends."""
    ways: tuple[Callable[[Lease], object], ...] = (
        lambda lease: stage.release("w1", lease),
        lambda lease: stage.lose_leases(),
        lambda lease: stage.commit("w1", lease, Status.QUEUED, reason="data"),
        lambda lease: stage.commit("w1", lease),
    )
    for _ in range(2):
        stage.submit(limits=_ONE)
    for leave in ways:
        leave(stage.take("w1"))
    stage.commit("w2", stage.take("w2"))


def a_called_job_that_goes(stage: Stage) -> None:
    """Cancelled, or past its ttl, before anybody claimed it: the next is called."""
    gone = (Status.REVOKED, Status.FAILED)
    stage.submit(gone, limits=_ONE, ttl_for_ms=1_000)
    called = stage.submit(gone, limits=_ONE)
    stage.submit(limits=_ONE)
    stage.pass_ms(2_000)
    stage.ledger.expire(10)
    stage.cancel(called)
    stage.commit("w1", stage.take("w1"))


def two_keys_in_both_orders(stage: Stage) -> None:
    """Nobody holds one while it waits for the other."""
    a, b = Limit("key:a", 1), Limit("key:b", 1)
    for one in (a, b):
        stage.submit(limits=(one,))
    leases = [stage.take("w1"), stage.take("w2")]
    stage.submit(limits=(a, b))
    stage.submit(limits=(b, a))
    third = stage.claim("w3")
    for worker, lease in zip(("w1", "w2"), leases, strict=True):
        stage.commit(worker, lease)
    stage.commit("w3", third or stage.take("w3"))
    stage.commit("w3", stage.take("w3"))


def two_keys_of_which_one_is_full(stage: Stage) -> None:
    """The second of its keys counts as much as the first."""
    a, b = Limit("key:a", 1), Limit("key:b", 1)
    stage.submit(limits=(b,))
    lease = stage.take("w1")
    stage.submit(limits=(a, b))
    both = stage.claim("w2")
    stage.commit("w1", lease)
    stage.commit("w2", both or stage.take("w2"))


def a_rate_and_its_tokens(stage: Stage) -> None:
    """One start in two seconds: the next job is called when its token comes."""
    rate = (Rate("key:r", 0.5, 1),)
    for _ in range(3):
        stage.submit(rates=rate)
    for _ in range(3):
        stage.commit("w1", stage.take("w1"))
        if stage.claim("w1") is not None:
            raise SceneOver("a job started without a token")
        stage.pass_ms(3_000)


def a_rollover_that_comes_late(stage: Stage) -> None:
    """A reconciler was stopped before its call; meanwhile others rolled over twice and dropped what was old."""
    stage.submit()
    stage.roll(2)
    stage.commit("w1", stage.take("w1"))
    stage.roll(3, 3)
    stage.roll(2)
    stage.submit()
    stage.commit("w1", stage.take("w1"))


def all_generations_given_up(stage: Stage) -> None:
    """A retention that counts wrong asks for more than there is; new jobs have an index all the same."""
    stage.roll(2, 5)
    stage.submit()
    stage.commit("w1", stage.take("w1"))


SCENES: Mapping[str, Callable[[Stage], None]] = {
    scene.__name__.replace("_", " "): scene
    for scene in (
        an_ordinary_life,
        a_stopped_worker_goes_on,
        a_stopped_worker_gives_back,
        a_lease_past_its_time,
        a_cancel_whose_notice_is_lost,
        a_cancel_and_a_release,
        a_cancel_and_a_loss,
        a_cancel_and_a_retry,
        a_revocation_that_nobody_asked_for,
        a_late_word_about_an_old_lease,
        a_commit_that_is_repeated,
        a_bid_that_is_repeated,
        a_bid_that_is_repeated_too_late,
        a_bid_that_is_given_up,
        a_ttl_that_ends_at_the_claim,
        a_job_without_losses_left,
        twins_of_a_live_job,
        a_twin_of_a_failed_job,
        a_forced_twin_ends_first,
        a_submission_that_is_repeated,
        a_wall_clock_that_jumps_ahead,
        a_wall_clock_that_jumps_back,
        a_wall_clock_that_swings,
        a_job_that_kills_workers,
        a_failover_to_a_lagging_replica,
        a_key_of_a_wrong_type,
        a_record_that_is_written_over,
        a_full_memory,
        a_worker_that_is_never_heard_of_again,
        an_entry_that_got_lost,
        a_worker_that_is_drained,
        a_cancel_that_comes_too_late,
        a_document_that_is_written_late,
        places_of_a_key,
        a_place_for_two_queues,
        a_place_for_a_paused_queue,
        a_place_that_comes_back,
        a_called_job_that_goes,
        two_keys_in_both_orders,
        two_keys_of_which_one_is_full,
        a_rate_and_its_tokens,
        a_job_that_is_purged_too_early,
        a_forced_twin_that_is_purged,
        a_group_of_three,
        a_member_whose_id_is_taken,
        a_member_after_its_own_group,
        a_group_that_is_staged,
        a_group_that_is_cancelled,
        a_group_that_is_cut_off,
        jobs_that_come_after_others,
        a_job_after_a_duplicate,
        a_job_that_comes_after_itself,
        a_rollover_that_comes_late,
        all_generations_given_up,
    )
}
