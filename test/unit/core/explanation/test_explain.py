"""Why a job stands where it stands: each reason, from the values that make it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hysds.core.document import document
from hysds.core.explanation.explain import as_document, explain
from hysds.core.explanation.takers import Lack
from hysds.core.explanation.values import Explanation, Reason, Seen, Terms
from hysds.core.floor_requests import Drain, Fit, WorkerState
from hysds.core.queue_tallies import Pause
from hysds.core.record import FOREVER, Attempt, Record
from hysds.core.requests import Place
from hysds.core.status import Status

NOW_MS = 1_800_000_000_000
ID = "01930f5e-7b1c-7000-8000-0123456789ab"
TWIN = "01930f5e-7b1c-7000-8000-0123456789ac"
TERMS = Terms(
    now_ms=NOW_MS,
    lease_ms=30_000,
    renew_ms=2_000,
    stop_grace_ms=10_000,
    drain_timeout_ms=60_000,
    retention_ms=3_600_000,
    default_time_limit_s=604_800.0,
    time_limit_gap_s=300.0,
)
SPEC = json.dumps({"job_type": "job:x", "payload": {"_command": "true"}, "time_limit": 60.0})
RECORD = Record(
    id=ID,
    status=Status.QUEUED,
    revision=NOW_MS * 1000,
    digest="d",
    queue="gpu",
    shape="1s4096m",
    priority=0,
    lost_left=2,
    accepted_ms=NOW_MS - 60_000,
    ready_ms=NOW_MS - 60_000,
)


def worker(name: str = "w1", **changes: Any) -> WorkerState:
    """One that hears `gpu`, was heard of a second ago and has room for the job."""
    whole = {"slots": 2, "cpus": 4.0, "memory_bytes": 8 << 30, "disk_bytes": 1 << 40}
    facts = {
        "has": whole,
        "free": whole,
        "lease_ms": 30_000,
        "announce_ms": 60_000,
        **changes.pop("facts", {}),
    }
    plain: dict[str, Any] = {
        "incarnation": f"celery@{name}/1",
        "host": f"{name}.example",
        "name": f"celery@{name}",
        "queues": ("gpu",),
        "slots": 2,
        "fit": Fit(now=(RECORD.shape,)),
        "facts": json.dumps(facts),
        "left_ms": 59_000,
        "held": (),
    }
    return WorkerState(**{**plain, **changes})


def busy(name: str = "w1", **changes: Any) -> WorkerState:
    free = {"slots": 0, "cpus": 4.0, "memory_bytes": 8 << 30, "disk_bytes": 1 << 40}
    return worker(name, **{"fit": Fit(empty=(RECORD.shape,)), "facts": {"free": free}, **changes})


def small(name: str = "w1", **changes: Any) -> WorkerState:
    has = {"slots": 2, "cpus": 4.0, "memory_bytes": 2 << 30, "disk_bytes": 1 << 40}
    return worker(name, **{"fit": Fit(never=(RECORD.shape,)), "facts": {"has": has, "free": has}, **changes})


def queued(*workers: WorkerState, place: Place | None = None, **changes: Any) -> Explanation:
    record = replace(RECORD, **changes)
    place = place or Place(ahead=0, ready=1)
    return explain(Seen(ID, document(record, SPEC), record, place, workers), TERMS)


def live(record: Record, *workers: WorkerState, attempts: tuple[Attempt, ...] = ()) -> Explanation:
    return explain(Seen(ID, document(record, SPEC, attempts), record, None, workers), TERMS)


def started(**changes: Any) -> Record:
    claim: dict[str, Any] = {
        "status": Status.STARTED,
        "fence": 7,
        "owner": "celery@w1/1",
        "claims": 1,
        "started_ms": NOW_MS - 10_000,
        "phase": "execute",
    }
    return replace(RECORD, **{**claim, **changes})


def ended(status: Status, reason: str = "", *attempts: Attempt, **more: Any) -> Explanation:
    """Of a job that only the store knows: its document is all there is."""
    changes = {name: more.pop(name) for name in ("dedup_job", "dedup_status", "retried_by") if name in more}
    record = replace(RECORD, status=status, reason=reason, ended_ms=NOW_MS - 5_000, **changes)
    if attempts:
        record = replace(record, started_ms=attempts[-1].started_ms)
    return explain(Seen(ID, document(record, SPEC, attempts, more.pop("error", "")), **more), TERMS)


def attempt(how: str, **said: Any) -> Attempt:
    return Attempt(7, "celery@w1/1", NOW_MS - 20_000, NOW_MS - 5_000, how, json.dumps(said))


def test_a_worker_with_room_takes_the_next_job_any_moment() -> None:
    """Also without a call: it looks again at its next renewal."""
    told = queued(worker())

    assert told.why.reason is Reason.NEXT
    assert "celery@w1" in told.why.sentence
    assert told.why.coming[0].at_ms == NOW_MS + 2_000


def test_jobs_that_come_first_are_counted() -> None:
    """They are taken one after the other."""
    told = queued(worker(), place=Place(ahead=14, ready=20))

    assert told.why.reason is Reason.BEHIND_OTHERS
    assert "14 ready jobs stand before it" in told.why.sentence


def test_full_workers_are_named_with_what_they_lack() -> None:
    """And its place in the queue is told."""
    told = queued(busy(), small("w2"), place=Place(ahead=2, ready=5))

    assert told.why.reason is Reason.WORKERS_BUSY
    assert "number 3 of 5" in told.why.sentence
    assert [(one.name, one.takes) for one in told.takers] == [("celery@w1", "later"), ("celery@w2", "no")]
    assert [one.missing[0].text for one in told.takers] == [
        "needs 1 slot, has free 0 slots",
        "needs 4.295 GB of memory (in steps of 256 MiB), has 2.147 GB of memory",
    ]


def test_a_host_that_is_kept_free_for_the_job_is_named() -> None:
    """It takes nothing else until there is room."""
    told = queued(busy(), place=Place(0, 1, None, reserved_by="celery@w1/1"))

    assert told.why.reason is Reason.HOST_KEPT_FOR_IT
    assert "celery@w1" in told.why.sentence


def test_a_host_that_is_kept_free_for_another_job_takes_nothing() -> None:
    """Though it has room."""
    told = queued(worker(reserved=TWIN))

    assert told.why.reason is Reason.HOSTS_KEPT_FOR_OTHERS
    assert TWIN in told.takers[0].missing[0].text


def test_a_host_that_is_kept_free_for_this_job_lacks_nothing() -> None:
    """Its own reservation stands in nobody's way."""
    assert queued(worker(reserved=ID)).why.reason is Reason.NEXT


