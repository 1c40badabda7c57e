"""The spec of a job that is done again: whole from the ledger, as much as there is from a document."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from hysds.core.acceptance import DedupPolicy, acceptance
from hysds.core.document import document
from hysds.core.errors import Conflict, InvalidSpec, Refused
from hysds.core.ids import JobId
from hysds.core.parse import parse_document
from hysds.core.record import FOREVER, Record
from hysds.core.repetition import Changes, of_document, of_record
from hysds.core.spec import After, JobSpec, dedup_digest, stored
from hysds.core.status import Status

ID = "01930f5e-7b1c-7000-8000-0123456789ab"
_FULL = {
    "job_type": "job:x",
    "job_name": "a name",
    "job_queue": "gpu",
    "priority": 3,
    "tag": "trial",
    "username": "somebody",
    "concurrency_key": "tile-7",
    "payload": {"_command": "echo $n", "n": {"deep": [1, 2.5, None, "ü"]}},
    "context": {"a": 1},
    "soft_time_limit": "1m",
    "time_limit": 90,
    "ttl": "1h",
    "resources": {"slots": 2, "cpus": 1.5, "memory": "4GiB", "disk": "10GB"},
    "retry": {"user": {"attempts": 3, "delay": "10s", "cap": "1m"}, "oom": {"attempts": 3, "factor": 2, "cap": "8GiB"}},
}  # fmt: skip


def _record(spec: JobSpec, status: Status = Status.FAILED, **changes: Any) -> Record:
    item = acceptance(JobId(ID), spec, DedupPolicy(frozenset(), FOREVER))
    plain = Record(
        id=ID,
        status=status,
        revision=1_800_000_000_000_000,
        digest=item.digest,
        queue=item.queue,
        shape=item.shape,
        priority=item.priority,
        dedup=item.dedup,
        reason="user",
        claims=1,
        accepted_ms=1_800_000_000_000,
        ended_ms=1_800_000_001_000,
    )
    return replace(plain, **changes)


@pytest.mark.parametrize("source", ["ledger", "document"])
@pytest.mark.parametrize("given", [_FULL, {"job_type": "job:x", "payload": {"_command": "true"}}])
def test_the_same_job_is_asked_for_again(source: str, given: dict[str, Any]) -> None:
    """Field by field; its queue, priority and name are explicit, as they may have come from the type."""
    spec = parse_document(given)
    record = _record(spec)
    if source == "ledger":
        again = of_record(record, stored(spec), Changes())
    else:
        again = of_document(document(record, stored(spec)), Changes())
    same = {
        "job_queue": record.queue,
        "priority": record.priority,
        "job_name": again.job_name,
        "payload_hash": again.payload_hash,
    }

    assert again == replace(spec, **same)
    assert again.name == spec.name
    assert dedup_digest(again) == dedup_digest(spec)


@pytest.mark.parametrize("source", ["ledger", "document"])
def test_a_queue_and_a_priority_may_be_others(source: str) -> None:
    """Nothing else can be changed: that would be another job."""
    spec = parse_document(_FULL)
    record, changes = _record(spec), Changes(queue="cpu", priority=9)
    again = (
        of_record(record, stored(spec), changes)
        if source == "ledger"
        else of_document(document(record, stored(spec)), changes)
    )

    assert (again.job_queue, again.priority) == ("cpu", 9)


def test_a_job_that_was_moved_is_done_again_where_it_stood_last() -> None:
    """An operator had a reason."""
    spec = parse_document(_FULL)
    again = of_record(_record(spec, queue="moved", priority=7), stored(spec), Changes())

    assert (again.job_queue, again.priority) == ("moved", 7)


def test_a_job_that_waited_for_a_time_is_done_again_at_once() -> None:
    """Whoever retries means now."""
    spec = parse_document({**_FULL, "not_before": "2030-01-31T18:00:00Z"})

    assert of_record(_record(spec), stored(spec), Changes()).not_before is None


def test_a_deadline_that_is_a_time_was_the_first_jobs_and_a_duration_counts_anew() -> None:
    """The time may long have passed; so much time from its acceptance is what each may take."""
    at, for_ = (parse_document({**_FULL, "deadline": given}) for given in ("2030-01-31T18:00:00Z", "2h"))

    assert of_record(_record(at), stored(at), Changes()).deadline is None
    assert of_record(_record(for_), stored(for_), Changes()).deadline == 7200


@pytest.mark.parametrize("status", [Status.QUEUED, Status.WAITING, Status.STARTED])
def test_a_live_job_is_refused(status: Status) -> None:
    """It would run twice."""
    spec = parse_document(_FULL)
    record = _record(spec, status, ended_ms=0, started_ms=1_800_000_000_500, fence=1, owner="w/1")

    with pytest.raises(Conflict, match="cancel it first"):
        of_record(record, stored(spec), Changes())
    with pytest.raises(Conflict, match="cancel it first"):
        of_document(document(record, stored(spec)), Changes())


def test_a_refused_submission_can_not_be_retried() -> None:
    """There never was a job."""
    record = _record(parse_document(_FULL), reason="invalid", claims=0)

    with pytest.raises(Refused, match="mend its spec"):
        of_record(record, "{}", Changes())
    with pytest.raises(Refused, match="mend its spec"):
        of_document(document(record, "{}", error='{"error": "wrong"}'), Changes())


def test_values_of_an_environment_are_known_to_the_ledger_alone() -> None:
    """A document names the variables, so the refusal can."""
    spec = parse_document({**_FULL, "env": {"TOKEN": "s3cret", "MODE": "fast"}})
    record = _record(spec)

    assert of_record(record, stored(spec), Changes()).env == {"TOKEN": "s3cret", "MODE": "fast"}
    with pytest.raises(Refused, match=r"variables \(MODE, TOKEN\)") as refusal:
        of_document(document(record, stored(spec)), Changes())
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize("changes", [Changes(queue="a b"), Changes(priority=11), Changes(priority=-1)])
def test_changes_that_can_not_be_are_refused(changes: Changes) -> None:
    """As a spec that asked for them would be."""
    spec = parse_document(_FULL)

    with pytest.raises(InvalidSpec):
        of_record(_record(spec), stored(spec), changes)


@pytest.mark.parametrize("broken", [{"job": None}, {"job": {"params": "text"}}, {"type": "x" * 300}])
def test_a_document_that_holds_no_spec_is_refused(broken: dict[str, Any]) -> None:
    """Whoever wrote it: the message says what to do instead."""
    spec = parse_document(_FULL)

    with pytest.raises(Refused, match="submit the job anew"):
        of_document(document(_record(spec), stored(spec)) | broken, Changes())


@pytest.mark.parametrize("source", ["ledger", "document"])
def test_a_duplicate_is_not_retried_but_names_the_job_to_retry(source: str) -> None:
    """It never ran: its retry would be a duplicate in turn, with the id of a job that stands for it."""
    twin = "01930f5e-7b1c-7000-8000-0123456789ac"
    spec = parse_document({"job_type": "job:x", "payload": {"_command": "true"}})
    record = _record(spec, Status.DEDUPED, reason="", claims=0, dedup_job=twin)
    told = document(record, stored(spec))
    from_ledger, from_store = (
        partial(of_record, record, stored(spec), Changes()),
        partial(of_document, told, Changes()),
    )
    retry = from_ledger if source == "ledger" else from_store
    with pytest.raises(Refused, match=f"{ID} is a duplicate of job {twin}, and never ran: .*enable_dedup"):
        retry()


@pytest.mark.parametrize("source", ["ledger", "document"])
def test_a_group_is_not_done_again_but_its_members_are(source: str) -> None:
    """It runs nothing; the sentence has the command. A member's retry has its index, and waits for nobody."""
    spec = parse_document({"job_type": "job:x", "payload": {"_command": "echo 3"}, "array_index": 3})
    group = _record(spec, kind="group", kids="2 0 0 1 1 0 0")
    again = partial(_again, source)

    with pytest.raises(Refused, match=f"hysds retry --parent {ID}"):
        again(group, stored(spec))
    member = replace(spec, after=After((ID,)))
    found = again(_record(member), stored(member))

    assert (found.array_index, found.after, dedup_digest(found)) == (3, None, dedup_digest(spec))


def _again(source: str, record: Record, text: str) -> JobSpec:
    if source == "ledger":
        return of_record(record, text, Changes())
    return of_document(document(record, text), Changes())
