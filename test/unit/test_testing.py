"""A whole system in memory: a job goes from spec to document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hysds.core.errors import Conflict, InvalidSpec, NotFound
from hysds.core.happenings import EVENT, Happening
from hysds.ports.engines import Workload
from hysds.testing import Play, SimulatedSystem

SPEC = {"job_type": "job:x", "job_queue": "default", "payload": {"_command": "true --now"}}


def test_a_job_goes_from_spec_to_document(tmp_path: Path) -> None:
    """Validated, accepted, claimed, run, committed, and found in the store."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit(SPEC)
        assert system.client.job(job.id)["status"] == "job-queued"

        ran = system.settle()

        [document] = system.client.jobs().documents
        assert (ran, document["status"], document["job_id"]) == ([job.id], "job-completed", job.id)
        assert document["job"]["job_info"]["status"] == 0
        assert set(document["phase_times"]) == {"prepare", "execute", "finish"}


def test_a_failed_job_says_how_and_what_to_do(tmp_path: Path) -> None:
    """Class, phase, exit code, a short error and a hint stand in the document."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=3)) as system:
        job = system.client.submit(SPEC)
        system.settle()

        document = system.client.job(job.id)
        assert (document["status"], document["failure_class"]) == ("job-failed", "user")
        assert (document["short_error"], document["phase"]) == ("exit code 3", "execute")
        assert "_stderr.txt" in document["hint"]


def test_a_duplicate_is_told_which_job_stands_for_it(tmp_path: Path) -> None:
    """While it is queued, while it runs, and after it completed; a failed one stands for nothing."""
    with SimulatedSystem(tmp_path) as system:
        first = system.client.submit(SPEC)
        second = system.client.submit({**SPEC, "priority": 3})
        system.settle()
        third = system.client.submit(SPEC)

        assert (second.status, second.twin, second.twin_status) == ("job-deduped", first.id, "job-queued")
        assert (third.twin, third.twin_status) == (first.id, "job-completed")
        system.settle()
        assert system.client.job(second.id)["dedup_job"] == first.id


def test_a_failed_job_can_be_submitted_again_at_once(tmp_path: Path) -> None:
    """Its key goes in the same step that ends it; the original waited 47 s here."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=1)) as system:
        system.client.submit(SPEC)
        system.settle()

        assert system.client.submit(SPEC).status == "job-queued"


def test_a_retry_waits_for_its_time(tmp_path: Path) -> None:
    """A budget of two with a delay: the second attempt runs when it is due, and not before."""
    codes = iter([1, 0])
    spec = {**SPEC, "retry": {"user": {"attempts": 2, "delay": "10s"}}}
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=next(codes))) as system:
        job = system.client.submit(spec)
        system.settle()
        assert system.client.job(job.id)["status"] == "job-waiting"

        system.later(11)

        document = system.client.job(job.id)
        assert document["status"] == "job-completed"
        assert [attempt["how"] for attempt in document["attempts"]] == ["user", "job-completed"]


def test_a_job_is_not_started_before_its_time(tmp_path: Path) -> None:
    """`not_before` holds it back as job-waiting; `ttl` ends what nobody claimed."""
    with SimulatedSystem(tmp_path) as system:
        early = system.client.submit({**SPEC, "not_before": "2999-01-01T00:00:00Z"})
        stale = system.client.submit(
            {**SPEC, "job_queue": "nobody", "payload": {"_command": "b"}, "ttl": "5s"}
        )
        assert system.settle() == []

        system.later(6)

        assert system.client.job(early.id)["status"] == "job-waiting"
        document = system.client.job(stale.id)
        assert (document["status"], document["failure_class"]) == ("job-failed", "timeout")