def test_a_paused_queue_comes_before_all_else() -> None:
    """Free workers don't matter; since when, why, and how it is ended."""
    told = queued(worker(), place=Place(0, 1, Pause(NOW_MS - 90_000, "new disks"))).why

    assert told.reason is Reason.QUEUE_PAUSED
    assert "has been paused for 1m30s (new disks): nothing" in told.sentence
    assert told.advice == ("hysds queues resume gpu",)
    assert "paused for 0s: nothing" in queued(worker(), place=Place(0, 1, Pause(NOW_MS))).why.sentence


def test_a_queue_that_nobody_hears_says_how_to_start_a_worker() -> None:
    """Whatever other queues are heard."""
    told = queued(worker(queues=("default", "cpu")))

    assert told.why.reason is Reason.NO_WORKER
    assert told.why.advice[0] == (
        "start one: hysds worker job --queues gpu --name NAME (one that no other has)"
    )
    assert "announced no more" in told.why.advice[1]
    assert queued().why.advice[0] == "start one: hysds worker job --queues gpu"
    assert told.takers[0].missing[0].text == "hears default, cpu, not gpu"


def test_a_task_among_workers_of_jobs_names_the_worker_that_it_needs() -> None:
    """A task in a queue that job workers alone hear waits for a worker of tasks, or for another queue. Workers that
    are drained change nothing of it: they would not take it either. A task that nobody hears asks for the same."""
    told = queued(worker(), worker("w2", drain=Drain("celery@w2", "mend it", NOW_MS)), shape="1st").why
    assert told.reason is Reason.NO_WORKER
    assert told.sentence == (
        "it is a task, and who hears queue gpu runs jobs alone: each of celery@w1, celery@w2"
    )
    assert told.advice == (
        "start one: hysds worker task --queues gpu --name NAME (one that no other has)",
        f"or move it to a queue of theirs: hysds requeue {ID} --queue QUEUE",
    )
    assert queued(shape="1st").why.advice[0] == "start one: hysds worker task --queues gpu"


