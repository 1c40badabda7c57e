"""Groups, arrays and dependencies through a whole system in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.core.control import Verb
from hysds.core.floor_requests import Fit
from hysds.core.ids import JobId
from hysds.core.query import JobQuery
from hysds.core.requests import Bid
from hysds.core.status import Status
from hysds.ports.engines import Play, Workload
from hysds.sdk.selecting import Named
from hysds.testing import SimulatedSystem

_ARRAY = {"job_type": "job:default", "payload": {"_command": "tile $array_index"}, "array": "3-5"}


def test_each_member_of_an_array_runs_with_its_index(tmp_path: Path) -> None:
    """In its environment and in its command; the document of the whole sums up, and is waited for as any other."""
    seen: dict[str, str] = {}

    def tile(workload: Workload) -> Play:
        seen[workload.env["HYSDS_ARRAY_INDEX"]] = workload.argv[1]
        return Play(exit_code=1 if workload.argv[1] == "4" else 0)

    with SimulatedSystem(tmp_path, tile, queues=("default",)) as system:
        group = system.client.submit(_ARRAY)
        system.settle()
        document = system.client.wait(group.id)
        members = system.client.jobs(JobQuery(parent=frozenset({group.id}))).documents

    assert seen == {"3": "3", "4": "4", "5": "5"}
    assert (group.members, document["status"], document["failure_class"]) == (3, "job-failed", "members")
    assert document["error"] == "1 failed of its 3 members"
    counts = {"queued": 0, "running": 0, "done": 2, "failed": 1, "revoked": 0, "deduped": 0, "total": 3}
    assert document["children"] == counts
    assert sorted(member["array_index"] for member in members) == [3, 4, 5]
    assert {member["depth"] for member in members} == {1}


def test_what_comes_after_a_failed_job_says_why_it_never_ran(tmp_path: Path) -> None:
    """Its document names the job and what to do."""
    with SimulatedSystem(tmp_path, lambda _: Play(exit_code=1), queues=("default",)) as system:
        first = system.client.submit({"job_type": "job:default", "payload": {"_command": "false"}})
        second = system.client.submit(
            {"job_type": "job:default", "payload": {"_command": "true"}, "after": {"jobs": [first.id]}}
        )
        waiting = system.client.job(second.id)
        system.settle()
        document = system.client.job(second.id)

    assert (waiting["status"], waiting["waiting_reason"]) == ("job-waiting", "after")
    assert (document["status"], document["failure_class"]) == ("job-revoked", "dependency")
    assert first.id in document["error"]
    assert f"hysds explain {first.id}" in document["hint"]
    assert document["after"] == {"jobs": [first.id]}


@pytest.mark.parametrize(("runs", "answer"), [(False, "job-revoked"), (True, "job-waiting")])
def test_the_cancel_of_a_group_counts_as_one_and_is_foreseen_so(
    tmp_path: Path, runs: bool, answer: str
) -> None:
    """It ends with its members: at once, or a moment later where one of them runs."""
    with SimulatedSystem(tmp_path, queues=("default",)) as system:
        group = system.client.submit(_ARRAY)
        ledger = system.system.ledger
        if runs:
            ledger.claim(Bid("celery@w1/1", ("default",), Fit(("1s",)), "n", 30_000, 60_000))
        [[foreseen]] = system.client.foresee(Verb.CANCEL, Named([group.id]))
        summary = system.client.act(Verb.CANCEL, Named([group.id]))
        asked = ledger.kept([JobId(group.id)])[0]

    assert foreseen.answer == "job-waiting"
    assert (summary.changed, summary.answers) == (1, {answer: 1})
    assert asked is not None
    assert asked.record.cancel or asked.record.status is Status.REVOKED