def test_a_cancelled_job_never_runs(tmp_path: Path) -> None:
    """An unclaimed job ends in the step that asked for it; an ended one is left alone."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit(SPEC)

        assert system.client.cancel([job.id]) == {job.id: "job-revoked"}
        assert system.settle() == []
        assert system.client.cancel([job.id]) == {job.id: "ended"}


def test_the_most_urgent_job_runs_first(tmp_path: Path) -> None:
    """By priority, then by age."""
    with SimulatedSystem(tmp_path) as system:
        specs = [
            {**SPEC, "priority": p, "payload": {"_command": f"c {p} {n}"}} for n in (1, 2) for p in (0, 10, 5)
        ]
        jobs = system.client.submit_many(specs)

        ran = system.settle()

        assert [jobs[place].id for place in (1, 4, 2, 5, 0, 3)] == ran


def test_a_refused_submission_with_an_id_leaves_a_document(tmp_path: Path) -> None:
    """Whoever waits for the id sees why there is no such job."""
    with SimulatedSystem(tmp_path) as system:
        job_id = "01930f5e-7b1c-4000-8000-0123456789ab"
        with pytest.raises(InvalidSpec):
            system.client.submit({"job_type": "job:x"}, job_id)
        system.settle()

        document = system.client.job(job_id)
        assert (document["status"], document["failure_class"]) == ("job-failed", "invalid")
        assert "$.payload" in document["error"]


def test_one_id_names_one_job(tmp_path: Path) -> None:
    """A repeat is answered as before, another spec under the same id is refused."""
    with SimulatedSystem(tmp_path) as system:
        job_id = "01930f5e-7b1c-4000-8000-0123456789ab"
        first = system.client.submit(SPEC, job_id)
        assert (first.repeated, system.client.submit(SPEC, job_id).repeated) == (False, True)

        with pytest.raises(Conflict):
            system.client.submit({**SPEC, "priority": 1}, job_id)
        with pytest.raises(NotFound):
            system.client.job("01930f5e-7b1c-4000-8000-ffffffffffff")


def test_the_job_finds_its_files(tmp_path: Path) -> None:
    """The context, the job, a script to run it again, and afterwards the marks of its end."""
    seen: dict[str, object] = {}

    def script(workload: Workload) -> Play:
        seen["context"] = json.loads((workload.cwd / "_context.json").read_text())
        seen["files"] = sorted(path.name for path in workload.cwd.iterdir())
        return Play(stdout=b"out\n")

    with SimulatedSystem(tmp_path, script) as system:
        job = system.client.submit({**SPEC, "payload": {"_command": "true --now", "x": 1}, "priority": 4})
        system.settle()

        place = Path(system.client.job(job.id)["job"]["job_info"]["job_dir"])
        assert seen["files"] == [
            ".running",
            "_context.json",
            "_job.json",
            "_run.sh",
            "_stderr.txt",
            "_stdout.txt",
        ]
        assert seen["context"] == {
            "_command": "true --now",
            "x": 1,
            "job_priority": 4,
            "_prov": {"wasGeneratedBy": f"task_id:{job.id}", "wasDerivedFrom": []},
        }
        assert sorted(path.name for path in place.iterdir()) == [
            ".done",
            "_context.json",
            "_exit_code",
            "_job.json",
            "_pid",
            "_run.sh",
            "_stderr.txt",
            "_stdout.txt",
        ]
        assert (place.parent / job.id).resolve() == place
        assert (place / "_exit_code").read_text() == "0\n"


def test_what_is_done_with_is_forgotten_after_its_retention(tmp_path: Path) -> None:
    """The ledger lets go of a record that the store has confirmed; the document stays."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit(SPEC)
        system.settle()
        system.later(system.settings.ledger.record_retention_s + 1)

        assert system.system.ledger.kept([job.id]) == (None,)
        assert system.client.job(job.id)["status"] == "job-completed"
        assert system.client.submit(SPEC).twin == job.id


def test_a_job_cancelled_between_attempts_does_not_blame_the_attempt_before(tmp_path: Path) -> None:
    """It was revoked, not failed by an exit code; and it ran as long as its attempt did, not as long as it waited."""
    spec = {**SPEC, "retry": {"user": {"attempts": 2, "delay": "1h", "cap": "1h"}}}
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=3)) as system:
        job = system.client.submit(spec)
        system.settle()
        system.clock.advance(60)
        system.client.cancel([job.id])

        document = system.client.job(job.id)
        assert (document["status"], document["failure_class"]) == ("job-revoked", "cancelled")
        assert not {"error", "short_error", "hint"} & set(document)
        assert document["job"]["job_info"]["duration"] < 60
        assert document["attempts"][0]["error"] == "exit code 3"


def test_what_happens_beside_jobs_becomes_documents_too(tmp_path: Path) -> None:
    """Told in the journal, found by the client."""
    with SimulatedSystem(tmp_path) as system:
        told = Happening("id-1", EVENT, "rule-fired", "fired", 1_800_000_000_000, "host-1")
        system.system.journal.tell([told])
        system.settle()

        assert [one["type"] for one in system.client.events().documents] == ["rule-fired"]