def test_a_job_that_is_too_large_for_every_open_worker_says_so() -> None:
    """It would wait for ever."""
    assert queued(small(), small("w2")).why.reason is Reason.TOO_LARGE
    assert queued(small(), worker("w2", queues=("cpu",))).why.reason is Reason.TOO_LARGE


def test_drained_workers_are_named_with_the_order_and_the_way_back() -> None:
    """Who drained it and why stands in the order."""
    order = Drain("celery@w1", "new kernel", NOW_MS - 60_000)
    told = queued(worker(drain=order))

    assert told.why.reason is Reason.WORKERS_DRAINING
    assert told.why.advice[0] == "hysds worker resume celery@w1"
    assert "new kernel" in told.takers[0].missing[0].text


def test_a_worker_without_its_work_directory_names_it() -> None:
    """With its host, and what cures it; it says of every shape that it does not fit, which is not the reason."""
    facts = {"gate": "no work directory", "work_dir": "/data/work"}
    homeless = worker(slots=0, fit=Fit(never=(RECORD.shape,)), facts=facts)
    told = queued(homeless)
    unnamed = queued(worker(slots=0, facts={"gate": "no work directory"}))

    assert told.why.reason is Reason.NO_WORK_DIRECTORY
    assert "celery@w1 takes nothing: it can't reach its work directory /data/work on w1.example" in (
        told.why.sentence
    )
    assert told.why.advice[0].startswith("make or mount the directory again")
    assert [missing.lack for missing in told.takers[0].missing] == [Lack.WORK_DIR]
    assert "its work directory on w1.example" in unnamed.why.sentence


def test_among_workers_that_take_nothing_each_is_told_its_own_cure() -> None:
    """One was drained, the other's directory is gone."""
    order = Drain("celery@w2", "", NOW_MS - 60_000)
    told = queued(worker(slots=0, facts={"gate": "no work directory"}), worker("w2", drain=order))

    assert told.why.reason is Reason.WORKERS_DRAINING
    assert told.why.advice[0] == "hysds worker resume celery@w2"
    assert "mount the directory" in told.why.advice[1]


@pytest.mark.parametrize(
    ("facts", "said"),
    [({}, "as it is about to end"), ({"gate": "draining: the worker is leaving"}, "the worker is leaving")],
)
def test_a_worker_that_takes_nothing_says_why(facts: dict[str, Any], said: str) -> None:
    """It announces no slots, as it is about to end."""
    told = queued(worker(slots=0, facts=facts))

    assert told.why.reason is Reason.WORKERS_DRAINING
    assert told.takers[0].missing[0].lack is Lack.SHUT
    assert said in told.takers[0].missing[0].text


def test_silent_workers_are_no_hope() -> None:
    """Neither one whose announcement is over, nor one that missed many renewals."""
    for left_ms in (-1, 30_000):
        told = queued(worker(left_ms=left_ms))
        assert told.why.reason is Reason.WORKERS_SILENT
    assert "for 30s" in told.takers[0].missing[0].text


@pytest.mark.parametrize("time", ["ttl_ms", "deadline_ms"])
def test_an_end_that_nobody_brought_about_is_the_reconcilers(time: str) -> None:
    """A job that should have failed still stands there."""
    told = queued(worker(), **{time: NOW_MS - 60_000})

    assert told.why.reason is Reason.RECONCILER_SILENT
    assert "hysds reconciler" in told.why.advice[0]


def test_when_a_job_fails_unless_it_is_started_is_told() -> None:
    """Its ttl, its deadline."""
    told = queued(worker(), ttl_ms=NOW_MS + 60_000, deadline_ms=NOW_MS + 90_000)

    assert [coming.at_ms for coming in told.why.coming[1:]] == [NOW_MS + 60_000, NOW_MS + 90_000]


