"""A job's document in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hysds.cli import summary
from hysds.ports.engines import Workload
from hysds.testing import Play, SimulatedSystem

_SPEC: dict[str, Any] = {
    "job_type": "job:x",
    "job_name": "a name",
    "job_queue": "default",
    "priority": 3,
    "tag": "trial",
    "username": "somebody",
    "payload": {"_command": "x"},
    "time_limit": 60,
    "retry": {"user": {"attempts": 2, "delay": 0}},
}


def _failed(workload: Workload) -> Play:
    return Play(exit_code=3)


def test_a_waiting_job_shows_what_was_asked(tmp_path: Path) -> None:
    """Before it has run there is nothing about runs."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit(_SPEC)
        shown = dict(summary.details(system.client.job(job.id)))

    assert shown["id"] == job.id
    assert shown["status"] == "job-queued"
    assert (shown["name"], shown["type"], shown["queue"]) == ("a name", "job:x", "default")
    assert (shown["priority"], shown["tag"], shown["user"]) == ("3", "trial", "somebody")
    assert shown["limits"] == "time_limit 1m00s"
    assert not {"started", "worker", "phases", "files", "error"} & set(shown)


def test_a_failed_job_shows_why_where_and_each_attempt_before_the_last(tmp_path: Path) -> None:
    """The error, what to do, what earlier attempts died of, what its phases took, and its files."""
    with SimulatedSystem(tmp_path, _failed) as system:
        job = system.client.submit(_SPEC)
        system.settle()
        document = system.client.job(job.id)
        shown = dict(summary.ending(document))

    assert shown["failed as"] == "user"
    assert shown["error"] == "exit code 3"
    assert "_stderr.txt" in shown["hint"]
    assert shown["attempt 1"] == "user: exit code 3"
    assert "attempt 2" not in shown
    assert [part.split()[0] for part in shown["phases"].split(", ")] == [
        "queued", "prepare", "execute", "finish"
    ]  # fmt: skip
    assert Path(shown["files"]).is_dir()


def test_a_job_that_waits_for_its_next_attempt_shows_why_the_last_one_ended(tmp_path: Path) -> None:
    """Not only that it waits: the newest attempt with its error, and when the next one comes."""
    retried = {**_SPEC, "retry": {"user": {"attempts": 2, "delay": 600}}}
    with SimulatedSystem(tmp_path, _failed) as system:
        job = system.client.submit(retried)
        system.settle()
        document = system.client.job(job.id)
        shown = dict(summary.details(document))

    assert shown["attempt 1"] == "user: exit code 3"
    assert shown["next attempt"] == f"not before {document['not_before']}"
    assert "not before" not in shown


def test_a_cancelled_job_has_not_failed(tmp_path: Path) -> None:
    """It ended as cancelled."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit(_SPEC)
        system.client.cancel([job.id])
        shown = dict(summary.details(system.client.job(job.id)))

    assert shown["ended as"] == "cancelled"
    assert "failed as" not in shown


def test_files_that_are_elsewhere_are_said_to_be(tmp_path: Path) -> None:
    """A directory that this host does not have is not shown as if it were here."""
    here, gone = ({"status": "job-failed", "job": {"job_info": {"job_dir": str(path)}}}
                  for path in (tmp_path, tmp_path / "gone"))  # fmt: skip

    assert dict(summary.ending(here))["files"] == str(tmp_path)
    assert dict(summary.ending(gone))["files"] == f"{tmp_path / 'gone'} (not found on this host)"


def test_a_row_is_as_wide_as_the_head(tmp_path: Path) -> None:
    """Every document has every column, whatever it lacks."""
    with SimulatedSystem(tmp_path, _failed) as system:
        job = system.client.submit(_SPEC)
        waiting = summary.row(system.client.job(job.id))
        system.settle()
        failed = summary.row(system.client.job(job.id))

    assert len(waiting) == len(failed) == len(summary.COLUMNS)
    assert summary.row({}) == ("",) * len(summary.COLUMNS)
    assert failed[summary.COLUMNS.index("error")] == "exit code 3"


def test_what_a_document_holds_can_not_steer_a_terminal() -> None:
    """Names and errors are shown as text, in the list and in detail."""
    document = {"id": "a", "status": "job-failed", "short_error": "\x1b[2J", "error": "\x1b[2J\x07"}

    assert all(cell.isprintable() for cell in summary.row(document))
    assert all(value.isprintable() for _, value in summary.details(document))


def test_a_task_shows_what_it_returned() -> None:
    """As JSON, also where that is null; a job that returns nothing has no such line."""
    assert ("result", '{"a": [1]}') in summary.details({"result": {"a": [1]}})
    assert ("result", "null") in summary.details({"result": None})
    assert "result" not in dict(summary.details({"id": "x"}))