def test_a_job_that_was_asked_for_later_says_when() -> None:
    """And that it enters its queue then."""
    told = live(replace(RECORD, status=Status.WAITING, reason="time", wake_ms=NOW_MS + 90_000))

    assert told.why.reason is Reason.NOT_BEFORE
    assert "in 1m30s" in told.why.sentence
    assert told.why.coming[0].at_ms == NOW_MS + 90_000


def test_a_job_between_attempts_says_why_the_last_one_ended() -> None:
    """And when the next one comes."""
    record = replace(RECORD, status=Status.WAITING, reason="time", wake_ms=NOW_MS + 4_000)
    told = live(record, attempts=(attempt("user", error="exit code 7"),))

    assert told.why.reason is Reason.RETRY_DELAY
    assert "attempt 1 ended (exit code 7)" in told.why.sentence
    assert len(told.attempts) == 1


def test_a_job_whose_time_came_and_that_nobody_woke_says_so() -> None:
    """No reconciler runs."""
    record = replace(RECORD, status=Status.WAITING, reason="time", wake_ms=NOW_MS - 60_000)

    assert live(record).why.reason is Reason.RECONCILER_SILENT


def test_a_running_job_says_where_and_what_ends_it() -> None:
    """Its time limit counts from its start; a dead worker's job comes back."""
    told = live(started(progress="0.5 half"), worker())

    assert told.why.reason is Reason.RUNNING
    assert "celery@w1 for 10s, in phase execute (0.5 half)" in told.why.sentence
    assert told.why.coming[0].at_ms == NOW_MS - 10_000 + 60_000
    assert "queued again (2 more times at most)" in told.why.coming[-1].what


def test_the_end_that_a_drain_brings_is_told() -> None:
    """It is stopped then, and queued again."""
    order = Drain("celery@w1", "", NOW_MS - 1_000, within_ms=60_000)
    told = live(started(), worker(drain=order))

    assert NOW_MS + 59_000 in [coming.at_ms for coming in told.why.coming]
    patient = live(started(), worker(drain=replace(order, within_ms=FOREVER)))
    [coming] = [coming for coming in patient.why.coming if "drained" in coming.what]
    assert (coming.at_ms, "lets it end" in coming.what) == (0, True)


def test_the_end_of_a_job_whose_worker_is_ending_is_told() -> None:
    """It was told to end, and gives its jobs the time of its settings."""
    leaving = worker(slots=0, facts={"gate": "draining: the worker is leaving"})
    told = live(started(), leaving)

    assert any("stopped and queued again (1m after its signal" in coming.what for coming in told.why.coming)
    assert not any("after its signal" in coming.what for coming in live(started(), worker()).why.coming)


def test_a_cancelled_job_that_runs_says_how_it_is_stopped() -> None:
    """And that it ends as revoked even if its worker dies over it."""
    told = live(started(cancel=True), worker())

    assert told.why.reason is Reason.CANCELLING
    assert "SIGKILL 10s later" in told.why.sentence
    assert "job-revoked" in told.why.coming[-1].what


@pytest.mark.parametrize("is_marked", [True, False])
def test_of_a_silent_owner_all_is_told_that_is_known(is_marked: bool) -> None:
    """How long it is silent, when the lease ends and what happens then."""
    told = live(started(suspect=is_marked), worker(left_ms=42_000))

    assert told.why.reason is Reason.WORKER_SILENT
    assert "was not heard of for 18s" in told.why.sentence
    assert told.status == ("job-offline" if is_marked else "job-started")
    assert told.why.coming[-1].at_ms == NOW_MS + 12_000


def test_another_life_of_a_silent_worker_is_told() -> None:
    """The worker started anew, so the old one is dead."""
    told = live(started(suspect=True), worker(left_ms=42_000), worker(incarnation="celery@w1/2"))

    assert "it started anew" in told.why.sentence


@pytest.mark.parametrize(("left", "said"), [(0, "fails as worker-lost"), (FOREVER, "without limit")])
def test_what_a_lost_worker_costs_is_told(left: int, said: str) -> None:
    """As many more as its retry policy allows."""
    assert said in live(started(suspect=True, lost_left=left), worker(left_ms=42_000)).why.coming[-1].what


def test_an_owner_that_the_ledger_has_no_word_of_is_believed() -> None:
    """A worker may claim a moment before it first announces itself."""
    assert live(started()).why.reason is Reason.RUNNING
    assert live(started(suspect=True)).why.reason is Reason.WORKER_SILENT


def test_a_lease_that_ran_out_and_that_nobody_ended_is_the_reconcilers() -> None:
    """Its worker is long silent, and the job still started."""
    assert live(started(suspect=True), worker(left_ms=-60_000)).why.reason is Reason.RECONCILER_SILENT


def test_a_completed_job_says_what_it_took() -> None:
    """Its last attempt's time, its worker, what it used."""
    used = {"usage": {"cpu_s": 3.5, "max_rss_bytes": 5_000_000}}
    told = ended(Status.COMPLETED, "", attempt("user", error="x"), attempt("job-completed", **used))

    assert told.why.reason is Reason.COMPLETED
    assert "in 15s on celery@w1 with attempt 2" in told.why.sentence
    assert "3.5s of processor time and 5 MB of memory" in told.why.sentence


def test_a_failed_job_says_class_phase_lines_and_hint() -> None:
    """The hint of its output comes first, then that of the outcome, then the way to try again."""
    said = {"exit_code": 127, "error": "exit code 127", "phase": "execute", "hint": "127 means: not found"}
    tails = {"stdout_tail": "reading\n", "stderr_tail": "sh: 1: gdalwarp: not found\n"}
    told = ended(Status.FAILED, "user", attempt("user", **said, **tails))

    assert told.why.reason is Reason.FAILED
    assert "as user in phase execute" in told.why.sentence
    assert told.failure["exit_code"] == 127
    assert told.decisive.lines[0].text == "sh: 1: gdalwarp: not found"
    assert "PATH" in told.why.advice[0]
    assert told.why.advice[1:] == (
        "127 means: not found",
        f"see what it wrote: hysds logs {ID}",
        f"when its cause is mended: hysds retry {ID}",
    )


def test_where_all_is_that_a_failed_job_wrote_is_told_whole() -> None:
    """Not the bare name that its document's own hint has, beside which the reader of a document sees the path."""
    said = {"exit_code": 3, "error": "exit code 3", "hint": "see the end of the job's _stderr.txt"}
    told = ended(Status.FAILED, "user", attempt("user", job_dir="/data/x.f7", execute_node="node7", **said))

    assert told.why.advice[0] == (f"see what it wrote: hysds logs {ID}, or /data/x.f7/_stderr.txt on node7")
    assert not any("the job's _stderr.txt" in one for one in told.why.advice)


def test_a_lost_worker_is_a_failure_with_its_class() -> None:
    """Nobody described that end, so the document's own words stand."""
    told = ended(Status.FAILED, "worker-lost", attempt("worker-lost"))

    assert told.why.reason is Reason.FAILED
    assert "as worker-lost" in told.why.sentence


def test_a_refused_submission_says_what_to_mend() -> None:
    """It never was a job that could run."""
    told = ended(Status.FAILED, "invalid", error=json.dumps({"error": "$.payload: is required"}))

    assert told.why.reason is Reason.REFUSED
    assert "$.payload: is required" in told.why.sentence


@pytest.mark.parametrize("attempts", [(), (attempt("user", error="exit code 7"),)])
def test_a_job_that_was_not_started_in_time_has_expired(attempts: tuple[Attempt, ...]) -> None:
    """Also one that had an attempt before."""
    told = ended(Status.FAILED, "timeout", *attempts)

    assert told.why.reason is Reason.EXPIRED
    assert ("again" in told.why.sentence) is bool(attempts)


def test_a_job_that_ran_into_its_own_limit_has_failed() -> None:
    """That is no expiry."""
    assert ended(Status.FAILED, "timeout", attempt("timeout", error="too long")).why.reason is Reason.FAILED


@pytest.mark.parametrize(
    ("attempts", "where"),
    [
        ((), "before it was started"),
        ((attempt("job-revoked"),), "while it ran on celery@w1"),
        ((attempt("user"),), "between attempts, after attempt 1"),
    ],
)
def test_a_revoked_job_says_where_the_cancel_met_it(attempts: tuple[Attempt, ...], where: str) -> None:
    """And when."""
    told = ended(Status.REVOKED, "cancelled", *attempts)

    assert told.why.reason is Reason.REVOKED
    assert where in told.why.sentence
    assert ", at 2027-01-15T07:59:55.000Z" in told.why.sentence


@pytest.mark.parametrize(
    ("twin", "said", "advises"),
    [
        ({"status": "job-started"}, "and is job-started now", False),
        ({"status": "job-completed"}, "and is job-completed now", True),
        (None, "and is not known any more", False),
    ],
)
def test_a_duplicate_says_of_what_and_how_to_force(twin: Any, said: str, advises: bool) -> None:
    """The status of the other job then and now; a retry of it only where it has ended."""
    told = ended(Status.DEDUPED, dedup_job=TWIN, dedup_status="job-queued", twin=twin)

    assert told.why.reason is Reason.DUPLICATE
    assert f"duplicate of job {TWIN}, which was job-queued {said}" in told.why.sentence
    assert any('"enable_dedup": false' in one for one in told.why.advice)
    assert any(f"hysds retry {TWIN}" in one for one in told.why.advice) is advises
    assert told.links == {"dedup_job": TWIN}


def test_a_live_job_that_the_ledger_does_not_know_was_lost_with_its_data() -> None:
    """The store follows the ledger and can't be ahead of it."""
    told = explain(Seen(ID, document(started(), SPEC)), TERMS)

    assert told.why.reason is Reason.LOST_BY_LEDGER


def test_of_an_unknown_id_it_is_told_how_long_records_are_kept() -> None:
    """And when the id was made, where it says so."""
    told = explain(Seen(ID, None), TERMS)
    other = explain(Seen("00000000-0000-4000-8000-000000000001", None), TERMS)

    assert (told.status, told.why.reason) == ("", Reason.UNKNOWN)
    assert "their documents until somebody purges them" in told.why.sentence
    assert "stay 1h in the ledger" in told.why.sentence
    assert "the id was made" in told.why.sentence
    assert "the id was made" not in other.why.sentence


def test_every_explanation_is_json() -> None:
    """What is empty is left out; times are ISO 8601."""
    told = as_document(queued(busy(), place=Place(2, 5), ttl_ms=NOW_MS + 1_000))

    assert json.loads(json.dumps(told)) == told
    assert told["place"] == {"ahead": 2, "ready": 5, "paused": False}
    assert told["workers"][0]["lacks"] == [{"what": "slots", "text": "needs 1 slot, has free 0 slots"}]
    assert told["next"][-1]["at"] == "2027-01-15T08:00:01.000Z"
    assert "failure" not in told


def test_every_reason_is_given_by_a_test_here() -> None:
    """A reason that nothing leads to would be a promise without a proof."""
    text = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))

    assert [reason.name for reason in Reason if f"Reason.{reason.name}" not in text] == []


@pytest.mark.parametrize("facts", ["", "[]", "no json", '{"has": {"slots": "many"}}', '{"announce_ms": -1}'])
def test_facts_of_another_version_are_survived(facts: str) -> None:
    """What the worker says of the shape decides; why it does not fit is only left out."""
    told = queued(replace(small(), facts=facts))

    assert told.why.reason is Reason.TOO_LARGE
    assert "can't hold it (1s4096m)" in told.takers[0].missing[0].text


def test_a_task_hears_its_soft_limit_as_an_exception() -> None:
    """A command gets a signal."""
    spec = json.dumps({"job_type": "job:x", "payload": {"_command": "true"}, "soft_time_limit": 60.0})
    said = {}
    for kind in ("", "task"):
        record = started(kind=kind)
        told = explain(Seen(ID, document(record, spec), record, workers=(worker(),)), TERMS)
        said[kind] = told.why.coming[0].what

    assert "SIGTERM" in said[""]
    assert "SoftTimeLimitExceeded" in said["task"]
